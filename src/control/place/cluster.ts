import type { Accelerator } from '../../plant/chips/accelerator.ts'
import type { MigGeometry } from '../../plant/chips/mig/geometry.ts'
import type { Port } from '../../plant/infrastructure/fabric.ts'
import type { Rack } from '../../plant/infrastructure/rack.ts'
import type { Storage, Tier } from '../../plant/infrastructure/storage.ts'
import type { GpuNeed } from './demand.ts'

/** What stands and what runs on it, as a plan takes it: a snapshot, with the time it was taken. */
export interface Cluster {
  readonly site: string
  readonly at_ms: number
  readonly racks: readonly Rack[]
  readonly nodes: readonly ClusterNode[]
  readonly standing: readonly Standing[]
  readonly reservations: readonly Reservation[]
  readonly quotas: readonly Quota[]
  readonly times: MoveTimes
}

export interface ClusterNode {
  readonly id: string
  readonly rack: string | null
  /** `null`: a node without GPUs. */
  readonly chip: Accelerator | null
  readonly gpus: number
  readonly cpu_milli: number
  readonly memory_mib: number
  /** What an hour of one GPU costs, and whether the site or the catalogue says so; `null`: nobody does. */
  readonly gpuCost: { readonly usd_hour: number; readonly from: 'stated' | 'catalogue' } | null
  /** What an hour of one core costs, for replicas that run without a GPU. */
  readonly coreUsdPerHour: number | null
  /** How its GPUs are cut when they are; by the site's own listing where it gives one. */
  readonly geometry: MigGeometry | null
  /** GPUs on which MIG mode is on. */
  readonly migMode: ReadonlySet<number>
  /** The network to other nodes; `null`: none is stated, and no replica spans nodes. */
  readonly fabric: Port | null
  readonly storage: Storage
  /** Where weights lie that are not loaded yet. */
  readonly weightsIn: Tier
  /** Nothing new is placed on it. */
  readonly draining: boolean
}

/** A replica that runs. */
export interface Standing {
  readonly replica: string
  readonly deployment: string
  readonly tenant: string
  readonly node: string
  readonly gpus: readonly number[]
  readonly need: GpuNeed
  /** First memory slot of a MIG instance, and the number that `nvidia-smi mig -lgi` shows. */
  readonly start: number | null
  readonly instance: number | null
  readonly cpu_milli: number
  readonly memory_mib: number
  /** What it earns in an hour: what is at stake when it has to go. */
  readonly usd_hour: number
  /** When it will end by itself; `null`: it stays. */
  readonly until_ms: number | null
  readonly movable: boolean
  readonly preemptible: boolean
  /** Bytes of weights to load when it moves; `null`: unknown, and counted as what its GPUs hold. */
  readonly weight_bytes: number | null
}

/** Nodes that only one tenant may use. */
export interface Reservation {
  readonly tenant: string
  readonly nodes: readonly string[]
}

/** The most GPUs that a tenant may hold; a slice counts by its memory slots, not as a device. */
export interface Quota {
  readonly tenant: string
  readonly gpus: number
}

/** How long a move takes beside loading the weights. Both depend on engine and load: they are stated, or taken as usual. */
export interface MoveTimes {
  readonly drain_s: number
  readonly engineStart_s: number
}

/** Half a minute each: an assumption, shown with every plan that rests on it. */
export const usualTimes: MoveTimes = { drain_s: 30, engineStart_s: 30 }
