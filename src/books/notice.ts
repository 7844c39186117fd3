import type { Allowance } from './allowance.ts'

/** What people want to be told of without looking. */
export const noticeTypes = [
  'budget.threshold',
  'budget.exhausted',
  'spend.anomaly',
  'books.broken',
  'power.alarm',
  'webhook.test',
] as const
export type NoticeType = (typeof noticeTypes)[number]

export interface Notice {
  /** The same for every attempt to deliver it: who has it already knows that by this name. */
  readonly id: string
  readonly type: NoticeType
  readonly at_ms: number
  /** Amounts are decimal text of the smallest unit. No prompt and no secret is ever in it. */
  readonly data: Readonly<Record<string, string | number | boolean | null>>
}

/** Shares of a budget at which somebody is told, in percent: in time, late, and when it stops. */
export const thresholds_percent = [50, 80, 100] as const

/** Shares of an allowance that were reached by what is used, lowest first. Rates and places are no budgets: they come back. */
export function reached(allowance: Pick<Allowance, 'amount' | 'renews'>, used: bigint): number[] {
  const { amount, renews } = allowance
  if (renews === 'minute' || renews === 'release' || amount <= 0n) return []
  return thresholds_percent.filter((percent) => used * 100n >= amount * BigInt(percent))
}

/** How long after so many failed attempts the next one is made, ms; undefined: no more. A receiver may be away for three days. */
export function retryAfter_ms(attempts: number): number | undefined {
  const steps_s = [5, 30, 120, 600, 3600, 6 * 3600, 12 * 3600, 24 * 3600, 24 * 3600]
  const step = steps_s[attempts - 1]
  return step === undefined ? undefined : step * 1000
}
