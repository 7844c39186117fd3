import type { RequestLine, Source } from './contract.ts'
import { grouped, text, unknown } from './format.ts'

const classes = {
  input: ['input_uncached', 'cache_read', 'cache_write'],
  output: ['output_visible', 'reasoning'],
} as const

/** Tokens in or out, of all classes; a count that nobody gave is not zero. */
export function sumOf({ tokens }: Pick<RequestLine, 'tokens'>, way: keyof typeof classes): string {
  const known = classes[way].map((of) => tokens[of]).filter((count) => count !== null && count !== undefined)
  return known.length === 0 ? unknown : grouped(known.reduce((sum, count) => sum + count, 0))
}

/** What a request drew; undefined where no meter of ours saw it. */
export function energyOf({
  energy_mj,
  energy_grade,
  energy_final,
}: Pick<RequestLine, 'energy_mj' | 'energy_grade' | 'energy_final'>):
  | { readonly shown: string; readonly source: Source | null; readonly final: boolean }
  | undefined {
  if (energy_mj === null) return undefined
  return {
    // Nothing is attributed before an interval that it worked in is closed: that is not zero.
    shown: energy_mj === '0' && !energy_final ? 'soon' : text(Number(energy_mj) / 1000, 'J'),
    source: energy_grade === 'unknown' ? null : energy_grade,
    final: energy_final,
  }
}

/** How the classes of tokens are called. */
export const classNames: Readonly<Record<string, string>> = {
  input_uncached: 'input',
  cache_read: 'input from cache',
  cache_write: 'input written to cache',
  output_visible: 'output',
  reasoning: 'reasoning',
}

/** How an outcome is marked: who left by himself is no failure of ours. */
export const kindOf = (outcome: string): 'good' | 'none' | 'bad' =>
  outcome === 'complete' ? 'good' : outcome === 'client_closed' ? 'none' : 'bad'

/** Every answer has these; one that is missing is worth a line. */
const expected = ['input_uncached', 'output_visible']

/** The classes of an attempt's tokens that say something. */
export const toldClasses = <Count extends { readonly tokens: number }>(
  usage: Readonly<Record<string, Count | null>>,
): [string, Count | null][] =>
  Object.entries(usage).filter(([of, count]) => (count === null ? expected.includes(of) : count.tokens > 0))

/** What requests can be looked for by; empty: all of them. `failed`: all that is neither whole nor left by its client. */
export const outcomes = [
  '',
  'failed',
  'complete',
  'client_closed',
  'rejected',
  'upstream_error',
  'truncated',
  'timeout',
  'journal_unavailable',
  'budget_exhausted',
  'denied',
  'crash',
] as const

/** How much of a limit is taken, 0 to 1; null: nobody knows. A limit of nothing is all taken. */
export const taken = ({ left, amount }: { readonly left: string | null; readonly amount: string }): number | null =>
  left === null ? null : Number(amount) === 0 ? 1 : Math.min(1, Math.max(0, 1 - Number(left) / Number(amount)))
