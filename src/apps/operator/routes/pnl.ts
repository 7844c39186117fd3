/** Profit and loss, and the way down from each of its numbers to the ledger. */
import Type from 'typebox'
import { costFlows, pnl, unsummed } from '../../../adapters/sqlite/costs/pnl.ts'
import { subjects, transfersPage } from '../../../adapters/sqlite/transfers.ts'
import { closedRange, rangeInput } from '../closed-range.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { spanOf } from '../span.ts'

/** By the hour as long as a chart has room for it. */
const mostHourly = 31 * 24
const usualHourly = 3 * 24
/** What is longer is no period that anybody closes. */
const mostHours = 400 * 24

const pattern = (what: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      description: `${what}, or the beginning of its path; * is any part: cost/usage/acme, cost/usage/*/*/starter`,
    }),
  )

export const pnlRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/books/pnl',
    role: 'viewer',
    about:
      'Profit and loss of whole hours: revenue, usage, idle, waste, overhead and making, both margins; cost per token by cause over time; by tenant, model and site',
    input: {
      ...rangeInput,
      step: Type.Optional(
        Type.Enum(['hour', 'day'], { description: 'hour (default up to three days, at most 31) or day (UTC)' }),
      ),
    },
    run: (factory, { from, to, step }) => {
      const { first, end } = summed(factory, from, to)
      const wanted = step ?? (end - first <= usualHourly ? 'hour' : 'day')
      if (wanted === 'hour' && end - first > mostHourly)
        throw new ControlError('invalid_value', `${end - first} hours are more than ${mostHourly}`, {
          param: 'step',
          next: 'Ask by day, or for a shorter time',
        })
      return pnl(factory.store, first, end, wanted === 'hour' ? 1 : 24)
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/flows',
    role: 'viewer',
    about:
      'The flows of cost through the ledger: what it comes from → usage, idle, waste, overhead, making → who bears it; each with the accounts of its transfers, and what is missing between them: 0',
    input: {
      ...rangeInput,
      unit: Type.Optional(Type.Enum(['usd', 'carbon'], { description: 'usd (default) or carbon' })),
    },
    run: (factory, { from, to, unit = 'usd' }) => {
      const { first, end } = summed(factory, from, to)
      return {
        from: new Date(first * 3_600_000).toISOString(),
        to: new Date(end * 3_600_000).toISOString(),
        ...costFlows(factory.store, first, end, unit === 'usd' ? 'nano-USD' : 'ugCO2e'),
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/transfers',
    role: 'viewer',
    about: 'The transfers behind a number: those of a time between accounts, page by page, with the sum of each page',
    input: {
      ...rangeInput,
      what: Type.Optional(Type.Enum([...subjects], { description: `${subjects.join(', ')}; cost where not given` })),
      out: pattern('the account that they come out of'),
      into: pattern('the account that they go into'),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'about how many (default 100)' })),
      after: Type.Optional(Type.String({ maxLength: 1000, description: 'the `next` of the page before' })),
    },
    run: (factory, { from, to, what = 'cost', out, into, limit = 100, after }) => {
      const { from_ms, to_ms } = spanOf(factory, from, to)
      if (after !== undefined && !mark[what].test(after))
        throw new ControlError('invalid_value', `\`after\` is no \`next\` of a page of ${what}`, { param: 'after' })
      return transfersPage(factory.store, { what, from_ms, to_ms, out, into, after, limit })
    },
  }),
]

const byTime = /^\d{1,15}\/.{1,900}$/
const mark = {
  ...{ cost: /^cost\//, carbon: /^cost\//, terms: /^terms\//, revenue: byTime, tokens: byTime, energy: byTime },
} as const

/** Closed hours that have their sums: those of a store from before there were any get them soon after its first start. */
function summed(factory: Factory, from: string | undefined, to: string | undefined): { first: number; end: number } {
  const { first, end } = closedRange(factory, { from, to })
  if (end - first > mostHours)
    throw new ControlError('invalid_value', `${end - first} hours are more than ${mostHours}`, { param: 'from' })
  const missing = unsummed(factory.store, first, end)
  if (missing > 0)
    throw new ControlError('invalid_value', `${missing} hours of this time are not summed up yet`, {
      param: 'from',
      next: 'They are soon after the first start with a newer Wattmill: ask again in a minute, with wattmill up running',
    })
  return { first, end }
}
