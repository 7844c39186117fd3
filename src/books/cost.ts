import type { Series } from '../plant/energy/series.ts'
import type { NanoDollars, Price } from '../units/amount.ts'
import { nanoDollars } from '../units/amount.ts'
import type { CostSpan } from './economics.ts'
import type { TokenClass } from './usage.ts'

/** Costs that somebody declares by the hour beside machines: nobody's usage makes them larger. */
export const overheadKinds = ['staff', 'licence', 'floor', 'support'] as const
export type OverheadKind = (typeof overheadKinds)[number]

/** Figures that turn joules into money and carbon: nano-USD/kWh, millionths of the servers' power, µgCO2e/kWh. */
export const seriesKinds = ['tariff', 'pue', 'carbon'] as const
export type SeriesKind = (typeof seriesKinds)[number]

/** Work that a model needs before it serves: `making.ts`. */
export const makingKinds = ['training', 'evaluation', 'data'] as const
export type MakingKind = (typeof makingKinds)[number]

/** `capacity` is an engine's, `list` what a provider charges for a model of his engine, `demand` what a peak costs by the kW. */
export type CostKind = 'capacity' | 'list' | 'demand' | MakingKind | OverheadKind | SeriesKind

export type CostTerms =
  | { readonly per: 'hour'; readonly amount: NanoDollars }
  | {
      readonly per: 'time'
      readonly series: Series
      /** Of a PUE: the meter of a facility by which it is measured. The series is for hours in which that is not known. */
      readonly measured_by?: string
    }
  | { readonly per: 'token'; readonly perMillion: Readonly<Record<TokenClass, Price>> }
  | {
      /** Of the highest mean power over the interval in a billing month: the calendar month of the place. */
      readonly per: 'kW'
      readonly amount: NanoDollars
      readonly interval_min: number
      readonly offset_min: number
      readonly rule: 'even' | 'peak'
    }
  | {
      /** A model's, once: borne over months of 730 hours, or over tokens that it serves. One of the two is null. */
      readonly per: 'job'
      readonly amount: NanoDollars
      readonly energy_mj: bigint
      readonly months: number | null
      readonly tokens: number | null
    }
  /** Nothing is said of it from then on; of a meter what is said of all meters. */
  | { readonly per: 'end' }

/** What something costs from a moment on. Never changed: a correction is a later entry, with the moment from which it is right. */
export interface CostDeclaration {
  readonly version: number
  readonly kind: CostKind
  /** An engine, `engine/model`, `model/job`, a meter or `all`, or a name of its own. */
  readonly name: string
  readonly from_ms: number
  readonly declared_ms: number
  readonly terms: CostTerms
  readonly note: string
}

/** Every meter that has no declaration of its own. */
export const allMeters = 'all'

/** The one that begins last before a moment, or with it; of two that begin together, the later entry. */
export const inForce = (
  declarations: readonly CostDeclaration[],
  kind: CostKind,
  name: string,
  at_ms: number,
): CostDeclaration | undefined =>
  declarations.reduce<CostDeclaration | undefined>((best, one) => {
    if (one.kind !== kind || one.name !== name || one.from_ms > at_ms) return best
    return !best || one.from_ms > best.from_ms || (one.from_ms === best.from_ms && one.version > best.version)
      ? one
      : best
  }, undefined)

/** The terms of a meter: its own, or those of all. */
export const termsOfMeter = (
  declarations: readonly CostDeclaration[],
  kind: SeriesKind,
  meter: string,
  at_ms: number,
): CostTerms | undefined => {
  const own = inForce(declarations, kind, meter, at_ms)?.terms
  return own === undefined || own.per === 'end' ? inForce(declarations, kind, allMeters, at_ms)?.terms : own
}

/** The series of a meter: its own, or that of all. A PUE may be measured: `pue.ts`. */
export function seriesOf(
  declarations: readonly CostDeclaration[],
  kind: Exclude<SeriesKind, 'pue'>,
  meter: string,
  at_ms: number,
): Series | undefined {
  const terms = termsOfMeter(declarations, kind, meter, at_ms)
  return terms?.per === 'time' ? terms.series : undefined
}

/**
 * Dollars an hour of one thing as spans, from its declarations and, of an engine, from the costs that it was given by `engines
 * cost`: at any moment what began last holds. A span that ended, ended then.
 */
export function perHourSpans(
  declarations: readonly CostDeclaration[],
  kind: CostKind,
  name: string,
  given: readonly CostSpan[] = [],
): CostSpan[] {
  const starts = [
    ...given
      .filter(({ engine }) => engine === name)
      .flatMap(({ from_ms, until_ms, perHour }) => [
        { from_ms, perHour },
        ...(until_ms === null ? [] : [{ from_ms: until_ms, perHour: nanoDollars(0n) }]),
      ]),
    ...declarations
      .filter((one) => one.kind === kind && one.name === name)
      .toSorted((a, b) => a.version - b.version)
      .flatMap(({ from_ms, terms }) => (terms.per === 'hour' ? { from_ms, perHour: terms.amount } : [])),
  ].toSorted((a, b) => a.from_ms - b.from_ms)
  return starts.flatMap(({ from_ms, perHour }, at): CostSpan[] => {
    const until_ms = starts[at + 1]?.from_ms ?? null
    return perHour > 0n && until_ms !== from_ms ? [{ engine: name, from_ms, until_ms, perHour }] : []
  })
}

/** Nano-dollars of spans within [from, to), rounded once, half up. */
export function costBetween(spans: readonly CostSpan[], from_ms: number, to_ms: number): NanoDollars {
  const sum = spans.reduce((total, span) => {
    const [from, to] = [Math.max(from_ms, span.from_ms), Math.min(to_ms, span.until_ms ?? to_ms)]
    return to > from ? total + span.perHour * BigInt(to - from) : total
  }, 0n)
  return nanoDollars((sum + 1_800_000n) / 3_600_000n)
}
