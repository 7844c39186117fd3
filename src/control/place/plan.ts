import type { Cluster } from './cluster.ts'
import { fewestGpus, maximalContents } from './cover.ts'
import { type Decision, type Location, POLICY, type Weighed, weighedOf, whyRefused, whyTaken } from './decision.ts'
import type { Expected } from './demand.ts'
import { Inventory, type Occupant } from './inventory.ts'
import { locationOf, saidOfLocation } from './location.ts'
import { demandOf, type Offer, offersFor } from './offers.ts'
import type { OutlookConfig } from './outlook.ts'
import { refusalOf } from './refusal.ts'
import { commands, type GpuCommands, movedOf, type Repartition, repartitions } from './repartition.ts'
import { makeRoom, type Room } from './room.ts'
import { shapeName, type Wanted } from './workload.ts'

/** What is to be done, with every decision's reasons. Plain data: the same inputs give the same plan. */
export interface Plan {
  readonly policy: string
  /** Hash of cluster, workload and configuration, by whoever made the plan. */
  readonly inputs: string
  readonly site: string
  readonly at_ms: number
  readonly decisions: readonly Decision[]
  readonly repartitions: readonly Repartition[]
  readonly commands: readonly GpuCommands[]
  readonly totals: Totals
  readonly notes: readonly string[]
}

export interface Totals {
  readonly replicas_placed: number
  readonly replicas_refused: number
  readonly gpus: number
  readonly gpus_used: number
  /** GPUs that hold MIG slices, and the fewest that could hold them. */
  readonly gpus_cut: number
  readonly gpus_cut_least: number
  /** Thousandths of GPUs held, of all. */
  readonly allocated_pct: number
}

/**
 * First what runs is moved together where that pays. Then what is wanted and not yet there is placed, the most valuable
 * first: at the cheapest offer per token within the objective; where there is none, by moving or evicting who is worth
 * less; else not at all, with the reasons.
 */
export function plan(cluster: Cluster, workload: readonly Wanted[], config: OutlookConfig, inputs: string): Plan {
  const inventory = new Inventory(cluster, expectedOf(cluster, workload), config, workload)
  const moved = repartitions(inventory)
  const decisions = workload
    .toSorted((a, b) => b.usd_hour - a.usd_hour)
    .flatMap((wanted) => placeAll(inventory, wanted, missing(cluster, wanted)))
  return {
    policy: POLICY,
    inputs,
    site: cluster.site,
    at_ms: cluster.at_ms,
    decisions,
    repartitions: moved,
    commands: commands(inventory),
    totals: totalsOf(inventory, decisions),
    notes: notesOf(cluster, workload),
  }
}

/** What is expected to come is what there is: shapes that are wanted, by how many replicas want them, and what runs. */
function expectedOf(cluster: Cluster, workload: readonly Wanted[]): Expected[] {
  const wanted = workload.flatMap(({ shapes, replicas }) =>
    shapes.flatMap((shape): Expected[] => {
      const demand = demandOf(shape)
      return demand && replicas > 0 ? [{ demand, frequency: replicas / shapes.length }] : []
    }),
  )
  const chipOf = new Map(cluster.nodes.map(({ id, chip }) => [id, chip?.id]))
  const standing = cluster.standing.map(({ node, need, cpu_milli, memory_mib }): Expected => {
    const chip = chipOf.get(node)
    return { demand: { cpu_milli, memory_mib, gpu: need, chips: chip === undefined ? null : [chip] }, frequency: 1 }
  })
  return [...wanted, ...standing]
}

/** Names of the replicas that are wanted and do not run. */
function missing(cluster: Cluster, { deployment, replicas }: Wanted): string[] {
  const there = new Set(cluster.standing.filter((one) => one.deployment === deployment).map(({ replica }) => replica))
  const names: string[] = []
  for (let number = 1; there.size + names.length < replicas; number++)
    if (!there.has(`${deployment}-${number}`)) names.push(`${deployment}-${number}`)
  return names
}

/** Places the replicas of a deployment; a gang stands as a whole or not at all. */
function placeAll(inventory: Inventory, wanted: Wanted, replicas: readonly string[]): Decision[] {
  const done: { readonly decision: Decision; readonly entered: readonly Occupant[] }[] = []
  for (const replica of replicas) {
    const last = done.at(-1)
    // After a refusal nothing has changed: the next of the same deployment would be refused for the same reasons.
    const one =
      last?.decision.verdict === 'refused'
        ? { decision: { ...last.decision, replica }, entered: [] }
        : placeOne(inventory, wanted, replica)
    done.push(one)
    if (one.decision.verdict === 'placed' || !wanted.gang) continue
    for (const { entered } of done) for (const part of entered) inventory.leave(part)
    const short = `the gang needs ${replicas.length} places, ${done.length - 1} were found`
    return replicas.map((name) => ({ ...one.decision, replica: name, because: [short, ...one.decision.because] }))
  }
  return done.map(({ decision }) => decision)
}

