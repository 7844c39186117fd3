/**
 * What a replica takes of one node. A group that spans nodes (pipeline stages) is several demands placed together.
 */
export interface Demand {
  readonly cpu_milli: number
  readonly memory_mib: number
  readonly gpu: GpuNeed
  /** Chips it may run on, by id; `null` is any. */
  readonly chips: readonly string[] | null
}

/** A share is thousandths of one GPU (time slices, MPS); a slice is a MIG instance of the named profile. */
export type GpuNeed =
  | { readonly kind: 'none' }
  | { readonly kind: 'share'; readonly milli: number }
  | { readonly kind: 'whole'; readonly gpus: number }
  | { readonly kind: 'slice'; readonly profile: string }

/** A demand with how often it is expected among those to come; frequencies need not sum to one. */
export interface Expected {
  readonly demand: Demand
  readonly frequency: number
}

/** Text that is equal for equal demands. */
export const keyOf = ({ cpu_milli, memory_mib, gpu, chips }: Demand): string =>
  `${cpu_milli} ${memory_mib} ${Object.values(gpu).join(' ')} ${chips ? [...chips].toSorted().join('|') : '*'}`
