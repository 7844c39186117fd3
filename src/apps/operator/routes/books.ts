import Type from 'typebox'
import { receipt, statement } from '../../../adapters/sqlite/answers.ts'
import { quarantine, quarantined } from '../../../adapters/sqlite/aside.ts'
import { fitsInForce, meterHealth } from '../../../adapters/sqlite/attribution.ts'
import { check } from '../../../adapters/sqlite/check.ts'
import { tenantExchange } from '../../../adapters/sqlite/exchange.ts'
import { explain } from '../../../adapters/sqlite/explain.ts'
import { exportBooks } from '../../../adapters/sqlite/export.ts'
import { residuals } from '../../../adapters/sqlite/figures.ts'
import { type Mark, requestsPage } from '../../../adapters/sqlite/requests.ts'
import { dayOf } from '../../../books/account.ts'
import type { BilledMoney } from '../../../books/exchange/billed.ts'
import { billedMoney } from '../../../books/exchange/billed.ts'
import type { Receipt } from '../../../books/receipt.ts'
import { outcomes } from '../../../books/row.ts'
import type { Statement } from '../../../books/statement.ts'
import { statementCsv } from '../../../books/statement-csv.ts'
import { statementHtml } from '../../../books/statement-html.ts'
import type { TenantId } from '../../../units/ids.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { Answer, type Route, route } from '../router.ts'
import { spanOf } from '../span.ts'
import { knownTenant } from '../tenancy.ts'

/** What fits a screen, and what a page may ask for. */
const usualRequests = 20

const name = Type.Optional(Type.String({ maxLength: 300 }))
/** `failed` is all that is neither whole nor left by its client. */
const wantedOutcomes = ['failed', ...outcomes] as const

export const markOf = (text: string): Mark => ({
  closed_ms: Number(text.slice(0, text.indexOf('/'))),
  id: text.slice(text.indexOf('/') + 1),
})
export const markText = ({ closed_ms, id }: Mark): string => `${closed_ms}/${id}`

/** Which requests a page is of. */
export const wantedPage = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a whole number from 1 to 1000' })),
  app: name,
  model: name,
  key: name,
  outcome: Type.Optional(Type.Enum([...wantedOutcomes], { description: wantedOutcomes.join(', ') })),
  before: Type.Optional(Type.String({ pattern: '^\\d{1,15}/.{1,200}$', description: 'the `next` of the page before' })),
}

/** Of a tenant that is billed in another currency. */
export const exchangeVersion = Type.Optional(
  Type.Integer({
    minimum: 0,
    description:
      'currencies and rates as all declarations until this one say them, as an earlier answer names it; else as all do',
  }),
)

export const statementInput = {
  from: Type.Optional(Type.String({ description: 'a date such as 2027-01-01; else the first of this month' })),
  to: Type.Optional(Type.String({ description: 'a date such as 2027-02-01, which is not included; else now' })),
  format: Type.Optional(Type.Enum(['json', 'csv', 'html'], { description: 'json, csv or html' })),
  exchange_version: exchangeVersion,
}

