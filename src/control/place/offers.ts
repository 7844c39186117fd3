import { tensorParallelLimit } from '../../plant/infrastructure/fabric.ts'
import { EMPTY } from './cells.ts'
import type { ClusterNode } from './cluster.ts'
import { powerVeto, quotaLeft, type Veto, vetoes } from './constraints.ts'
import type { Demand, GpuNeed } from './demand.ts'
import type { Inventory, Occupant } from './inventory.ts'
import type { Move } from './kind.ts'
import { type Rate, sloRate } from './rate.ts'
import { type Shape, shapeName, type Wanted } from './workload.ts'

/** A place that a replica could have, and its price. Stages of a pipeline are several parts. */
export interface Offer {
  readonly shape: Shape
  readonly rate: Extract<Rate, { known: true }>
  readonly parts: readonly Part[]
  /** Hourly cost of what it holds; `null`: nobody states one. */
  readonly usd_hour: number | null
  /** Hourly cost of the GPUs that others will not be able to use because of it. */
  readonly lost_usd_hour: number
  /** Cost of a million output tokens within the objective, both costs counted; `null` when the cost is unknown. */
  readonly usd_million: number | null
}

export interface Part {
  readonly node: number
  readonly move: Move
  readonly lost: number
}

/** Why a shape is out of the question, before any node is looked at. */
export interface ShapeRefused {
  readonly shape: Shape
  readonly why: string
}

export interface Offers {
  /** The cheapest per token first. */
  readonly offers: readonly Offer[]
  readonly refused: readonly ShapeRefused[]
  /** By node, what forbids it to this replica. */
  readonly vetoes: readonly (Veto | null)[]
}

export const needOf = (shape: Shape): GpuNeed => {
  if (shape.on === 'gpu') return { kind: 'whole', gpus: shape.gpus }
  if (shape.on === 'slice') return { kind: 'slice', profile: shape.profile }
  return shape.on === 'share' ? { kind: 'share', milli: shape.milli } : { kind: 'none' }
}

/** What one stage of a shape takes of a node; `null` for hosted engines, which take nothing of ours. */
export const demandOf = (shape: Shape): Demand | null =>
  shape.on === 'hosted'
    ? null
    : {
        cpu_milli: shape.cpu_milli,
        memory_mib: shape.memory_mib,
        gpu: needOf(shape),
        chips: 'chip' in shape ? [shape.chip] : null,
      }

/** Every shape with its best place at each price, cheapest per token that meets the objective first. */
export function offersFor(inventory: Inventory, wanted: Wanted): Offers {
  const forbidden = vetoes(inventory, wanted)
  const refused: ShapeRefused[] = []
  const offers = wanted.shapes.flatMap((shape) => {
    const broken = illegal(inventory, wanted, shape)
    const rate: Rate = broken === null ? sloRate(wanted, shape) : { known: false, why: broken }
    if (!rate.known) {
      refused.push({ shape, why: rate.why })
      return []
    }
    return shape.on === 'hosted'
      ? [hosted(shape, rate, shape.usdPerMillion)]
      : placesFor(inventory, shape, rate, forbidden)
  })
  const cost = (one: Offer): number => one.usd_million ?? Number.POSITIVE_INFINITY
  return {
    offers: offers.sort((a, b) => cost(a) - cost(b) || a.lost_usd_hour - b.lost_usd_hour),
    refused,
    vetoes: forbidden,
  }
}

/** Rules about the shape itself: groups within a scale-up domain, profiles that exist, the tenant's quota. */
function illegal(inventory: Inventory, { tenant }: Wanted, shape: Shape): string | null {
  if (shape.on === 'hosted' || shape.on === 'cpu') return null
  const able = inventory.cluster.nodes.filter(({ chip }) => chip?.id === shape.chip)
  const [first] = able
  if (!first?.chip) return `no node has ${shape.chip}`
  if (shape.on === 'gpu') {
    const domain = Math.max(...able.map((node) => node.gpus))
    if (shape.gpus > domain) return `no node has ${shape.gpus} ${shape.chip}; the most is ${domain}`
    const { most, why } = tensorParallelLimit(first.chip, domain)
    if (shape.gpus > most) return `no more than ${most} may share a model's layers: ${why}`
  }
  const need = needOf(shape)
  const node = inventory.cluster.nodes.indexOf(first)
  if (shape.on === 'slice' && inventory.size(need, node) === 0) return noProfile(inventory, node, shape.profile)
  const size = inventory.size(need, node) * (shape.on === 'gpu' ? shape.stages : 1)
  const left = quotaLeft(inventory, tenant)
  return size > left + 1e-9
    ? `quota: ${tenant} has ${Math.max(0, left).toFixed(2)} GPUs left, this takes ${size.toFixed(2)}`
    : null
}

function noProfile(inventory: Inventory, node: number, profile: string): string {
  const { grid, chip } = inventory.class(node)
  return grid
    ? `${chip} has no MIG profile ${profile}; it has ${grid.profiles.join(', ')}`
    : `where MIG instances may begin on ${chip} is not known: give the node's own listing`
}

