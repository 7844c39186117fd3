import type { Billed } from '../lib/billed.ts'
import { sumBilled } from '../lib/billed.ts'
import type { UsageDay } from './contract.ts'

/** Sums of days, exact: dollars in nano-dollars, energy in millijoules. */
export interface Sum {
  readonly application: string
  readonly requests: number
  readonly failed: number
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly usd: string
  /** In the currencies in which it was billed, where those are others. */
  readonly billed: readonly Billed[]
  /** null: no meter saw any of it. */
  readonly energy_mj: string | null
  readonly estimated: boolean
  /** Tokens out, day by day of the days asked for. */
  readonly course: readonly number[]
}

/** By application, those that cost most first. */
export function byApplication(days: readonly UsageDay[], dates: readonly string[]): Sum[] {
  const sums = [...Map.groupBy(days, ({ application }) => application)].map(([application, own]) =>
    sumOf(application, own, dates),
  )
  return sums.sort((a, b) => (nano(b.usd) > nano(a.usd) ? 1 : nano(b.usd) < nano(a.usd) ? -1 : b.requests - a.requests))
}

export function sumOf(application: string, days: readonly UsageDay[], dates: readonly string[]): Sum {
  const of = (name: 'requests' | 'failed' | 'input_tokens' | 'cached_tokens' | 'output_tokens'): number =>
    days.reduce((sum, day) => sum + day[name], 0)
  const known = days.flatMap(({ energy_mj }) => energy_mj ?? [])
  return {
    application,
    requests: of('requests'),
    failed: of('failed'),
    input_tokens: of('input_tokens'),
    cached_tokens: of('cached_tokens'),
    output_tokens: of('output_tokens'),
    usd: decimal(days.reduce((sum, { usd }) => sum + nano(usd), 0n)),
    billed: sumBilled(days.flatMap(billedOf)),
    energy_mj: known.length === 0 ? null : known.reduce((sum, mj) => sum + BigInt(mj), 0n).toString(),
    estimated: days.some(({ tokens_grade }) => tokens_grade !== 'measured'),
    course: dates.map((date) => days.reduce((sum, day) => sum + (day.day === date ? day.output_tokens : 0), 0)),
  }
}

/** Nothing of a day that was billed in dollars. */
export const billedOf = ({ currency, billed }: UsageDay): Billed[] =>
  currency === undefined || billed === undefined ? [] : [{ currency, amount: billed }]

/** `2027-01-31` and so on, the end not in it. */
export function datesOf(from: string, to: string): string[] {
  const dates: string[] = []
  for (let at = Date.parse(from); at < Date.parse(to); at += 86_400_000)
    dates.push(new Date(at).toISOString().slice(0, 10))
  return dates
}

/** Dollars of the books as nano-dollars. */
export function nano(decimal: string): bigint {
  const [, sign = '', whole = '0', part = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(decimal) ?? []
  const value = BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, '0'))
  return sign === '-' ? -value : value
}

export function decimal(nano: bigint): string {
  const size = nano < 0n ? -nano : nano
  const part = (size % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${nano < 0n ? '-' : ''}${size / 1_000_000_000n}${part === '' ? '' : `.${part}`}`
}
