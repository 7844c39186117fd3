/**
 * What a utility charges for the highest power of a billing month, beside what it charges for energy: dollars a kW of the peak,
 * the peak being the highest mean over an interval such as 15 minutes.
 */
import { above } from '../plant/energy/levels.ts'
import type { Series } from '../plant/energy/series.ts'
import { sumOver } from '../plant/energy/series.ts'
import { apportion } from '../units/amount.ts'
import type { CostDeclaration, CostTerms } from './cost.ts'
import { allMeters, inForce } from './cost.ts'
import { hour_ms } from './cost-hour.ts'
import { isInPue, type PueFacts, pueOf } from './pue.ts'

/** Which hours bear it: every hour of the month the same, or those that made the peak what it is. */
export const demandRules = ['even', 'peak'] as const
export type DemandRule = (typeof demandRules)[number]

/** Of an hour, so that no interval is in two of them. */
export const demandIntervals_min = [5, 10, 15, 20, 30, 60] as const

export type DemandTerms = Extract<CostTerms, { per: 'kW' }>

/** What a meter counted between two samples. */
export interface Reading {
  readonly meter: string
  readonly from_ms: number
  readonly to_ms: number
  readonly energy_mj: bigint
}

/** The highest interval of an hour at one connection to the grid: mJ before they reached the servers. */
export interface HourPeak {
  readonly connection: string
  readonly hour: number
  readonly at_ms: number
  readonly interval_min: number
  readonly energy_mj: bigint
}

/** Whoever reads a counter this rarely does not know a peak. */
export const longestReading_ms = hour_ms

export function demandTerms(
  declared: readonly CostDeclaration[],
  connection: string,
  at_ms: number,
): DemandTerms | undefined {
  const terms = inForce(declared, 'demand', connection, at_ms)?.terms
  return terms?.per === 'kW' ? terms : undefined
}

export const connectionsOf = (declared: readonly CostDeclaration[]): string[] =>
  [...new Set(declared.filter(({ kind }) => kind === 'demand').map(({ name }) => name))].sort()

/**
 * A meter with a demand charge of its own is a connection of its own, with the meters below it; all others are one, and their powers add
 * up at each moment.
 */
export function peaksOfHour(facts: PueFacts, hour: number, readings: readonly Reading[]): HourPeak[] {
  const { declared, places } = facts
  const at_ms = hour * hour_ms
  const inUse = connectionsOf(declared).flatMap((connection) => {
    const terms = demandTerms(declared, connection, at_ms)
    return terms ? [{ connection, terms }] : []
  })
  const own = new Set(inUse.map(({ connection }) => connection))
  return inUse.flatMap(({ connection, terms: { interval_min } }): HourPeak[] => {
    const connected = (meter: string): string =>
      [meter, ...above(places, meter, at_ms + hour_ms - 1)].find((one) => own.has(one)) ?? allMeters
    const of = readings.filter(({ meter }) => connected(meter) === connection && !isInPue(facts, meter, hour))
    const pue = (meter: string): Series | undefined => pueOf(facts, meter, hour)
    const peak = highest(of, at_ms, interval_min * 60_000, pue)
    return peak ? [{ connection, hour, interval_min, ...peak }] : []
  })
}

/** The first of the highest. */
function highest(
  readings: readonly Reading[],
  from_ms: number,
  length_ms: number,
  pue: (meter: string) => Series | undefined,
): { at_ms: number; energy_mj: bigint } | undefined {
  let best: { at_ms: number; energy_mj: bigint } | undefined
  const byMeter = Map.groupBy(readings, ({ meter }) => meter)
  for (let at_ms = from_ms; at_ms < from_ms + hour_ms; at_ms += length_ms) {
    let energy_mj = 0n
    for (const [meter, of] of byMeter) {
      const drawn = of.reduce((sum, reading) => sum + within(reading, at_ms, at_ms + length_ms), 0n)
      energy_mj += delivered(drawn, pue(meter), at_ms, at_ms + length_ms)
    }
    if (energy_mj > (best?.energy_mj ?? 0n)) best = { at_ms, energy_mj }
  }
  return best
}

