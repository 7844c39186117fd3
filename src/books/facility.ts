/** What the utility delivered for what the meters of the factory show: E × PUE(t), hour by hour, where a PUE is declared. */
import type { CostDeclaration } from './cost.ts'
import { seriesOf } from './cost.ts'
import { hour_ms, withPue } from './cost-hour.ts'

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

export function facilityEnergy(hours: Iterable<MeteredHour>, declared: readonly CostDeclaration[]): FacilityEnergy {
  let [energy_mj, known, unknown] = [0n, false, false]
  for (const { meter, hour, energy_mj: drawn } of hours) {
    if (drawn === 0n) continue
    const pue = seriesOf(declared, 'pue', meter, hour * hour_ms)
    energy_mj += pue ? withPue(drawn, hour, pue) : drawn
    if (pue) known = true
    else unknown = true
  }
  return {
    energy_mj,
    boundary: `at the meters of the factory${known ? (unknown ? ' × PUE where declared' : ' × PUE') : ''}`,
  }
}
