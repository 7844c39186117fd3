import type { OpenbNode, OpenbPod } from './openb.ts'
import { accepts } from './workload.ts'

/** GPUs that a node has at most. */
export const WIDTH = 8
const MOST_PODS = 1001

/** The benchmark's cluster while it fills: what is left on each node. For the reference policies; ours keeps its own. */
export class Cluster {
  readonly nodes: readonly OpenbNode[]
  readonly cpu: Int32Array
  readonly memory: Int32Array
  /** Thousandths free of each GPU, `WIDTH` to a node. */
  readonly gpus: Int32Array
  /** Goes up with every change of a node. */
  readonly version: Int32Array
  private readonly pods: Int32Array
  /** Classes of pods that a node holds: shares, and whole GPUs by number. */
  readonly held: readonly Set<string>[]

  constructor(nodes: readonly OpenbNode[]) {
    this.nodes = nodes
    this.cpu = Int32Array.from(nodes, (node) => node.cpu)
    this.memory = Int32Array.from(nodes, (node) => node.memory)
    this.gpus = new Int32Array(nodes.length * WIDTH)
    this.version = new Int32Array(nodes.length)
    this.pods = new Int32Array(nodes.length)
    this.held = nodes.map(() => new Set())
    nodes.forEach((node, at) => {
      this.gpus.fill(1000, at * WIDTH, at * WIDTH + node.gpus)
    })
  }

  /** Thousandths free of each GPU of a node. */
  of(node: number): Int32Array {
    return this.gpus.subarray(node * WIDTH, node * WIDTH + (this.nodes[node] as OpenbNode).gpus)
  }

  idle(node: number): number {
    return this.of(node).reduce((sum, free) => sum + free, 0)
  }

  feasible(node: number, pod: OpenbPod): boolean {
    if ((this.cpu[node] as number) < pod.cpu || (this.memory[node] as number) < pod.memory) return false
    if ((this.pods[node] as number) >= MOST_PODS) return false
    if (pod.gpus === 0) return true
    if (!accepts(pod.spec, (this.nodes[node] as OpenbNode).model)) return false
    let fitting = 0
    for (const free of this.of(node)) if (free >= pod.milli) fitting++
    return fitting >= pod.gpus
  }

  /** Puts a pod onto a node: a share onto the GPU named, whole GPUs onto the first that are free. */
  place(node: number, pod: OpenbPod, gpu: number): void {
    const gpus = this.of(node)
    if (isShare(pod)) gpus[gpu] = (gpus[gpu] as number) - pod.milli
    else takeWhole(gpus, pod.gpus)
    this.cpu[node] = (this.cpu[node] as number) - pod.cpu
    this.memory[node] = (this.memory[node] as number) - pod.memory
    this.pods[node] = (this.pods[node] as number) + 1
    this.version[node] = (this.version[node] as number) + 1
    if (pod.gpus > 0) this.held[node]?.add(classOf(pod))
  }
}

export const isShare = (pod: OpenbPod): boolean => pod.gpus === 1 && pod.milli < 1000
export const classOf = (pod: OpenbPod): string => (isShare(pod) ? 'share' : `${pod.gpus} GPUs`)

/** Empties the first `count` GPUs that are free as a whole. */
export function takeWhole(gpus: Int32Array, count: number): void {
  for (let gpu = 0, left = count; gpu < gpus.length && left > 0; gpu++) {
    if (gpus[gpu] !== 1000) continue
    gpus[gpu] = 0
    left--
  }
}
