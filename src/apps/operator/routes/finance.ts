/** What finance takes away: the books in the forms that other programs read. */
import Type from 'typebox'
import { knownExchange } from '../../../adapters/sqlite/exchange.ts'
import { focusCsv } from '../../../adapters/sqlite/focus.ts'
import { reconcile } from '../../../adapters/sqlite/reconciled.ts'
import { summedFrom } from '../../../adapters/sqlite/statement-sums.ts'
import { type Place, usageEvents } from '../../../adapters/sqlite/usage-events.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import type { InvoiceLine } from '../../../books/reconciliation.ts'
import { parseDecimal } from '../../../units/amount.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { Answer, type Route, route } from '../router.ts'
import { knownTenant } from '../tenancy.ts'
import { dateMs, monthStartMs } from '../when.ts'
import { exchangeVersion } from './books.ts'

const slotHours = { hour: 1, day: 24 } as const

const period = {
  from: Type.Optional(Type.String({ description: 'a date such as 2027-01-01; else the first of this month' })),
  to: Type.Optional(
    Type.String({
      description: 'a date such as 2027-02-01, which is not included; else the end of the hour or day under way',
    }),
  ),
}

export const financeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/books/focus',
    role: 'viewer',
    of: 'field',
    about: 'What was billed and what came back, by hour or day, as FOCUS 1.2 (CSV); of a tenant or of all',
    input: {
      ...period,
      tenant: Type.Optional(Type.String()),
      by: Type.Optional(
        Type.Enum(['hour', 'day'], { description: 'hour (default) or day: the length of a charge period' }),
      ),
      provider: Type.Optional(
        Type.String({ minLength: 1, maxLength: 200, description: 'who issues the invoice (default: Wattmill)' }),
      ),
      exchange_version: exchangeVersion,
    },
    run: (factory, { tenant, by = 'hour', provider = 'Wattmill', exchange_version: exchange, ...asked }) => {
      if (tenant !== undefined) knownTenant(factory, tenant)
      knownExchange(factory.store, exchange)
      const wanted = { tenant, by, provider, exchange, ...wholeSlots(factory, asked, slotHours[by]) }
      return new Answer({
        status: 200,
        headers: { 'content-type': 'text/csv; charset=utf-8' },
        body: { lines: focusCsv(factory.store, wanted) },
      })
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/events',
    role: 'viewer',
    of: 'field',
    about:
      'Settled requests as CloudEvents 1.0, in the order in which they were booked; `next` is where to go on, and nothing comes before it later',
    input: {
      from: Type.Optional(Type.String({ description: 'settled from this date on; else from the first that is kept' })),
      to: Type.Optional(Type.String({ description: 'settled before this date' })),
      tenant: Type.Optional(Type.String()),
      after: Type.Optional(
        Type.String({ pattern: '^\\d{1,15}/.{1,200}$', description: 'the `next` of the answer before' }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'events (default 1000)' })),
      exchange_version: exchangeVersion,
      format: Type.Optional(
        Type.Enum(['json', 'batch'], {
          description: 'json; or batch: application/cloudevents-batch+json, with `next` in the header x-wattmill-next',
        }),
      ),
    },
    run: (factory, { from, to, tenant, after, limit = 1000, exchange_version: exchange, format }) => {
      if (tenant !== undefined) knownTenant(factory, tenant)
      const { events, next, more } = usageEvents(factory.store, {
        tenant,
        from_ms: from === undefined ? 0 : dateMs(from, 'from'),
        to_ms: to === undefined ? Number.MAX_SAFE_INTEGER : dateMs(to, 'to'),
        after: after === undefined ? undefined : placeOf(after),
        limit,
        exchange,
      })
      const mark = next === undefined ? null : `${next.booked}/${next.id}`
      if (format !== 'batch') return { events, next: mark, more }
      return new Answer({
        status: 200,
        headers: {
          'content-type': 'application/cloudevents-batch+json; charset=utf-8',
          ...(mark !== null && { 'x-wattmill-next': mark }),
          'x-wattmill-more': String(more),
        },
        body: { text: JSON.stringify(events) },
      })
    },
  }),
  route({
    method: 'POST',
    path: '/api/books/reconcile',
    role: 'viewer',
    about:
      'The books beside what others say: engines’ own counters, an invoice of a provider, an energy bill; each difference with its dollars at risk',
    input: {
      ...period,
      invoice: Type.Optional(
        Type.Array(
          Type.Object({
            kind: Type.Enum(['engine', 'energy']),
            name: Type.String({ minLength: 1, maxLength: 200 }),
            quantity: Type.Optional(Type.String({ maxLength: 60, description: 'tokens of an engine, kWh of energy' })),
            usd: Type.Optional(Type.String({ maxLength: 60 })),
          }),
          {
            maxItems: 1000,
            description: 'lines of kind, name, quantity and usd; energy of all meters together has the name all',
          },
        ),
      ),
    },
    run: (factory, { invoice = [], ...asked }) => {
      const { from, to } = wholeSlots(factory, asked, 1)
      return reconcile(factory.store, from, to, invoice.map(invoiceLine))
    },
  }),
]

