import type { MeterInterval } from '../plant/energy/meter.ts'
import type { StepWork } from '../plant/energy/step-energy.ts'
import { plusWork } from '../plant/energy/step-energy.ts'
import type { AttemptId, ReplicaId } from '../units/ids.ts'
import type { Effect } from './effect.ts'
import { closeInterval } from './energy.ts'
import type { StepFit } from './fit.ts'
import type { CloseRow } from './row.ts'
import type { Seen } from './seen.ts'
import { firstSecond } from './seen.ts'
import { timelinesOf, windowSeconds } from './window.ts'

/**
 * Who worked in an interval of a meter that measures engines which do not report their steps: rebuilt from all settled
 * requests that were under way in it.
 */
export function windowWork(interval: MeterInterval, engines: readonly ReplicaId[], rows: readonly CloseRow[]): Seen[] {
  const range = { from: firstSecond(interval.from_ms), until: firstSecond(interval.to_ms) }
  const seen = engines.flatMap((replica) => {
    const of = new Map<AttemptId, CloseRow>()
    const timelines = rows.flatMap((row) => {
      const mine = timelinesOf(row, replica)
      for (const { attempt } of mine) of.set(attempt, row)
      return mine
    })
    const works = new Map<AttemptId, StepWork>()
    for (const { attempt, work } of windowSeconds(timelines, undefined, range)) {
      const known = works.get(attempt)
      works.set(attempt, known ? plusWork(known, work) : work)
    }
    return [...works].map(([attempt, did]): Seen => {
      const row = of.get(attempt)
      return { attempt, replica, model: row?.model ?? '', tokens: did.prefill + did.decode, did, cpu_us: 0, row }
    })
  })
  return seen.sort((a, b) => (a.attempt < b.attempt ? -1 : 1))
}

/**
 * Attributes such an interval, once every request that was opened before its end is settled. The work is kept with it: an
 * audit does not depend on what is settled later.
 */
export const closeWindow = (
  interval: MeterInterval,
  seen: readonly Seen[],
  fits: readonly StepFit[],
  now_ms: number,
): Effect[] => [
  { do: 'worked', meter: interval.meter, sequence: interval.sequence, seen },
  ...closeInterval(interval, seen, fits, now_ms),
]
