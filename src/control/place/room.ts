import { EMPTY } from './cells.ts'
import { atStake, type Clearance, clearances, moveOnto } from './clearance.ts'
import { powerVeto, type Veto, vetoes } from './constraints.ts'
import type { Inventory, Occupant } from './inventory.ts'
import { type MoveCost, moveCost } from './move-cost.ts'
import { demandOf, type ShapeRefused } from './offers.ts'
import { sloRate } from './rate.ts'
import type { Shape, Wanted } from './workload.ts'

/** Room made for a replica: who moved where, who had to go, and what it costs. */
export interface Room {
  readonly shape: Shape
  readonly tokens_s: number
  readonly from: 'stated' | 'estimated'
  readonly entered: Occupant
  readonly moved: readonly { readonly who: Occupant; readonly to: Occupant; readonly cost: MoveCost }[]
  readonly evicted: readonly Occupant[]
  /** Once, for the moves. */
  readonly usd: number
  /** What those evicted earned in an hour. */
  readonly usd_hour: number
}

/** Places looked into, the least at stake first: the rest cost more by construction. */
const TRIES = 24

/** A replica that displaces others is taken to stay this long: within it, moves must pay. */
export const HORIZON_HOURS = 24

/**
 * Makes room for a replica that found none: the place in whose way the least is at stake is cleared. Those in the way are
 * put elsewhere, or, when there is nowhere and they are worth less, evicted. Done on the inventory when it pays, and undone
 * when it does not.
 */
export function makeRoom(
  inventory: Inventory,
  wanted: Wanted,
  replica: string,
  refused: readonly ShapeRefused[],
  forbidden: readonly (Veto | null)[],
): Room | undefined {
  const stake = (who: Occupant): number => (mayGo(wanted)(who) ? who.usd_hour : Number.POSITIVE_INFINITY)
  const able = wanted.shapes.filter((shape) => !refused.some((one) => one.shape === shape) && shape.on !== 'hosted')
  for (const shape of able) {
    const demand = demandOf(shape)
    if (!demand || (shape.on === 'gpu' && shape.stages > 1)) continue // stages are not worth displacing several
    const places = inventory.cluster.nodes.flatMap((node, at) =>
      forbidden[at] === null && (!demand.chips || demand.chips.includes(node.chip?.id ?? ''))
        ? clearances(inventory, demand, at, stake)
        : [],
    )
    const possible = places
      .filter(({ short, who }) => short.cpu_milli === 0 && short.memory_mib === 0 && who.every(mayGo(wanted)))
      .sort((a, b) => atStake(a) - atStake(b) || a.who.length - b.who.length)
    for (const place of possible.slice(0, TRIES)) {
      const room = clear(inventory, wanted, replica, shape, place)
      if (room) return room
    }
  }
  return undefined
}

/** Those that this plan has placed stay; of the others who may move may, and who is worth less may be evicted. */
const mayGo =
  (wanted: Wanted) =>
  ({ standing, settled, usd_hour }: Occupant): boolean =>
    standing !== null && !settled && (standing.movable || (standing.preemptible && usd_hour < wanted.usd_hour))

function clear(
  inventory: Inventory,
  wanted: Wanted,
  replica: string,
  shape: Shape,
  place: Clearance,
): Room | undefined {
  const demand = demandOf(shape)
  const rate = sloRate(wanted, shape)
  if (!demand || !rate.known) return undefined
  for (const one of place.who) inventory.leave(one)
  const fresh = place.gpus.filter((gpu) => inventory.placer.gpus(place.node)[gpu] === EMPTY).length
  const dark = powerVeto(inventory, place.node, fresh)
  const entered = dark
    ? undefined
    : inventory.enter(
        {
          replica,
          deployment: wanted.deployment,
          tenant: wanted.tenant,
          demand,
          usd_hour: wanted.usd_hour,
          standing: null,
          settled: true,
        },
        place.node,
        moveOnto(inventory, demand, place),
      )
  const done = entered && rehouse(inventory, wanted, place.who)
  const usd_hour = (done?.evicted ?? []).reduce((sum, one) => sum + one.usd_hour, 0)
  const usd = (done?.moved ?? []).reduce((sum, one) => sum + (one.cost.usd ?? 0), 0)
  const pays = done?.whole === true && (wanted.usd_hour - usd_hour) * HORIZON_HOURS > usd
  if (entered && done && pays)
    return {
      shape,
      tokens_s: rate.tokens_s,
      from: rate.from,
      entered,
      moved: done.moved,
      evicted: done.evicted,
      usd,
      usd_hour,
    }
  for (const { to } of done?.moved.toReversed() ?? []) inventory.leave(to)
  if (entered) inventory.leave(entered)
  for (const one of place.who) inventory.restore(one)
  return undefined
}

interface Rehoused {
  readonly moved: Room['moved']
  readonly evicted: readonly Occupant[]
  /** Everyone found a place or may be evicted. */
  readonly whole: boolean
}

/** New places for those who were displaced, the most valuable first. */
function rehouse(inventory: Inventory, wanted: Wanted, who: readonly Occupant[]): Rehoused {
  const moved: Room['moved'][number][] = []
  const evicted: Occupant[] = []
  for (const one of who.toSorted((a, b) => b.usd_hour - a.usd_hour)) {
    const to = one.standing?.movable ? settle(inventory, one) : undefined
    if (to) moved.push({ who: one, to, cost: moveCost(inventory, one, to) })
    else if (one.standing?.preemptible && one.usd_hour < wanted.usd_hour) evicted.push(one)
    else return { moved, evicted, whole: false }
  }
  return { moved, evicted, whole: true }
}

/** The best place that a replica may have on chips like its own. */
function settle(inventory: Inventory, who: Occupant): Occupant | undefined {
  const chip = inventory.node(who.node).chip?.id
  const demand = { ...who.demand, chips: chip === undefined ? null : [chip] }
  const forbidden = vetoes(inventory, { ...who, spread: inventory.spreads.get(who.deployment) ?? 'none' })
  const choice = inventory.placer.choose(demand, (node) => forbidden[node] === null)
  if (!choice) return undefined
  const { node, move } = choice
  if (powerVeto(inventory, node, move.from === EMPTY ? move.count : 0)) return undefined
  return inventory.enter({ ...who, settled: true }, node, move)
}
