import { formatDollars } from '../units/amount.ts'
import { dayOf } from './account.ts'
import type { BilledMoney } from './exchange/billed.ts'
import { billedMoney } from './exchange/billed.ts'
import type { TenantExchange } from './exchange/tenant-exchange.ts'
import { costOf, hitCharges, partsOf, refundOf } from './post.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow } from './row.ts'
import { siteOf } from './row.ts'
import type { TokenClass } from './usage.ts'
import { tokenClasses } from './usage.ts'

/**
 * A settled request as a CloudEvent 1.0, for a biller elsewhere. `source` and `id` name it for ever, so whoever keeps those that it
 * has seen counts each once, however often it reads.
 */
export interface UsageEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: '/wattmill/requests'
  readonly type: 'com.wattmill.usage.request.v1'
  /** Who pays. */
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: {
    readonly tenant: string
    readonly application: string
    readonly key: string
    readonly model: string
    readonly outcome: string
    readonly price_version: number | null
    /** Where it was answered; null: no engine was asked. */
    readonly site: string | null
    /** Billed tokens; null: the count is missing, which is another thing than zero. */
    readonly tokens: Readonly<Record<TokenClass, number | null>>
    /** Of an answer from the cache: tokens that it spared, at the price of hits; null: it is none, or hits are free. */
    readonly cache_hit_tokens: Readonly<Record<TokenClass, number | null>> | null
    /** Made for it and on nobody's bill. */
    readonly wasted_tokens: number
    readonly currency: 'USD'
    /** Charges less refund: decimal text, exact. */
    readonly cost: string
    readonly refund: string
    /** The same in the currency in which the tenant is billed, where that is another one. */
    readonly billed?: BilledMoney
  }
}

export function usageEvent(
  row: CloseRow,
  price: PriceVersion | undefined,
  exchange?: TenantExchange | undefined,
): UsageEvent {
  const { id, tenant, application, key, model, outcome, price_version, closed_ms } = row
  const tokens: Record<TokenClass, number | null> = {
    input_uncached: 0,
    cache_read: 0,
    cache_write: 0,
    output_visible: 0,
    reasoning: 0,
  }
  let wasted = 0
  for (const attempt of row.attempts)
    for (const { usage, cause } of partsOf(row, attempt, attempt === row.attempts.at(-1)))
      for (const of of tokenClasses) {
        const count = usage[of]?.tokens ?? null
        if (cause) wasted += count ?? 0
        else tokens[of] = count === null ? null : (tokens[of] ?? 0) + count
      }
  const money = { cost: formatDollars(costOf(row, price)), refund: formatDollars(refundOf(row, price)) }
  const rate = exchange?.on(dayOf(closed_ms))
  return {
    specversion: '1.0',
    id,
    source: '/wattmill/requests',
    type: 'com.wattmill.usage.request.v1',
    subject: tenant,
    time: new Date(closed_ms).toISOString(),
    datacontenttype: 'application/json',
    data: {
      tenant,
      application,
      key,
      model,
      outcome,
      price_version,
      site: siteOf(row) ?? null,
      tokens,
      cache_hit_tokens: hitTokens(row, price),
      wasted_tokens: wasted,
      currency: 'USD',
      ...money,
      ...(exchange && rate && { billed: billedMoney(money, rate, exchange.version) }),
    },
  }
}

function hitTokens(row: CloseRow, price: PriceVersion | undefined): UsageEvent['data']['cache_hit_tokens'] {
  const { cached } = row
  if (!cached || hitCharges(row, price).size === 0) return null
  const of = (each: TokenClass): number | null => cached.usage[each]?.tokens ?? null
  return {
    input_uncached: of('input_uncached'),
    cache_read: of('cache_read'),
    cache_write: of('cache_write'),
    output_visible: of('output_visible'),
    reasoning: of('reasoning'),
  }
}
