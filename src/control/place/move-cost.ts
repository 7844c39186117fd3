import { loadTime, slotRate, warmUp } from '../../plant/infrastructure/storage.ts'
import { bytes, seconds } from '../../units/quantity.ts'
import type { Inventory, Occupant } from './inventory.ts'

/** What it takes to move a replica. */
export interface MoveCost {
  /** `null`: nobody states what the GPUs cost. */
  readonly usd: number | null
  readonly seconds: number
  /** It cannot serve at the new place before it has left the old one. */
  readonly interrupts: boolean
}

/**
 * Usually the replica is started anew before the old one drains: for that time it holds room twice, and that is the price.
 * When the new place overlaps the old one it has to stop first, and the price is what it would have earned.
 */
export function moveCost(
  inventory: Inventory,
  who: Occupant,
  to: { readonly node: number; readonly gpus: readonly number[] },
): MoveCost {
  const { drain_s, engineStart_s } = inventory.cluster.times
  const { chip, storage, weightsIn, gpuCost } = inventory.node(to.node)
  const size = inventory.size(who.demand.gpu, who.node)
  const stated = who.standing?.weight_bytes ?? null
  const weights = bytes(stated ?? size * (chip?.memory ?? 0))
  const load = chip ? loadTime(weights, weightsIn, storage, slotRate(chip), Math.max(1, to.gpus.length)) : seconds(0)
  const time = drain_s + warmUp(load, seconds(engineStart_s))
  const interrupts = who.node === to.node && to.gpus.some((gpu) => who.gpus.includes(gpu))
  const hourly = interrupts ? who.usd_hour : gpuCost && gpuCost.usd_hour * size
  return { usd: hourly === null ? null : (hourly * time) / 3600, seconds: time, interrupts }
}

/** What moving a replica anywhere would cost, for a list of who is in the way. */
export const usualMove = (inventory: Inventory, who: Occupant): MoveCost =>
  moveCost(inventory, who, { node: who.node, gpus: [] })
