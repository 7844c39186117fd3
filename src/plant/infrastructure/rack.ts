import { type Watts, watts } from '../../units/quantity.ts'
import { type ChipCard, powerRange } from '../chips/card.ts'

/** What carries the heat away: rear doors cool the air of one rack, cold plates the chips themselves. */
export type Cooling = 'air' | 'rear-door' | 'liquid'

/** A rack's two limits: what its feed gives and what its cooling takes away. The lower one binds. */
export interface Rack {
  readonly id: string
  /** Where power is budgeted above the rack; `null` where nobody says. */
  readonly row: string | null
  readonly feed: string | null
  readonly power: Watts
  readonly cooling: Cooling
  readonly cooled: Watts
}

/**
 * The most that a kind of cooling carries from one rack, for racks whose own limit is not stated. Ceilings of the trade, not
 * of physics: air about 30 kW, cold plates as far as racks are built today, 142 kW (GB300 NVL72).
 *
 * Sources: factryze.ai/scale-atlas/power/dlc-watts-per-rack (air 30 kW, HGX with cold plates 60 kW, NVL72 120 kW);
 * manishklach.github.io/writings/blackwell-gb300-nvl72-cooling-stack.html (142 kW). Rear doors: between the two, taken as 60 kW.
 */
export const coolingCeiling: Readonly<Record<Cooling, Watts>> = {
  air: watts(30_000),
  'rear-door': watts(60_000),
  liquid: watts(142_000),
}

/** Racks as they are built, from an office's to the densest of today; same sources as the ceilings. */
export const densities = [
  { name: 'enterprise', watts: watts(5000), cooling: 'air' },
  { name: 'air-cooled GPU', watts: watts(30_000), cooling: 'air' },
  { name: 'HGX with cold plates', watts: watts(60_000), cooling: 'liquid' },
  { name: 'GB200 NVL72', watts: watts(120_000), cooling: 'liquid' },
  { name: 'GB300 NVL72', watts: watts(142_000), cooling: 'liquid' },
] as const satisfies readonly { readonly name: string; readonly watts: Watts; readonly cooling: Cooling }[]

/** Watts that a rack can run at. */
export const usable = ({ power, cooled }: Rack): Watts => watts(Math.min(power, cooled))

/**
 * A node's share of a GPU that works at full power: the board's TDP and its part of host, fans and power supplies.
 *
 * Whole systems drew 1.18 to 1.30 times the TDP of their GPUs (MLPerf Inference v5.1, Lenovo 8×B200: 9.4 to 10.4 kW); the
 * upper end is reserved. `undefined`: the chip's TDP is unknown and has to be stated.
 */
export function nameplate(chip: ChipCard): Watts | undefined {
  const range = powerRange(chip)
  return range && watts(1.3 * range.full)
}
