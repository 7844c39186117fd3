import { floorAfter } from '../plant/energy/idle-floor.ts'
import type { MeterInterval } from '../plant/energy/meter.ts'
import { withFloor } from '../plant/energy/meter.ts'
import type { StepWork } from '../plant/energy/step-energy.ts'
import { noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { AttemptId, ReplicaId } from '../units/ids.ts'
import { attemptId, id } from '../units/ids.ts'
import type { Watts } from '../units/quantity.ts'
import { watts } from '../units/quantity.ts'
import type { Kinds } from './counted.ts'
import type { Effect } from './effect.ts'
import { closeInterval } from './energy.ts'
import type { StepFit } from './fit.ts'
import type { CloseRow } from './row.ts'
import type { Seen } from './seen.ts'
import { firstSecond } from './seen.ts'
import type { SliceShare } from './slices.ts'
import { timelinesOf, windowSeconds } from './window.ts'

/** Tokens of nobody's that an engine's counters showed between two looks. */
export interface ForeignTokens {
  readonly engine: ReplicaId
  readonly from_ms: number
  readonly to_ms: number
  readonly foreign: Kinds
}

/**
 * Who worked in an interval of a meter that measures engines which do not report their steps: rebuilt from all settled
 * requests that were under way in it.
 */
export function windowWork(
  interval: MeterInterval,
  engines: readonly ReplicaId[],
  rows: readonly CloseRow[],
  foreign: readonly ForeignTokens[] = [],
): Seen[] {
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
    const ours = [...works].map(([attempt, did]): Seen => {
      const row = of.get(attempt)
      return { attempt, replica, model: row?.model ?? '', tokens: did.prefill + did.decode, did, cpu_us: 0, row }
    })
    const nobodys = foreignSeen(interval, replica, foreign, ours)
    return nobodys ? [...ours, nobodys] : ours
  })
  return seen.sort((a, b) => (a.attempt < b.attempt ? -1 : 1))
}

/**
 * Others' traffic in the interval, as one who had no context of his own and whose tokens took as many steps as ours did; alone, a
 * step each. Undefined: there was none.
 */
function foreignSeen(
  { from_ms, to_ms }: MeterInterval,
  replica: ReplicaId,
  foreign: readonly ForeignTokens[],
  ours: readonly Seen[],
): Seen | undefined {
  let [prefill, decode] = [0, 0]
  for (const look of foreign) {
    if (look.engine !== replica) continue
    const by = (total: number, at_ms: number): number =>
      Math.floor(
        (total * (Math.min(Math.max(at_ms, look.from_ms), look.to_ms) - look.from_ms)) / (look.to_ms - look.from_ms),
      )
    prefill += by(look.foreign.prompt, to_ms) - by(look.foreign.prompt, from_ms)
    decode += by(look.foreign.output, to_ms) - by(look.foreign.output, from_ms)
  }
  const tokens = prefill + decode
  if (tokens === 0) return undefined
  const all = ours.map(({ did }) => did).reduce(plusWork, noWork)
  const counted = all.prefill + all.decode
  const step_e9 = counted > 0 ? Math.ceil((all.step_e9 * tokens) / counted) : 1e9 * Math.max(1, decode)
  const did = { ...noWork, step_e9, prefill, decode }
  const model = ours[0]?.model ?? ''
  return { attempt: attemptId(id(`foreign-${replica}`), 1), replica, model, tokens, did, cpu_us: 0, row: undefined }
}

/**
 * Attributes such an interval, once every request that was opened before its end is settled. The work is kept with it: an
 * audit does not depend on what is settled later.
 *
 * Only now is it known whether anybody worked in it, so the idle floor is learned here, and nowhere from a look at what runs at
 * some moment: taken for rest, the first second of a load would make all that follows idle. `floor`: as learned so far. Until
 * there was an interval at rest it is 0 and all energy is the work's: a guess would put a tenant's joules into idle, and idle is
 * nobody's. A meter that says itself what is drawn at rest is believed.
 */
export function closeWindow(
  interval: MeterInterval,
  seen: readonly Seen[],
  floor: Watts | undefined,
  fits: readonly StepFit[],
  now_ms: number,
  slices: readonly SliceShare[] = [],
): Effect[] {
  const { meter, sequence, energy, idle, reset, from_ms, to_ms } = interval
  const learns = idle === 0n && seen.length === 0 && slices.length === 0 && energy > 0n && !reset
  const rest = learns ? floorAfter(floor, watts(Number(energy) / (to_ms - from_ms))) : (floor ?? watts(0))
  const known = idle > 0n ? interval : withFloor(interval, rest)
  return [
    { do: 'worked', meter, sequence, seen },
    ...(slices.length > 0 ? [{ do: 'sliced', meter, sequence, slices } as const] : []),
    ...(learns ? [{ do: 'rested', meter, floor: rest } as const] : []),
    // What others did is a guess but for its tokens, and teaches nothing.
    ...closeInterval(known, seen, fits, now_ms, slices).filter(
      (effect) => effect.do !== 'observe' || seen.every(({ row }) => row !== undefined),
    ),
  ]
}
