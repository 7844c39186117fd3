import type { Random } from '../../src/twin/random.ts'
import type { Traced } from '../../src/twin/workload/mooncake.ts'

/**
 * Times of a trace that was recorded in steps, spread within them by chance: who came in one step comes one after the other,
 * in the order of the trace. A step of 0 leaves them as they are.
 */
export function withinSteps(traced: readonly Traced[], step_ns: number, random: Random): readonly Traced[] {
  if (step_ns === 0) return traced
  // Mooncake's clock ticks at 2,999 ms as well as at 3,000.
  const stepOf = ({ at_ns }: Traced): number => Math.round(at_ns / step_ns)
  const spread: Traced[] = []
  for (let from = 0; from < traced.length; ) {
    const step = stepOf(traced[from] as Traced)
    let to = from
    while (to < traced.length && stepOf(traced[to] as Traced) === step) to++
    const times = Array.from({ length: to - from }, () => random.share()).sort((a, b) => a - b)
    for (const [at, time] of times.entries())
      spread.push({ ...(traced[from + at] as Traced), at_ns: Math.round((step + time) * step_ns) })
    from = to
  }
  return spread
}
