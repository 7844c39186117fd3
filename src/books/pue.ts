/**
 * What a facility draws for each joule of its servers: declared, or measured where there is a meter above them and the declaration
 * says so.
 *
 *     PUE of an hour = what the facility's meter showed ÷ what those directly below it showed
 *
 * Of intervals alone in which every meter below was seen. What a facility's meter shows beyond them is paid for once: by a PUE where
 * one is in force for meters below it, else as electricity of its own.
 */
import type { MeterPlace } from '../plant/energy/levels.ts'
import { leaves, placeAt } from '../plant/energy/levels.ts'
import type { Series } from '../plant/energy/series.ts'
import type { CostDeclaration } from './cost.ts'
import { termsOfMeter } from './cost.ts'
import { hour_ms } from './cost-hour.ts'

/** What an upper meter showed in an hour, as far as every meter below was seen. */
export interface WholeHour {
  readonly meter: string
  /** Since 1970. */
  readonly hour: number
  readonly whole_ms: number
  readonly energy_mj: bigint
  readonly below_mj: bigint
}

/** Less than this of an hour does not speak for all of it. */
export const leastWhole_ms = 0.9 * hour_ms

const whole_ppm = 1_000_000n

/** Millionths, half up; undefined: too little of the hour is known, or a hall would draw less than its servers. */
export function measuredPue({ whole_ms, energy_mj, below_mj }: WholeHour): bigint | undefined {
  if (whole_ms < leastWhole_ms || below_mj <= 0n || energy_mj < below_mj) return undefined
  return (2n * energy_mj * whole_ppm + below_mj) / (2n * below_mj)
}

/** All that the PUE of a meter follows from. */
export interface PueFacts {
  readonly declared: readonly CostDeclaration[]
  readonly places: readonly MeterPlace[]
  /** Of an hour of an upper meter; undefined: it is not known. */
  readonly measured: (meter: string, hour: number) => bigint | undefined
}

/** The PUE of a meter's hour; undefined: none. That of a facility's own meter has everything in it already. */
export function pueOf({ declared, places, measured }: PueFacts, meter: string, hour: number): Series | undefined {
  if (placeAt(places, meter, lastOf(hour))?.level === 'facility') return undefined
  const terms = termsOfMeter(declared, 'pue', meter, hour * hour_ms)
  if (terms?.per !== 'time') return undefined
  const usual = terms.measured_by === undefined ? undefined : measured(terms.measured_by, hour)
  return usual === undefined ? terms.series : { usual }
}

/** Whether what a meter shows beyond those below it is in their PUE. */
export function isInPue(facts: PueFacts, meter: string, hour: number): boolean {
  const at_ms = lastOf(hour)
  if (placeAt(facts.places, meter, at_ms)?.level !== 'facility') return false
  return leaves(facts.places, meter, at_ms).some((one) => pueOf(facts, one, hour) !== undefined)
}

const lastOf = (hour: number): number => (hour + 1) * hour_ms - 1
