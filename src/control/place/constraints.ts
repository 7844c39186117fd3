import type { Inventory } from './inventory.ts'
import type { Wanted } from './workload.ts'

/** Why a node may not take a replica, whatever is free on it; `null`: it may. */
export type Veto =
  | { readonly why: 'draining' }
  | { readonly why: 'reserved'; readonly tenant: string }
  | { readonly why: 'spread'; readonly beside: string }
  | { readonly why: 'power'; readonly rack: string; readonly left_w: number; readonly needs_w: number }

/** Rules that hold for nodes as a whole, by node. Power is asked for separately, since it hangs on which GPUs are taken. */
export function vetoes(
  inventory: Inventory,
  { tenant, deployment, spread }: Pick<Wanted, 'tenant' | 'deployment' | 'spread'>,
): (Veto | null)[] {
  const { nodes, reservations } = inventory.cluster
  const held = new Map<string, string[]>()
  for (const one of reservations) for (const id of one.nodes) held.set(id, [...(held.get(id) ?? []), one.tenant])
  const siblings = new Map<string, string>()
  const areaOf = (node: number): string => {
    const { id, rack } = inventory.node(node)
    return spread === 'rack' && rack !== null ? `rack ${rack}` : `node ${id}`
  }
  if (spread !== 'none')
    for (const one of inventory.occupants)
      if (one.deployment === deployment) siblings.set(areaOf(one.node), one.replica)
  return nodes.map(({ id, draining }, node): Veto | null => {
    if (draining) return { why: 'draining' }
    const holders = held.get(id)
    if (holders && !holders.includes(tenant)) return { why: 'reserved', tenant: holders.join(', ') }
    const beside = siblings.get(areaOf(node))
    return beside === undefined ? null : { why: 'spread', beside }
  })
}

/** Watts for GPUs that were idle before must be left in the rack. */
export function powerVeto(inventory: Inventory, node: number, freshGpus: number): Veto | null {
  const needs_w = freshGpus * inventory.gpuWatts(node)
  const room = needs_w > 0 ? inventory.headroom(node) : null
  if (!room || room.watts >= needs_w) return null
  return { why: 'power', rack: room.rack, left_w: Math.round(room.watts), needs_w: Math.round(needs_w) }
}

/** GPUs that a tenant's quota still allows; infinite without one. */
export function quotaLeft(inventory: Inventory, tenant: string): number {
  const quota = inventory.cluster.quotas.find((one) => one.tenant === tenant)
  return quota ? quota.gpus - inventory.heldBy(tenant) : Number.POSITIVE_INFINITY
}

/** A veto as people read it. */
export function saidOf(veto: Veto): string {
  switch (veto.why) {
    case 'draining':
      return 'draining'
    case 'reserved':
      return `reserved for ${veto.tenant}`
    case 'spread':
      return `${veto.beside} of the same deployment is there`
    case 'power':
      return `rack ${veto.rack} has ${veto.left_w} W left, ${veto.needs_w} W are needed`
  }
}
