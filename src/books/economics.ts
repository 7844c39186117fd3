import type { Grade } from '../plant/energy/meter.ts'
import type { NanoDollars } from '../units/amount.ts'
import type { Sums } from './figures.ts'

/** What an engine costs for a time: declared dollars per hour from one moment to another. */
export interface CostSpan {
  readonly engine: string
  readonly from_ms: number
  /** Null: still in force. */
  readonly until_ms: number | null
  readonly perHour: NanoDollars
}

/** Declared dollars of spans within [from, to). */
export function declaredCost(spans: readonly CostSpan[], from_ms: number, to_ms: number): number {
  return spans.reduce((sum, span) => {
    const [from, to] = [Math.max(from_ms, span.from_ms), Math.min(to_ms, span.until_ms ?? to_ms)]
    return to > from ? sum + (Number(span.perHour) / 1e9) * ((to - from) / 3_600_000) : sum
  }, 0)
}

/** One engine over a time: what it served, what its meters drew, what it cost. */
export interface EngineTime {
  readonly engine: string
  /** Sums of `tally.ts` of the replica. */
  readonly served: Sums
  /** Sums of each of its meters, and its part of them: 1, or less where several engines share it. */
  readonly meters: readonly { readonly sums: Sums; readonly part: number }[]
  /** Dollars; undefined: nothing was declared. */
  readonly cost: number | undefined
  readonly seconds: number
}

/** Per token of output, and per token of all that was served, cached ones included: the two denominators in use. */
export interface PerToken {
  readonly output: number | null
  readonly all: number | null
}

/**
 * What a token takes of an engine, over a time:
 *
 *     $/M tokens = declared cost ÷ tokens × 10⁶        J/token = energy drawn ÷ tokens, idle included
 *
 * Null where nothing is known: without tokens there is no figure, and an idle engine is not free.
 */
export function economicsOf({ engine, served, meters, cost, seconds }: EngineTime) {
  const of = (measures: readonly string[]): number =>
    measures.reduce((sum, measure) => sum + (served.get(measure) ?? 0), 0)
  const output = of(['output_visible', 'reasoning'])
  const input = of(['input_uncached', 'cache_read', 'cache_write'])
  const perToken = (amount: number | undefined): PerToken => ({
    output: amount === undefined || output === 0 ? null : amount / output,
    all: amount === undefined || output + input === 0 ? null : amount / (output + input),
  })
  const drawn = drawnBy(meters)
  return {
    engine,
    seconds,
    input_tokens_per_s: input / seconds,
    output_tokens_per_s: output / seconds,
    usd_per_mtoken: perToken(cost === undefined ? undefined : cost * 1e6),
    usd_per_h: cost === undefined ? null : (cost / seconds) * 3600,
    j_per_token: perToken(drawn?.joules),
    power_w: drawn ? drawn.watts : null,
    energy_grade: drawn ? drawn.grade : null,
  } as const
}

export type Economics = ReturnType<typeof economicsOf>

/** Weakest last. */
const grades: readonly Grade[] = ['measured', 'estimated', 'simulated']

function drawnBy(meters: EngineTime['meters']): { joules: number; watts: number; grade: Grade } | undefined {
  let [joules, power, weakest] = [0, 0, -1]
  for (const { sums, part } of meters) {
    let energy = 0
    for (const [rank, grade] of grades.entries()) {
      const mj = sums.get(`drawn/${grade}`)
      if (mj === undefined) continue
      energy += mj / 1000
      weakest = Math.max(weakest, rank)
    }
    const metered_s = (sums.get('metered_ms') ?? 0) / 1000
    joules += energy * part
    power += metered_s > 0 ? (energy * part) / metered_s : 0
  }
  const grade = grades[weakest]
  return grade && { joules, watts: power, grade }
}

/** A meter's energy is each engine's by the tokens that it worked off in the time; by halves where none did. */
export function meterParts(tokens: readonly number[]): number[] {
  const sum = tokens.reduce((a, b) => a + b, 0)
  return tokens.map((count) => (sum > 0 ? count / sum : 1 / tokens.length))
}
