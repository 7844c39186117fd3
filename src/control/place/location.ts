import type { Location } from './decision.ts'
import type { Inventory, Occupant } from './inventory.ts'

/** Where somebody stands, by the names of nodes and profiles. */
export function locationOf(inventory: Inventory, { node, gpus, slice }: Occupant): Location {
  const { id, rack } = inventory.node(node)
  const one = slice === null ? undefined : inventory.class(node).grid?.layouts.slices[slice]
  return { node: id, rack, gpus, profile: one?.profile.name ?? null, start: one?.start ?? null }
}

/** `n3 GPU 4, slots from 4 (3g.71gb)` */
export const saidOfLocation = ({ node, gpus, profile, start }: Location): string =>
  `${node}${gpus.length > 0 ? ` GPU ${gpus.join(', ')}` : ''}${profile === null ? '' : `, ${profile} at slot ${start}`}`
