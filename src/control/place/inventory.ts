import { withoutMedia } from '../../plant/chips/mig/geometry.ts'
import { layoutsOf } from '../../plant/chips/mig/layouts.ts'
import { nameplate, usable } from '../../plant/infrastructure/rack.ts'
import { assert } from '../../units/assert.ts'
import { FieldError } from '../../units/field.ts'
import { type Cell, EMPTY, FULL, type Grid, gridOf, sliceBetween, withoutSlice, withSlice } from './cells.ts'
import type { Cluster, ClusterNode, Standing } from './cluster.ts'
import type { Demand, Expected, GpuNeed } from './demand.ts'
import type { Move, NodeClass } from './kind.ts'
import { type OutlookConfig, outlook } from './outlook.ts'
import { Placer } from './placer.ts'
import type { Wanted } from './workload.ts'

/** Whoever holds a part of a node: a replica that runs, or one that this plan has placed. */
export interface Occupant {
  readonly replica: string
  readonly deployment: string
  readonly tenant: string
  /** Index of the node. */
  readonly node: number
  readonly gpus: readonly number[]
  readonly demand: Demand
  /** Index of the MIG slice on its GPU; `null` when it holds none. */
  readonly slice: number | null
  readonly usd_hour: number
  /** The replica as it ran when the plan was made; `null`: placed by the plan. */
  readonly standing: Standing | null
  /** The plan has decided on it: it is not moved or evicted a second time. */
  readonly settled: boolean
}

/** Nodes, what is left on them, and who holds the rest. Mutable: the plan tries things on it. */
export class Inventory {
  readonly cluster: Cluster
  readonly placer: Placer
  readonly occupants = new Set<Occupant>()
  private readonly byNode: Set<Occupant>[]
  private readonly classOf: number[]

  /** Which replicas must not be together, by deployment. */
  readonly spreads: ReadonlyMap<string, Wanted['spread']>

  constructor(cluster: Cluster, expected: readonly Expected[], config: OutlookConfig, wanted: readonly Wanted[] = []) {
    this.cluster = cluster
    this.spreads = new Map(wanted.map(({ deployment, spread }) => [deployment, spread]))
    const media = [...cluster.standing.map(({ need }) => need), ...expected.map(({ demand }) => demand.gpu)].some(
      (need) => need.kind === 'slice' && need.profile.includes('+me'),
    )
    const classes: NodeClass[] = []
    this.classOf = cluster.nodes.map((node) => classIndex(classes, node, media))
    const rooms = cluster.nodes.map(({ cpu_milli, memory_mib }, at) => ({
      inClass: this.classOf[at] as number,
      cpu_milli,
      memory_mib,
    }))
    this.placer = new Placer(classes, rooms, outlook(expected, classes, config))
    this.byNode = cluster.nodes.map(() => new Set())
    cluster.standing.forEach((one, at) => {
      this.admit(one, at)
    })
  }

  node(at: number): ClusterNode {
    return this.cluster.nodes[at] as ClusterNode
  }

  class(at: number): NodeClass {
    return this.placer.classes[this.classOf[at] as number] as NodeClass
  }

  on(node: number): ReadonlySet<Occupant> {
    return this.byNode[node] as Set<Occupant>
  }

  /** Puts a replica where it was chosen to go. */
  enter(who: Omit<Occupant, 'gpus' | 'slice' | 'node'>, node: number, move: Move): Occupant {
    const { gpus } = this.placer.take(who.demand, { node, move })
    const { grid } = this.class(node)
    const slice = who.demand.gpu.kind === 'slice' && grid ? (sliceBetween(grid, move.from, move.to) ?? null) : null
    return this.note({ ...who, node, gpus, slice })
  }

  /** Puts a replica onto the GPUs that it names. */
  restore(who: Occupant): void {
    const [first] = who.gpus
    const to = first === undefined ? EMPTY : this.with(who, this.placer.gpus(who.node)[first] as Cell)
    assert(to !== undefined, `${who.replica} fits where it was`)
    this.placer.takeGpus(who.demand, who.node, who.gpus, to)
    this.note(who)
  }

  leave(who: Occupant): void {
    const cells = this.placer.gpus(who.node)
    this.placer.release(
      who.demand,
      who.node,
      who.gpus,
      who.gpus.map((gpu) => this.without(who, cells[gpu] as Cell)),
    )
    this.occupants.delete(who)
    this.byNode[who.node]?.delete(who)
  }

  /** GPUs of a node that somebody holds a part of. */
  usedGpus(node: number): number {
    return this.placer.gpus(node).reduce((sum, cell) => sum + (cell === EMPTY ? 0 : 1), 0)
  }

  /** Watts that a rack has left when every GPU in use works at full power; `null`: no rack, or no limit. */
  headroom(node: number): { readonly watts: number; readonly rack: string } | null {
    const rack = this.cluster.racks.find((one) => one.id === this.node(node).rack)
    if (!rack) return null
    const drawn = this.cluster.nodes.reduce(
      (sum, one, at) => sum + (one.rack === rack.id ? this.usedGpus(at) * this.gpuWatts(at) : 0),
      0,
    )
    return { watts: usable(rack) - drawn, rack: rack.id }
  }

