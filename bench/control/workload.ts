import type { OpenbPod } from './openb.ts'

/** Pods that ask for the same; memory is left out where it plays no part. */
export interface Group {
  readonly cpu: number
  readonly gpus: number
  readonly milli: number
  readonly spec: string
  readonly frequency: number
}

/** FGD knows these many of the pods, by their most frequent groups. */
const KNOWN = 0.95

/**
 * The target workload as FGD takes it: pods by (cpu, GPUs, thousandths, models), most frequent first, until 95 % of the pods
 * are covered. It is all that our own policy is told, too.
 */
export function targetWorkload(pods: readonly OpenbPod[]): Group[] {
  const counts = new Map<string, { readonly pod: OpenbPod; count: number }>()
  for (const pod of pods) {
    const key = `${pod.cpu} ${pod.milli} ${pod.gpus} ${pod.spec}`
    const held = counts.get(key)
    if (held) held.count++
    else counts.set(key, { pod, count: 1 })
  }
  const sorted = [...counts.values()].sort(
    (a, b) =>
      b.count - a.count ||
      b.pod.cpu - a.pod.cpu ||
      b.pod.milli - a.pod.milli ||
      b.pod.gpus - a.pod.gpus ||
      (b.pod.spec > a.pod.spec ? 1 : -1),
  )
  let covered = 0
  const kept = sorted.filter(({ count }) => {
    const wanted = covered < KNOWN * pods.length
    if (wanted) covered += count
    return wanted
  })
  return kept.map(({ pod: { cpu, gpus, milli, spec }, count }) => ({
    cpu,
    gpus,
    milli,
    spec,
    frequency: count / covered,
  }))
}

/** Whether a node's model is among those a pod names; none named is any. */
export const accepts = (spec: string, model: string): boolean => spec === '' || spec.split('|').includes(model)
