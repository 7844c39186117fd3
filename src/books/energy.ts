import type { MeterInterval } from '../plant/energy/meter.ts'
import type { AttemptId } from '../units/ids.ts'
import { requestOf } from '../units/ids.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'
import { bearerOf } from './bearer.ts'
import type { Division, Doing } from './divide.ts'
import { lessons } from './divide.ts'
import type { Effect } from './effect.ts'
import type { StepFit } from './fit.ts'
import { divideIdle } from './idle.ts'
import type { Seen } from './seen.ts'
import { nothingShared, type SliceShare, shareActive } from './slices.ts'

/** What one attempt did within a meter interval, and who bears it: a tenant's account, or waste by cause. */
export interface Work extends Doing {
  readonly attempt: AttemptId
  readonly bearer: Account
}

/** An interval's energy, given to those who caused it; `division` tells how. */
export interface Attribution {
  readonly transfers: readonly Transfer[]
  readonly division: Pick<Division, 'fit' | 'modelled_mj'>
}

/**
 * A closed meter interval → transfers that add up to it exactly: requests + waste + idle = what was drawn.
 *
 * Without work all of it is idle. With work the idle floor stays idle, and the rest is divided as `divide` says; on a board in slices
 * as `slices.ts` says.
 */
export function attribute(
  interval: MeterInterval,
  work: readonly Work[],
  fits: readonly StepFit[],
  slices: readonly SliceShare[] = [],
): Attribution {
  const doing = work.filter(({ tokens, did }) => tokens > 0 || did.step_e9 > 0)
  const busy = doing.length > 0 || slices.length > 0
  const active = busy ? interval.energy - interval.idle : 0n
  const shared = busy ? shareActive(active, interval.meter, doing, fits, slices) : nothingShared
  const posting = (name: string, to: Account, amount: bigint, request: string | null): Transfer => ({
    id: `${interval.meter}/${interval.sequence}/${name}`,
    unit: 'mJ',
    from: accounts.meter(interval.meter),
    to,
    amount,
    request,
    at_ms: interval.to_ms,
  })
  const idle = divideIdle(interval.energy - active, interval.claims ?? [])
  const transfers = [
    ...doing.map((share, index) =>
      posting(share.attempt, share.bearer, shared.parts[index] ?? 0n, requestOf(share.attempt)),
    ),
    ...shared.others.map(({ slice, amount }) =>
      posting(`foreign/${slice.instance ?? slice.engine}`, accounts.waste('foreign'), amount, null),
    ),
    posting(unseen, unseen, shared.unseen, null),
    ...idle.map(({ to, amount }) => posting(to === accounts.idle() ? 'idle' : to, to, amount, null)),
  ]
  return { transfers: transfers.filter(({ amount }) => amount > 0n), division: shared }
}

const unseen = accounts.overheadEnergy('unseen')

export const workOfSeen = (seen: readonly Seen[]): Work[] =>
  seen.map(({ row, bearer, ...work }) => ({ ...work, bearer: bearer ?? bearerOf(row, work.attempt) }))

/**
 * Attributes the energy of an interval once it is known who worked in it: every engine's log has been read past its end, and
 * every attempt that worked in it is settled and reconciled. A long stream delays its own intervals and no others.
 */
export function closeInterval(
  interval: MeterInterval,
  seen: readonly Seen[],
  fits: readonly StepFit[],
  now_ms: number,
  slices: readonly SliceShare[] = [],
): Effect[] {
  const { meter, sequence } = interval
  const { transfers, division } = attribute(interval, workOfSeen(seen), fits, slices)
  const { fit, modelled_mj } = division
  return [
    { do: 'post', source: meter, transfers },
    { do: 'attributed', meter, sequence, posted_ms: now_ms, idle: interval.idle, fit, modelled_mj },
    ...(teaches(seen, slices) ? lessons(interval, seen) : []).map((observed): Effect => ({ do: 'observe', observed })),
  ]
}

/** On a board in slices: one slice, of whose work all is known. */
const teaches = (seen: readonly Seen[], slices: readonly SliceShare[]): boolean =>
  slices.every(({ engine }) => engine === seen[0]?.replica) &&
  (slices.length === 0 || seen.every(({ tokens }) => tokens > 0))
