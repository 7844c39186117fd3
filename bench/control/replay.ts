import type { Arrivals } from './arrivals.ts'
import { Cluster } from './cluster.ts'
import type { OpenbNode, OpenbPod } from './openb.ts'
import type { Policy } from './policies.ts'

/** Someone who is offered pods one after another, and says whether each found a place. A pod that did not is gone. */
export type Placing = (pod: number) => boolean

/** Percent of the cluster's GPUs allocated, by percent of them asked for so far. */
export type Curve = ReadonlyMap<number, number>

/**
 * Plays arrivals and records after each, placed or not, the share asked for and the share allocated. The value at k % is the
 * mean of the rounded shares over all arrivals that round to k, as the published evaluation has it.
 */
export function replay(pods: readonly OpenbPod[], { order }: Arrivals, capacity: number, place: Placing): Curve {
  const sums = new Map<number, { total: number; count: number }>()
  let [asked, used] = [0, 0]
  for (const index of order) {
    const pod = pods[index] as OpenbPod
    const demand = pod.gpus * pod.milli
    asked += demand
    if (place(index)) used += demand
    const at = roundEven((100 * asked) / capacity)
    const sum = sums.get(at) ?? { total: 0, count: 0 }
    sum.total += roundEven((10_000 * used) / capacity) / 100
    sum.count++
    sums.set(at, sum)
  }
  return new Map([...sums].map(([at, { total, count }]) => [at, total / count]))
}

function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/** The node of highest score, the one of lower rank among equals. Scores are kept until their node changes. */
export function ranked(
  nodes: readonly OpenbNode[],
  pods: readonly OpenbPod[],
  { rank }: Arrivals,
  policy: Policy,
): Placing {
  const cluster = new Cluster(nodes)
  const order = inOrder(rank)
  const tables = new Map<string, { scores: Float64Array; versions: Int32Array }>()
  const tableOf = (pod: OpenbPod) => {
    const key = `${pod.cpu} ${pod.memory} ${pod.gpus} ${pod.milli} ${pod.spec}`
    const held = tables.get(key)
    if (held) return held
    const made = { scores: new Float64Array(nodes.length), versions: new Int32Array(nodes.length).fill(-1) }
    tables.set(key, made)
    return made
  }
  return (index) => {
    const pod = pods[index] as OpenbPod
    const { scores, versions } = tableOf(pod)
    let [best, highest] = [-1, Number.NEGATIVE_INFINITY]
    for (const node of order) {
      if (versions[node] !== cluster.version[node] || policy.name === 'Random') {
        versions[node] = cluster.version[node] as number
        scores[node] = cluster.feasible(node, pod) ? policy.score(cluster, node, pod) : Number.NEGATIVE_INFINITY
      }
      if ((scores[node] as number) <= highest) continue
      highest = scores[node] as number
      best = node
    }
    if (best >= 0) cluster.place(best, pod, pod.gpus === 1 && pod.milli < 1000 ? policy.gpu(cluster, best, pod) : -1)
    return best >= 0
  }
}

/** Nodes from the lowest rank to the highest. */
export function inOrder(rank: Int32Array): Int32Array {
  const order = new Int32Array(rank.length)
  rank.forEach((place, node) => {
    order[place] = node
  })
  return order
}
