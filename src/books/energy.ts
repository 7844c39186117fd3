import type { MeterInterval } from '../plant/energy/meter.ts'
import { apportion } from '../units/amount.ts'
import type { AttemptId } from '../units/ids.ts'
import { requestOf } from '../units/ids.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'
import { bearerOf } from './bearer.ts'
import type { Effect } from './effect.ts'
import type { CloseRow } from './row.ts'

/** What one attempt made the engine compute within a meter interval: prompt tokens evaluated and tokens sampled. */
export interface Work {
  readonly attempt: AttemptId
  readonly tokens: number
  /** Who bears it: a tenant's account, or waste by cause. */
  readonly bearer: Account
}

/**
 * A closed meter interval → transfers that add up to it exactly.
 *
 * Without work all of it is idle. With work the idle floor stays idle and the rest is split by tokens: a first rule,
 * *estimated* on every receipt, since a prompt token and a sampled token do not cost the same.
 */
export function attribute(interval: MeterInterval, work: readonly Work[]): Transfer[] {
  const doing = work.filter((share) => share.tokens > 0)
  const active = doing.length > 0 ? interval.energy - interval.idle : 0n
  const shares =
    doing.length > 0
      ? apportion(
          active,
          doing.map((share) => BigInt(share.tokens)),
        )
      : []
  const posting = (name: string, to: Account, amount: bigint, request: string | null): Transfer => ({
    id: `${interval.meter}/${interval.sequence}/${name}`,
    unit: 'mJ',
    from: accounts.meter(interval.meter),
    to,
    amount,
    request,
    at_ms: interval.to_ms,
  })
  return [
    ...doing.map((share, index) => posting(share.attempt, share.bearer, shares[index] ?? 0n, requestOf(share.attempt))),
    posting('idle', accounts.idle(), interval.energy - active, null),
  ].filter((transfer) => transfer.amount > 0n)
}

/** A second belongs to the interval that its middle lies in, so that each is in exactly one: (s + 0.5) × 1000 ∈ [from, to). */
export const firstSecond = (at_ms: number): number => Math.ceil((at_ms - 500) / 1000)

/** Tokens of an attempt in the seconds of an interval, and the settled request that it belongs to; undefined: foreign. */
export interface Seen {
  readonly attempt: AttemptId
  readonly tokens: number
  readonly row: CloseRow | undefined
}

export const workOfSeen = (seen: readonly Seen[]): Work[] =>
  seen.map(({ attempt, tokens, row }) => ({ attempt, tokens, bearer: bearerOf(row, attempt) }))

/**
 * Attributes the energy of an interval once it is known who worked in it: every engine's log has been read past its end, and
 * every attempt that worked in it is settled and reconciled. A long stream delays its own intervals and no others.
 */
export const closeInterval = (interval: MeterInterval, seen: readonly Seen[], now_ms: number): Effect[] => [
  { do: 'post', source: interval.meter, transfers: attribute(interval, workOfSeen(seen)) },
  { do: 'attributed', meter: interval.meter, sequence: interval.sequence, posted_ms: now_ms },
]
