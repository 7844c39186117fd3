import { atStake, type Clearance, clearances } from './clearance.ts'
import { powerVeto, saidOf, type Veto } from './constraints.ts'
import type { Inventory, Occupant } from './inventory.ts'
import { usualMove } from './move-cost.ts'
import { demandOf, type Offers } from './offers.ts'
import { type Shape, shapeName, type Wanted } from './workload.ts'

/** Why a replica has no place: rules that spoke against shapes and nodes, and the places that came nearest. */
export interface Refusal {
  readonly shapes: readonly { readonly shape: string; readonly why: string }[]
  /** Nodes that a rule forbids, by the rule. */
  readonly nodes: readonly { readonly why: string; readonly nodes: readonly string[] }[]
  readonly nearest: readonly NearMiss[]
}

/** A place that somebody holds. */
export interface NearMiss {
  readonly shape: string
  readonly node: string
  readonly gpus: readonly number[]
  /** Memory slots that a slice would take, from … to. */
  readonly slots: readonly [from: number, to: number] | null
  readonly heldBy: readonly Holder[]
  readonly short: Clearance['short']
}

export interface Holder {
  readonly replica: string
  readonly tenant: string
  /** When it ends by itself; `null`: it stays. */
  readonly freed_ms: number | null
  /** Cost to move it; `null`: it may not be moved, or nobody states what GPUs cost. */
  readonly move_usd: number | null
  readonly movable: boolean
}

/** Near misses shown: more would not be read. */
const SHOWN = 3

export function refusalOf(inventory: Inventory, wanted: Wanted, { refused, vetoes }: Offers): Refusal {
  const able = wanted.shapes.filter((shape) => !refused.some((one) => one.shape === shape))
  const forbidden = new Map<string, string[]>()
  const candidate = (shape: Shape, at: number): boolean =>
    !('chip' in shape) || inventory.node(at).chip?.id === shape.chip
  const misses = able.flatMap((shape) => {
    const demand = demandOf(shape)
    return inventory.cluster.nodes.flatMap(({ id }, at) => {
      if (!demand || !candidate(shape, at)) return []
      const places = clearances(inventory, demand, at)
      const veto = (vetoes[at] ?? null) || darkness(inventory, shape, places, at)
      if (veto) {
        const why = saidOf(veto)
        forbidden.set(why, [...new Set([...(forbidden.get(why) ?? []), id])])
        return []
      }
      return places.slice(0, 1).map((place) => ({ shape, place }))
    })
  })
  const nearest = misses
    .sort((a, b) => a.place.short.cpu_milli - b.place.short.cpu_milli || atStake(a.place) - atStake(b.place))
    .slice(0, SHOWN)
    .map(({ shape, place }) => missOf(inventory, shape, place))
  return {
    shapes: refused.map(({ shape, why }) => ({ shape: shapeName(shape), why })),
    nodes: [...forbidden].map(([why, nodes]) => ({ why, nodes })),
    nearest,
  }
}

/** Nobody is in the way, and still it was not taken: then the rack lacks the power. */
function darkness(inventory: Inventory, shape: Shape, [first]: readonly Clearance[], node: number): Veto | null {
  if (!first || first.who.length > 0 || first.short.cpu_milli > 0 || first.short.memory_mib > 0) return null
  return powerVeto(inventory, node, shape.on === 'gpu' ? shape.gpus : first.gpus.length)
}

function missOf(inventory: Inventory, shape: Shape, { node, gpus, slice, who, short }: Clearance): NearMiss {
  const one = slice === null ? undefined : inventory.class(node).grid?.layouts.slices[slice]
  return {
    shape: shapeName(shape),
    node: inventory.node(node).id,
    gpus,
    slots: one ? [one.start, one.start + one.profile.memorySlices - 1] : null,
    heldBy: who.map((holder) => holderOf(inventory, holder)),
    short,
  }
}

const holderOf = (inventory: Inventory, who: Occupant): Holder => {
  const movable = who.standing?.movable ?? false
  return {
    replica: who.replica,
    tenant: who.tenant,
    freed_ms: who.standing?.until_ms ?? null,
    move_usd: movable ? usualMove(inventory, who).usd : null,
    movable,
  }
}

/** A refusal in sentences, the nearest place first. */
export function saidOfRefusal({ shapes, nodes, nearest }: Refusal): string[] {
  return [
    ...nearest.map((miss) => {
      const where = `${miss.shape}: ${miss.node}${miss.gpus.length > 0 ? ` GPU ${miss.gpus.join(', ')}` : ''}`
      const what = miss.slots
        ? `${slotsSaid(miss.slots)} ${miss.slots[0] === miss.slots[1] ? 'is' : 'are'} held by`
        : 'is held by'
      const held = miss.heldBy.length > 0 ? ` ${what} ${miss.heldBy.map(holderSaid).join(', ')}` : ''
      return `${where}${held}${shortSaid(miss.short, miss.heldBy.length > 0)}`
    }),
    ...nodes.map(
      ({ why, nodes: ids }) =>
        `${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}: ${why}`,
    ),
    ...shapes.map(({ shape, why }) => `${shape}: ${why}`),
  ]
}

const slotsSaid = ([from, to]: readonly [number, number]): string =>
  from === to ? `slot ${from}` : `slots ${from} to ${to}`

function holderSaid({ replica, freed_ms, move_usd, movable }: Holder): string {
  const freed = freed_ms === null ? 'stays' : `freed at ${new Date(freed_ms).toISOString()}`
  const move = !movable
    ? 'may not be moved'
    : move_usd === null
      ? 'cost to move unknown'
      : `cost to move $${move_usd.toFixed(2)}`
  return `${replica} (${freed}; ${move})`
}

function shortSaid({ cpu_milli, memory_mib }: Clearance['short'], also: boolean): string {
  const lacks = [
    ...(cpu_milli > 0 ? [`${cpu_milli / 1000} cores`] : []),
    ...(memory_mib > 0 ? [`${memory_mib} MiB of memory`] : []),
  ]
  return lacks.length > 0 ? `${also ? ', and' : ''} lacks ${lacks.join(' and ')}` : ''
}
