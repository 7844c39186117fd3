/** What a tenant used: by application and day, request by request, and as a statement. */
import Type from 'typebox'
import { receipt } from '../../../../adapters/sqlite/answers.ts'
import { type ApplicationDay, applicationDays } from '../../../../adapters/sqlite/application-days.ts'
import { tenantExchange } from '../../../../adapters/sqlite/exchange.ts'
import { type RequestLine, requestsPage } from '../../../../adapters/sqlite/requests.ts'
import { dayText, exchanged, formatExchanged } from '../../../../books/exchange/rate.ts'
import type { TenantExchange } from '../../../../books/exchange/tenant-exchange.ts'
import { tenantReceipt } from '../../../../books/tenant-receipt.ts'
import { formatDecimal } from '../../../../units/amount.ts'
import { ControlError } from '../../errors.ts'
import type { Factory } from '../../factory.ts'
import type { Route } from '../../router.ts'
import { dateMs } from '../../when.ts'
import { markOf, markText, statementAnswer, statementInput, wantedPage, withBilled } from '../books.ts'
import { keyOf } from './keys.ts'
import { notOwn, tenantRoute } from './own.ts'

const day_ms = 86_400_000
/** Two months: twenty applications that are busy day and night take 0.4 s of the operator's time for them, two 0.05 s. */
const mostDays = 62

export const tenantUsageRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/usage',
    about: 'Requests, tokens, dollars and joules by application and UTC day',
    input: {
      from: Type.Optional(Type.String({ description: 'a day such as 2027-01-01; else 30 days ago' })),
      to: Type.Optional(Type.String({ description: 'a day such as 2027-02-01, which is not included; else today is' })),
    },
    run: (factory, { tenant }, asked) => {
      const { from, to } = daysOf(factory, asked)
      return {
        from: dayText(from),
        to: dayText(to),
        days: applicationDays(factory.store, tenant, from, to).map(dayLine(tenantExchange(factory.store, tenant))),
      }
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/requests',
    about: 'The last requests, newest first',
    input: wantedPage,
    run: (factory, own, { limit = 20, app, model, key, outcome, before }) => {
      if (key !== undefined) keyOf(factory, own, key)
      const { requests, next } = requestsPage(factory.store, limit, {
        tenant: own.tenant,
        application: app,
        model,
        key,
        outcome,
        before: before === undefined ? undefined : markOf(before),
      })
      return { requests: requests.map(ownLine), next: next && markText(next) }
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/errors',
    about: 'The last requests that failed: when, how and which, and nothing of what they said',
    input: { limit: wantedPage.limit, app: wantedPage.app, model: wantedPage.model, before: wantedPage.before },
    run: ({ store }, own, { limit = 20, app, model, before }) => {
      const { requests, next } = requestsPage(store, limit, {
        tenant: own.tenant,
        application: app,
        model,
        outcome: 'failed',
        before: before === undefined ? undefined : markOf(before),
      })
      return {
        errors: requests.map(({ id, at_ms, took_ms, outcome, model, application, key }) => ({
          at: new Date(at_ms + took_ms).toISOString(),
          code: outcome,
          model,
          application,
          key,
          id,
        })),
        next: next && markText(next),
      }
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/receipts/{id}',
    about: 'One of its requests: tokens, cost, joules, and whether they are final',
    input: { id: Type.String({ maxLength: 200 }) },
    run: (factory, own, { id }) => {
      const found = receipt(factory.store, id)
      if (found?.tenant !== own.tenant) throw notOwn('request', id)
      const { billed } = withBilled(factory, found)
      return { ...tenantReceipt(found), ...(billed && { billed }) }
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/statement',
    about: 'What it owes for a time, as JSON, CSV or a page that prints',
    input: statementInput,
    run: (factory, own, asked) => statementAnswer(factory, own.tenant, asked),
  }),
]

/** Whole UTC days from … until. */
function daysOf(factory: Factory, asked: { from?: string | undefined; to?: string | undefined }) {
  const today = Math.floor(factory.now() / day_ms)
  const day = (name: 'from' | 'to', usual: number): number => {
    const text = asked[name]
    if (text === undefined) return usual
    const at_ms = dateMs(text, name)
    if (at_ms % day_ms === 0) return at_ms / day_ms
    throw new ControlError('invalid_value', `\`${name}\` is not the beginning of a day, UTC`, { param: name })
  }
  const to = day('to', today + 1)
  const from = day('from', to - 30)
  if (to <= from) throw new ControlError('invalid_value', '`to` is not after `from`', { param: 'to' })
  if (to - from > mostDays)
    throw new ControlError('invalid_value', `that is more than ${mostDays} days`, {
      param: 'from',
      next: 'Ask for a part; the statement sums up longer times.',
    })
  return { from, to }
}

const dayLine =
  (exchange: TenantExchange | undefined) =>
  ({ application, day, sums }: ApplicationDay) => {
    const rate = exchange?.on(day)
    const of = (measure: Parameters<typeof sums.get>[0]): bigint => sums.get(measure) ?? 0n
    return {
      day: dayText(day),
      application,
      requests: Number(of('requests')),
      failed: Number(of('failed')),
      input_tokens: Number(of('input_uncached') + of('cache_read') + of('cache_write')),
      cached_tokens: Number(of('cache_read')),
      output_tokens: Number(of('output_visible') + of('reasoning')),
      tokens_grade: of('estimated') > 0n ? 'estimated' : 'measured',
      /** Charged, less what came back. */
      usd: formatDecimal(of('nano_usd'), 9),
      /** The same in the currency in which the tenant was billed on that day. */
      ...(rate && { currency: rate.currency, billed: formatExchanged(exchanged(of('nano_usd'), rate)) }),
      /** Whose a meter's energy was is found by a rule; null: no meter saw its work. */
      energy_mj: of('metered') > 0n || of('energy_mj') > 0n ? of('energy_mj').toString() : null,
      energy_grade: of('metered') > 0n || of('energy_mj') > 0n ? 'estimated' : 'unknown',
    }
  }

/** Without the engine that did it. */
const ownLine = ({ engine: _, tenant: __, ...line }: RequestLine) => line