function placeOne(
  inventory: Inventory,
  wanted: Wanted,
  replica: string,
): { readonly decision: Decision; readonly entered: readonly Occupant[] } {
  const found = offersFor(inventory, wanted)
  const nodeOf = (at: number): string => inventory.node(at).id
  const about = {
    replica,
    deployment: wanted.deployment,
    tenant: wanted.tenant,
    weighed: found.offers.map((offer) => weighedOf(offer, nodeOf)),
  }
  const [best] = found.offers
  if (best) {
    const entered = enterAll(inventory, wanted, replica, best)
    const on = entered.map((one) => locationOf(inventory, one))
    return { decision: placed(about, best, on, whyTaken(found.offers)), entered }
  }
  // A gang that has to displace others would have to be undone with them: it waits for room of its own.
  const room = wanted.gang ? undefined : makeRoom(inventory, wanted, replica, found.refused, found.vetoes)
  if (room) return { decision: displacing(inventory, about, room), entered: [room.entered] }
  const why = refusalOf(inventory, wanted, found)
  return { decision: { ...about, verdict: 'refused', refusal: why, because: whyRefused(why) }, entered: [] }
}

function enterAll(
  inventory: Inventory,
  { deployment, tenant, usd_hour }: Wanted,
  replica: string,
  { shape, parts }: Offer,
): Occupant[] {
  const demand = demandOf(shape)
  return demand
    ? parts.map(({ node, move }) =>
        inventory.enter(
          { replica, deployment, tenant, demand, usd_hour: usd_hour / parts.length, standing: null, settled: true },
          node,
          move,
        ),
      )
    : []
}

type About = Pick<Decision, 'replica' | 'deployment' | 'tenant'> & { readonly weighed: readonly Weighed[] }

const placed = (
  about: About,
  { shape, rate, usd_million }: Offer,
  on: readonly Location[],
  because: readonly string[],
): Decision => ({
  ...about,
  verdict: 'placed',
  shape: shapeName(shape),
  on,
  tokens_s: rate.tokens_s,
  usd_million,
  displaced: null,
  because,
})

function displacing(inventory: Inventory, about: About, room: Room): Decision {
  const moved = room.moved.map(({ who, to, cost }) => movedOf(inventory, who, to, cost))
  const evicted = room.evicted.map((one) => ({
    replica: one.replica,
    from: saidOfLocation(locationOf(inventory, one)),
    usd_hour: one.usd_hour,
  }))
  return {
    ...about,
    verdict: 'placed',
    shape: shapeName(room.shape),
    on: [locationOf(inventory, room.entered)],
    tokens_s: room.tokens_s,
    usd_million: null,
    displaced: { moved, evicted, usd: room.usd },
    because: [
      'no place was free; room was made where the least is at stake',
      ...moved.map(
        ({ replica, to, usd }) =>
          `${replica} moves to ${saidOfLocation(to)}${usd === null ? '' : ` for $${usd.toFixed(2)}`}`,
      ),
      ...evicted.map(
        ({ replica, usd_hour }) =>
          `${replica} is evicted: it earns $${usd_hour.toFixed(2)} an hour, less than what takes its place`,
      ),
    ],
  }
}

function totalsOf(inventory: Inventory, decisions: readonly Decision[]): Totals {
  const { nodes } = inventory.cluster
  const gpus = nodes.reduce((sum, node) => sum + node.gpus, 0)
  const cut = inventory.placer.classes.flatMap(({ grid }) => {
    if (!grid) return []
    const held = [...inventory.occupants].filter((one) => one.slice !== null && inventory.class(one.node).grid === grid)
    const counts = grid.slices.map((starts) => held.filter(({ slice }) => starts.includes(slice ?? -1)).length)
    const used = new Set(held.map(({ node, gpus: [gpu] }) => `${node} ${gpu}`)).size
    return [{ used, least: fewestGpus(maximalContents(grid), counts) }]
  })
  const held = [...inventory.occupants].reduce((sum, one) => sum + inventory.size(one.demand.gpu, one.node), 0)
  return {
    replicas_placed: decisions.filter(({ verdict }) => verdict === 'placed').length,
    replicas_refused: decisions.filter(({ verdict }) => verdict === 'refused').length,
    gpus,
    gpus_used: nodes.reduce((sum, _, at) => sum + inventory.usedGpus(at), 0),
    gpus_cut: cut.reduce((sum, one) => sum + one.used, 0),
    gpus_cut_least: cut.reduce((sum, one) => sum + one.least, 0),
    allocated_pct: gpus > 0 ? (100 * held) / gpus : 0,
  }
}

/** What the plan rests on and does not know. */
function notesOf(cluster: Cluster, workload: readonly Wanted[]): string[] {
  const chips = [
    ...new Map(cluster.nodes.flatMap((node) => (node.chip ? [[node.chip.id, node] as const] : []))).values(),
  ]
  const surplus = workload.flatMap(({ deployment, replicas }) => {
    const there = cluster.standing.filter((one) => one.deployment === deployment).length
    return there > replicas
      ? [`${deployment} runs ${there} times, ${replicas} are wanted: nothing is stopped by this plan`]
      : []
  })
  return [
    ...chips.flatMap(({ chip, gpuCost }) =>
      gpuCost === null
        ? [`nobody states what a ${chip?.id} costs: its offers come last`]
        : gpuCost.from === 'catalogue'
          ? [
              `cost of ${chip?.id}: $${gpuCost.usd_hour} an hour, the lowest public price in the catalogue; state usd_per_gpu_hour`,
            ]
          : [],
    ),
    ...chips.flatMap(({ chip }) =>
      chip?.full === null ? [`power of ${chip.id} is unknown: racks count it as nothing`] : [],
    ),
    ...chips.flatMap(({ geometry }) =>
      geometry && !/^observed/.test(geometry.confidence)
        ? [`MIG geometry of ${geometry.model}: ${geometry.confidence}`]
        : [],
    ),
    ...surplus,
  ]
}
