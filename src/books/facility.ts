/**
 * What the utility delivered for what the meters of the factory show: E × PUE(t), hour by hour, where a PUE is in force; where the
 * facility has a meter and no PUE is, what that shows.
 */
import { placeAt } from '../plant/energy/levels.ts'
import { hour_ms, withPue } from './cost-hour.ts'
import { isInPue, type PueFacts, pueOf } from './pue.ts'

export interface MeteredHour {
  readonly meter: string
  /** Since 1970. */
  readonly hour: number
  readonly energy_mj: bigint
}

export interface FacilityEnergy {
  readonly energy_mj: bigint
  /** Where it was counted, in words: a figure of energy without it says nothing. */
  readonly boundary: string
}

export function facilityEnergy(hours: Iterable<MeteredHour>, facts: PueFacts): FacilityEnergy {
  let [energy_mj, known, unknown, metered] = [0n, false, false, false]
  for (const { meter, hour, energy_mj: drawn } of hours) {
    if (drawn === 0n || isInPue(facts, meter, hour)) continue
    const pue = pueOf(facts, meter, hour)
    energy_mj += pue ? withPue(drawn, hour, pue) : drawn
    if (placeAt(facts.places, meter, (hour + 1) * hour_ms - 1)?.level === 'facility') metered = true
    else if (pue) known = true
    else unknown = true
  }
  const where = metered && !known ? "at the facility's meter" : 'at the meters of the factory'
  return { energy_mj, boundary: `${where}${known ? (unknown ? ' × PUE where declared' : ' × PUE') : ''}` }
}