/** A billion billion dollars: beyond it, it is a slip. */
const mostOfBill = 10n ** 27n

/** A kWh is 3.6e9 mJ. */
function invoiceLine({ kind, name, quantity, usd }: Asked, index: number): InvoiceLine {
  const number = (what: string, text: string | undefined, places: number): bigint | undefined => {
    if (text === undefined) return undefined
    const value = parseDecimal(text, places)
    if (value === undefined || (what === 'quantity' && value < 0n) || value > mostOfBill || -value > mostOfBill)
      throw new ControlError(
        'invalid_value',
        `line ${index + 1}: ${what} ${text.slice(0, 40)} is no number that a bill may hold`,
        {
          param: 'invoice',
          next: 'Tokens are whole numbers; kWh and dollars have nine decimals at most.',
        },
      )
    return value
  }
  const amount = number('quantity', quantity, kind === 'energy' ? 9 : 0)
  const charged = number('usd', usd, 9)
  if (amount === undefined && charged === undefined)
    throw new ControlError('invalid_value', `line ${index + 1} says neither a quantity nor dollars`, {
      param: 'invoice',
    })
  return { kind, name, quantity: kind === 'energy' && amount !== undefined ? (amount * 36n) / 10n : amount, charged }
}

interface Asked {
  readonly kind: 'engine' | 'energy'
  readonly name: string
  readonly quantity?: string | undefined
  readonly usd?: string | undefined
}

const placeOf = (text: string): Place => ({
  booked: Number(text.slice(0, text.indexOf('/'))),
  id: text.slice(text.indexOf('/') + 1),
})

/** Hours from … until: whole charge periods of `slot` hours, all of which the books have summed by the hour. */
function wholeSlots(
  factory: Factory,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  slot: number,
): { from: number; to: number } {
  const now_ms = factory.now()
  const slot_ms = slot * hour_ms
  const from_ms = from === undefined ? monthStartMs(now_ms) : dateMs(from, 'from')
  const to_ms = to === undefined ? Math.ceil((now_ms + 1) / slot_ms) * slot_ms : dateMs(to, 'to')
  for (const [param, at_ms] of Object.entries({ from: from_ms, to: to_ms }))
    if (at_ms % slot_ms !== 0)
      throw new ControlError(
        'invalid_value',
        `\`${param}\` is not at the beginning of ${slot === 1 ? 'an hour' : 'a day'}, UTC`,
        {
          param,
          next: 'Begin and end with a whole one: --from 2027-01-01 --to 2027-02-01',
        },
      )
  if (to_ms <= from_ms) throw new ControlError('invalid_value', '`to` is not after `from`', { param: 'to' })
  const since_ms = summedFrom(factory.store) * hour_ms
  if (from_ms < since_ms)
    throw new ControlError('invalid_value', 'of hours that old the books keep no sums by the hour', {
      param: 'from',
      next: `Begin later: --from ${new Date(Math.ceil(since_ms / slot_ms) * slot_ms).toISOString().slice(0, 16)}Z`,
    })
  return { from: from_ms / hour_ms, to: to_ms / hour_ms }
}
