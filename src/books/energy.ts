import type { MeterInterval } from '../plant/energy/meter.ts'
import { apportion } from '../units/amount.ts'
import type { AttemptId } from '../units/ids.ts'
import { requestOf } from '../units/ids.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'

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
