import { GoRandom } from './go-random.ts'
import type { OpenbPod } from './openb.ts'

/** What arrives under one seed, in order, and the rank that decides between nodes of equal score. */
export interface Arrivals {
  /** Indices into the pods. */
  readonly order: readonly number[]
  readonly rank: Int32Array
  /** Thousandths of GPUs asked for in all. */
  readonly demand: number
}

/** Demand of the trace is inflated to this share of the cluster's GPUs. */
export const INFLATION = 1.3

/** Floats that the original draws between resampling and ranking (inferred: 10 reproduces its figures, 9 and 11 do not). */
const BACKGROUND_DRAWS = 10

/** One seed's arrivals: the trace shuffled, then pods drawn from it with replacement until the inflated demand is reached. */
export function arrivals(pods: readonly OpenbPod[], nodes: number, capacity: number, seed: number): Arrivals {
  const random = new GoRandom(seed)
  random.uint64()
  let order = random.shuffled(pods.length)
  const of = (index: number): OpenbPod => pods[index] as OpenbPod
  const demandOf = (index: number): number => of(index).gpus * of(index).milli
  let demand = order.reduce((sum, index) => sum + demandOf(index), 0)
  const most = INFLATION * capacity
  if (demand > most) {
    while (demand > most) {
      const at = random.intn(order.length)
      demand -= demandOf(order[at] as number)
      order = order.toSpliced(at, 1)
    }
  } else {
    for (;;) {
      const drawn = random.intn(pods.length)
      if (demand + of(drawn).milli > most) break
      order.push(drawn)
      demand += demandOf(drawn)
    }
  }
  for (let draw = 0; draw < BACKGROUND_DRAWS; draw++) random.float64()
  return { order, rank: Int32Array.from(random.permutation(nodes)), demand }
}