/** A reading's part of a time, as if it was drawn evenly; parts of times that touch add up to it. */
function within({ from_ms, to_ms, energy_mj }: Reading, from: number, to: number): bigint {
  if (to_ms <= from || from_ms >= to || to_ms <= from_ms) return 0n
  const until = (at_ms: number): bigint =>
    (energy_mj * BigInt(Math.min(Math.max(at_ms, from_ms), to_ms) - from_ms)) / BigInt(to_ms - from_ms)
  return until(to) - until(from)
}

/** E × mean of PUE(t), half up. */
function delivered(energy_mj: bigint, pue: Series | undefined, from_ms: number, to_ms: number): bigint {
  if (!pue || energy_mj === 0n) return energy_mj
  const { sum, count } = sumOver(pue, from_ms, to_ms)
  const by = count * 1_000_000n
  return (2n * energy_mj * sum + by) / (2n * by)
}

/** nano-dollars = E ÷ interval × dollars a kW, half up: mJ ÷ s = mW. */
export function demandCharge({ amount }: DemandTerms, energy_mj: bigint, interval_min: number): bigint {
  const by = BigInt(interval_min) * 60n * 1_000_000n
  return (2n * energy_mj * amount + by) / (2n * by)
}

/** Hours [from, to). */
export interface BillingMonth {
  readonly from: number
  readonly to: number
}

/** The calendar month of a place; an hour belongs to the one in which it begins. */
export function billingMonth(at_ms: number, offset_min: number): BillingMonth {
  const local = new Date(at_ms + offset_min * 60_000)
  const begin = (months: number): number =>
    Math.ceil((Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months) - offset_min * 60_000) / hour_ms)
  return { from: begin(0), to: begin(1) }
}

/** Of the month so far. */
export const peakOf = (peaks: Iterable<HourPeak>): HourPeak | undefined =>
  [...peaks].reduce<HourPeak | undefined>((best, one) => (beats(one, best) ? one : best), undefined)

const watts = ({ energy_mj, interval_min }: HourPeak): number => Number(energy_mj) / interval_min
const beats = (one: HourPeak, best: HourPeak | undefined): boolean =>
  !best || (one.interval_min === best.interval_min ? one.energy_mj > best.energy_mj : watts(one) > watts(best))

/**
 * What each hour of a month bears of its demand charge, as far as the month's peak is known.
 *
 *     even: charge ÷ hours of the month, over the hours that can still be corrected, less what the others bear
 *     peak: charge of the peak up to the hour − charge of the peak before it
 *
 * Both add up to the charge when the month is over, to the nano-dollar. `fixed`: what hours bear that stay as they are.
 */
export function demandByHour(
  terms: DemandTerms,
  month: BillingMonth,
  peaks: readonly HourPeak[],
  fixed: ReadonlyMap<number, bigint>,
): Map<number, bigint> {
  const hours = Array.from({ length: month.to - month.from }, (_, at) => month.from + at)
  const free = hours.filter((hour) => !fixed.has(hour))
  if (free.length === 0) return new Map()
  if (terms.rule === 'even') return even(chargeOf(terms, peakOf(peaks)), free, fixed)
  const byHour = new Map(peaks.map((peak) => [peak.hour, peak]))
  const due = new Map<number, bigint>()
  let before: HourPeak | undefined
  for (const hour of hours) {
    const one = byHour.get(hour)
    const now = one && beats(one, before) ? one : before
    if (!fixed.has(hour)) due.set(hour, chargeOf(terms, now) - chargeOf(terms, before))
    before = now
  }
  return due
}

export const chargeOf = (terms: DemandTerms, peak: HourPeak | undefined): bigint =>
  peak ? demandCharge(terms, peak.energy_mj, peak.interval_min) : 0n

function even(charge: bigint, free: readonly number[], fixed: ReadonlyMap<number, bigint>): Map<number, bigint> {
  const borne = [...fixed.values()].reduce((sum, amount) => sum + amount, 0n)
  const rest = charge > borne ? charge - borne : 0n
  const parts = apportion(
    rest,
    free.map(() => 1n),
  )
  return new Map(free.map((hour, at) => [hour, parts[at] ?? 0n]))
}