  /** What one GPU in use reserves; 0 where its power is unknown. */
  gpuWatts(node: number): number {
    const { chip } = this.node(node)
    return (chip && nameplate(chip)) ?? 0
  }

  /** GPUs that a tenant holds, slices and shares by their size. */
  heldBy(tenant: string): number {
    return [...this.occupants]
      .filter((one) => one.tenant === tenant)
      .reduce((sum, one) => sum + this.size(one.demand.gpu, one.node), 0)
  }

  /** GPUs that a need takes on a node. */
  size(need: GpuNeed, node: number): number {
    if (need.kind === 'none') return 0
    if (need.kind === 'whole') return need.gpus
    if (need.kind === 'share') return need.milli / 1000
    const { grid } = this.class(node)
    return (grid?.weight[grid.profiles.indexOf(need.profile)] ?? 0) / 1000
  }

  private note(who: Occupant): Occupant {
    this.occupants.add(who)
    this.byNode[who.node]?.add(who)
    return who
  }

  /** The state of a GPU with this replica on it; undefined when it does not fit there. */
  private with({ demand: { gpu }, slice, node }: Occupant, cell: Cell): Cell | undefined {
    if (gpu.kind === 'share') return cell <= EMPTY && cell >= gpu.milli ? cell - gpu.milli : undefined
    const { grid } = this.class(node)
    if (gpu.kind === 'slice') return grid && withSlice(grid, cell, slice ?? -1)
    return cell === EMPTY ? FULL : undefined
  }

  private without({ demand: { gpu }, slice, node }: Occupant, cell: Cell): Cell {
    if (gpu.kind === 'share') return cell + gpu.milli
    const { grid } = this.class(node)
    return gpu.kind === 'slice' && grid ? (withoutSlice(grid, cell, slice ?? -1) ?? EMPTY) : EMPTY
  }

  /** Takes in a replica that runs; what cannot be so is told by its place in the file. */
  private admit(one: Standing, at: number): void {
    const fail = (why: string): never => {
      throw new FieldError(`standing[${at}]: ${one.replica} ${why}`, ['standing', at])
    }
    const node = this.cluster.nodes.findIndex(({ id }) => id === one.node)
    if (node < 0) fail(`runs on ${one.node}, which is no node`)
    const { grid } = this.class(node)
    const { need } = one
    const slice = need.kind === 'slice' ? (grid ? sliceAt(grid, need.profile, one.start) : -1) : null
    if (slice === -1)
      fail(`has a ${need.kind === 'slice' ? need.profile : ''} at slot ${one.start}, which ${one.node} cannot have`)
    const demand: Demand = { cpu_milli: one.cpu_milli, memory_mib: one.memory_mib, gpu: need, chips: null }
    const { replica, deployment, tenant, gpus, usd_hour } = one
    const who: Occupant = {
      replica,
      deployment,
      tenant,
      node,
      gpus,
      demand,
      slice,
      usd_hour,
      standing: one,
      settled: false,
    }
    const cells = this.placer.gpus(node)
    const expected = need.kind === 'whole' ? need.gpus : need.kind === 'none' ? 0 : 1
    if (gpus.length !== expected) fail(`names ${gpus.length} GPUs and takes ${expected}`)
    for (const gpu of gpus) {
      if (gpu >= cells.length) fail(`runs on GPU ${gpu} of ${one.node}, which has ${cells.length}`)
      if (need.kind !== 'slice' && this.node(node).migMode.has(gpu))
        fail(`runs uncut on GPU ${gpu} of ${one.node}, where MIG mode is on`)
      if (this.with(who, cells[gpu] as Cell) === undefined)
        fail(`does not fit on GPU ${gpu} of ${one.node} beside what stands there`)
    }
    const { cpu_milli, memory_mib } = this.left(node)
    if (cpu_milli < one.cpu_milli) fail(`needs ${one.cpu_milli / 1000} cores, ${one.node} has ${cpu_milli / 1000} left`)
    if (memory_mib < one.memory_mib) fail(`needs ${one.memory_mib} MiB, ${one.node} has ${memory_mib} left`)
    this.restore(who)
  }

  /** CPU and memory that nobody holds. */
  left(node: number): { readonly cpu_milli: number; readonly memory_mib: number } {
    return this.placer.left(node)
  }
}

/** One class for nodes of one chip, number and geometry. */
function classIndex(classes: NodeClass[], { chip, gpus, geometry }: ClusterNode, media: boolean): number {
  const layouts = geometry && layoutsOf(media ? geometry : withoutMedia(geometry))
  const grid = layouts ? gridOf(layouts) : undefined
  const name = chip?.id ?? ''
  const held = classes.findIndex((one) => one.chip === name && one.gpus === gpus && one.grid === grid)
  return held >= 0 ? held : classes.push({ chip: name, gpus, grid }) - 1
}

const sliceAt = ({ layouts }: Grid, profile: string, start: number | null): number =>
  layouts.slices.findIndex((one) => one.profile.name === profile && one.start === start)