function hosted(shape: Shape, rate: Offer['rate'], usdPerMillion: number): Offer {
  return { shape, rate, parts: [], usd_hour: null, lost_usd_hour: 0, usd_million: usdPerMillion }
}

/** Nodes that cost the same compete by what is lost; those that cost otherwise are offers of their own. */
function placesFor(
  inventory: Inventory,
  shape: Shape,
  rate: Offer['rate'],
  forbidden: readonly (Veto | null)[],
): Offer[] {
  const demand = demandOf(shape)
  if (!demand) return []
  const prices = new Map<number | null, Set<number>>()
  inventory.cluster.nodes.forEach((node, at) => {
    if (forbidden[at] !== null || (demand.chips && !demand.chips.includes(node.chip?.id ?? ''))) return
    const price = hourly(node, shape)
    prices.set(price, (prices.get(price) ?? new Set()).add(at))
  })
  return [...prices].flatMap(([price, nodes]) => {
    const parts = findParts(inventory, demand, shape.on === 'gpu' ? shape.stages : 1, nodes)
    return parts ? [priced(inventory, shape, rate, parts, price)] : []
  })
}

/** Cost of an hour of what a shape is counted in: GPUs, or cores where it needs none. */
const hourly = (node: ClusterNode, shape: Shape): number | null =>
  shape.on === 'cpu' ? node.coreUsdPerHour : (node.gpuCost?.usd_hour ?? null)

function priced(
  inventory: Inventory,
  shape: Shape,
  rate: Offer['rate'],
  parts: readonly Part[],
  price: number | null,
): Offer {
  const need = needOf(shape)
  const held = parts.reduce(
    (sum, { node }) => sum + (shape.on === 'cpu' ? shape.cpu_milli / 1000 : inventory.size(need, node)),
    0,
  )
  const lost = parts.reduce((sum, one) => sum + Math.max(0, one.lost) / 1000, 0)
  const usd_hour = price === null ? null : price * held
  const lost_usd_hour = shape.on === 'cpu' ? 0 : lost * (price ?? 0)
  return {
    shape,
    rate,
    parts,
    usd_hour,
    lost_usd_hour,
    usd_million: usd_hour === null ? null : ((usd_hour + lost_usd_hour) / (rate.tokens_s * 3600)) * 1e6,
  }
}

/**
 * Places for all stages, near each other: on one node, else in one rack, else anywhere on the same fabric. They are tried on
 * the inventory and taken back. A node whose rack has not the power is left out and the search goes on.
 */
function findParts(
  inventory: Inventory,
  demand: Demand,
  stages: number,
  nodes: ReadonlySet<number>,
): Part[] | undefined {
  const left = new Set(nodes)
  for (let start = 0; start < MOST_STARTS; start++) {
    const parts = tryParts(inventory, demand, stages, left)
    const [first] = parts
    if (parts.length === stages || !first) return first && parts
    left.delete(first.node)
  }
  return undefined
}

/** First nodes that are tried for a pipeline: a node without room or network beside it must not end the search. */
const MOST_STARTS = 16

function tryParts(inventory: Inventory, demand: Demand, stages: number, nodes: ReadonlySet<number>): Part[] {
  const parts: Part[] = []
  const tried: Occupant[] = []
  for (let stage = 0; stage < stages; stage++) {
    const part = nearest(inventory, demand, nodes, parts)
    if (!part) break
    parts.push(part)
    tried.push(inventory.enter(trial(demand), part.node, part.move))
  }
  for (const one of tried.toReversed()) inventory.leave(one)
  return parts
}

const trial = (demand: Demand) => ({
  replica: '',
  deployment: '',
  tenant: '',
  demand,
  usd_hour: 0,
  standing: null,
  settled: false,
})

function nearest(
  inventory: Inventory,
  demand: Demand,
  nodes: ReadonlySet<number>,
  parts: readonly Part[],
): Part | undefined {
  const [first] = parts
  if (!first) return powered(inventory, demand, (node) => nodes.has(node))
  const { rack, fabric } = inventory.node(first.node)
  const reached = (node: number): boolean => fabric !== null && inventory.node(node).fabric === fabric
  const near: readonly ((node: number) => boolean)[] = [
    (node) => node === first.node,
    (node) => reached(node) && rack !== null && inventory.node(node).rack === rack,
    reached,
  ]
  for (const close of near) {
    const part = powered(inventory, demand, (node) => nodes.has(node) && close(node))
    if (part) return part
  }
  return undefined
}

function powered(inventory: Inventory, demand: Demand, allowed: (node: number) => boolean): Part | undefined {
  const dark = new Set<number>()
  for (;;) {
    const choice = inventory.placer.choose(demand, (node) => !dark.has(node) && allowed(node))
    if (!choice) return undefined
    const { node, move } = choice
    const fresh = move.from === EMPTY ? move.count : 0
    if (!powerVeto(inventory, node, fresh)) return { node, move, lost: choice.lost + choice.scarcity }
    dark.add(node)
  }
}

/** The shape's name with its price, for a list of what was weighed. */
export const offerName = ({ shape, usd_million }: Offer): string =>
  `${shapeName(shape)}${usd_million === null ? '' : ` at $${usd_million.toFixed(3)}/M`}`