export const bookRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/requests',
    role: 'viewer',
    of: 'field',
    about: 'The last requests, newest first',
    input: { ...wantedPage, tenant: name },
    run: ({ store }, { limit = usualRequests, app: application, before, ...wanted }) => {
      const { requests, next } = requestsPage(store, limit, {
        ...wanted,
        application,
        before: before === undefined ? undefined : markOf(before),
      })
      return { requests, next: next && markText(next) }
    },
  }),
  route({
    method: 'GET',
    path: '/api/receipts/{id}',
    role: 'viewer',
    of: ({ store }, { id }) => receipt(store, String(id))?.tenant,
    about: 'One request: tokens, cost, joules, and whether they are final',
    input: { id: Type.String() },
    run: (factory, { id: request }) => {
      const found = receipt(factory.store, request)
      if (!found)
        throw new ControlError('not_found', `no request ${request.slice(0, 80)}`, {
          param: 'id',
          next: 'Its id is the x-request-id of the answer; it is in the books a second later.',
        })
      return withBilled(factory, found)
    },
  }),
  route({
    method: 'GET',
    path: '/api/explain/{id}',
    role: 'viewer',
    about: 'A request, a transfer or an interval of a meter, with what it comes from and what it moved',
    input: { id: Type.String({ maxLength: 500 }) },
    run: (factory, { id }) => {
      const found = explain(factory.store, id)
      if (!found)
        throw new ControlError('not_found', `the books know no request, transfer or interval ${id.slice(0, 80)}`, {
          param: 'id',
          next: 'wattmill books requests   (an id is the x-request-id of an answer; it is in the books a second later)',
        })
      return found
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/check',
    role: 'viewer',
    about: 'Whether every unit sums to zero, with nothing lost and nothing doubled',
    run: ({ live, store }) => (live ? live.audit.check() : check(store)),
  }),
  route({
    method: 'POST',
    path: '/api/books/check',
    role: 'viewer',
    about: 'Begin that check beside the factory and do not wait for it: `state` tells what it found',
    run: ({ live, log }) => {
      live?.audit.check().catch((cause) => log(`the check of the books failed: ${String(cause)}`))
      return { checking: live?.audit.running ?? false }
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/state',
    role: 'viewer',
    about: 'How far the books are, whether every unit sums to zero, what is in quarantine, and the last check',
    run: ({ live, store }) => ({
      lag: live?.keeper.lag() ?? null,
      residuals: Object.fromEntries(residuals(store)),
      quarantined: quarantined(store),
      quarantine: quarantine(store, usualRequests),
      checking: live?.audit.running ?? false,
      last_check: live?.audit.last ?? null,
    }),
  }),
  route({
    method: 'GET',
    path: '/api/books/statement',
    role: 'viewer',
    of: 'field',
    about: 'What a tenant owes for a time, as JSON, CSV or a page that prints',
    input: { ...statementInput, tenant: Type.String() },
    run: (factory, { tenant, ...asked }) => statementAnswer(factory, knownTenant(factory, tenant), asked),
  }),
  route({
    method: 'GET',
    path: '/api/books/fits',
    role: 'viewer',
    about: 'What a step of each model costs, as learned from the meters, and how far the model is from them',
    run: ({ store, live }) => {
      const fits = fitsInForce(store)
      const meters = new Set([...(live?.keeper.meters().names ?? []), ...fits.map(({ meter }) => meter)])
      return { meters: [...meters].sort().map((meter) => meterHealth(store, meter)), fits }
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/export',
    role: 'viewer',
    about: 'All of the books, one JSON object a line',
    run: (factory) => new Answer({ status: 200, body: { lines: exportBooks(factory.store) } }),
  }),
]

/** A tenant's statement in the form that is asked for. */
export function statementAnswer(
  factory: Factory,
  tenant: TenantId,
  {
    from,
    to,
    format,
    exchange_version,
  }: {
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly format?: string | undefined
    readonly exchange_version?: number | undefined
  },
): Statement | Answer {
  const { from_ms, to_ms } = spanOf(factory, from, to)
  const made = statement(factory.store, tenant, from_ms, to_ms, exchange_version)
  if (format !== 'csv' && format !== 'html') return made
  const text = format === 'csv' ? statementCsv(made) : statementHtml(made)
  return new Answer({
    status: 200,
    headers: { 'content-type': `text/${format}; charset=utf-8` },
    body: { text },
  })
}

/** A receipt with its cost in the currency in which its tenant is billed, where that is another one than dollars. */
export function withBilled({ store }: Factory, found: Receipt): Receipt & { readonly billed?: BilledMoney } {
  if (found.state === 'open') return found
  const exchange = tenantExchange(store, found.tenant)
  const rate = exchange?.on(dayOf(found.closed_ms))
  if (!(exchange && rate)) return found
  const money = { cost: found.cost_usd, refund: found.refund_usd }
  return { ...found, billed: billedMoney(money, rate, exchange.version) }
}
