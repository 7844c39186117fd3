/**
 * Whose an engine's time was. A second in which anybody worked is shared by those who did, with the weights that share its
 * energy (`divide.ts`); in nanoseconds, so that the parts are the second exactly. A second without work is nobody's: idle.
 */
import type { StepWork } from '../plant/energy/step-energy.ts'
import { noWork, plusWork } from '../plant/energy/step-energy.ts'
import { apportion } from '../units/amount.ts'
import type { AttemptId, ReplicaId } from '../units/ids.ts'
import type { Doing } from './divide.ts'
import { divide } from './divide.ts'
import type { StepFit } from './fit.ts'
import type { CloseRow } from './row.ts'
import { timelinesOf, windowSeconds } from './window.ts'

export interface WorkedSecond extends Doing {
  readonly second: number
  readonly attempt: AttemptId
}

/** An attempt's part of an engine's time, and what it did in it. */
export interface Held {
  ns: bigint
  did: StepWork
  readonly model: string
}

export interface ChipTime {
  /** Seconds in which somebody worked. */
  readonly busy_s: number
  readonly held: ReadonlyMap<AttemptId, Held>
}

const second_ns = 1_000_000_000n

/** `worked`: of one engine, in the order of seconds. */
export function chipTime(worked: Iterable<WorkedSecond>, fits: readonly StepFit[]): ChipTime {
  const held = new Map<AttemptId, Held>()
  let busy_s = 0
  let batch: WorkedSecond[] = []
  const share = (): void => {
    const [first] = batch
    if (!first) return
    busy_s++
    const weights = divide(meterOf(fits, first), batch, fits).weights
    for (const [at, ns] of apportion(second_ns, weights).entries()) add(held, batch[at], ns)
    batch = []
  }
  for (const one of worked) {
    if (one.tokens <= 0 && one.did.step_e9 <= 0) continue
    if (batch[0] && batch[0].second !== one.second) share()
    batch.push(one)
  }
  share()
  return { busy_s, held }
}

function add(held: Map<AttemptId, Held>, one: WorkedSecond | undefined, ns: bigint): void {
  if (!one) return
  const known = held.get(one.attempt)
  if (!known) held.set(one.attempt, { ns, did: plusWork(noWork, one.did), model: one.model })
  else {
    known.ns += ns
    known.did = plusWork(known.did, one.did)
  }
}

/** The meter whose joules an engine's newest fit is in: its weights are what counts, and not their scale. */
export const meterOf = (fits: readonly StepFit[], { replica, model }: Pick<Doing, 'replica' | 'model'>): string =>
  fits.reduce<StepFit | undefined>(
    (best, fit) => (fit.replica === replica && fit.model === model && fit.version > (best?.version ?? 0) ? fit : best),
    undefined,
  )?.meter ?? ''

/** The same of an engine that does not report its steps, rebuilt from all settled requests that were under way in the time. */
export function workedInWindow(
  replica: ReplicaId,
  rows: readonly CloseRow[],
  range: { readonly from: number; readonly until: number },
): WorkedSecond[] {
  const models = new Map<AttemptId, string>()
  const timelines = rows.flatMap((row) =>
    timelinesOf(row, replica).map((one) => {
      models.set(one.attempt, row.model)
      return one
    }),
  )
  return windowSeconds(timelines, undefined, range)
    .map(({ second, attempt, work }) => ({
      second,
      attempt,
      replica,
      model: models.get(attempt) ?? '',
      tokens: work.prefill + work.decode,
      did: work,
      cpu_us: 0,
    }))
    .sort((a, b) => a.second - b.second || (a.attempt < b.attempt ? -1 : 1))
}
