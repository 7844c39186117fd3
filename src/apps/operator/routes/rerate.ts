import { setImmediate as turn } from 'node:timers/promises'
import Type from 'typebox'
import { rerate, whatIf } from '../../../adapters/sqlite/rerate.ts'
import { rolledUp } from '../../../adapters/sqlite/rolled.ts'
import type { SiteId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import { ControlError } from '../errors.ts'
import { type Route, route } from '../router.ts'
import { spanOf } from '../span.ts'
import { knownTenant } from '../tenancy.ts'
import { isoOrNull } from '../when.ts'
import { readTable } from './price-import.ts'

export const rerateRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/books/rerate',
    role: 'viewer',
    of: 'field',
    about:
      'A past statement made again from its requests and prices, and whether it is the same; or what it would be under other prices. Changes nothing',
    input: {
      tenant: Type.String(),
      from: Type.Optional(Type.String({ description: 'a date such as 2027-01-01; else the first of this month' })),
      to: Type.Optional(Type.String({ description: 'a date such as 2027-02-01, which is not included; else now' })),
      table: Type.Optional(
        Type.String({
          description: 'other prices, as text in the shape that prices/import takes; else those that were in force',
        }),
      ),
      site: Type.Optional(
        Type.String({
          maxLength: 100,
          description: 'the other prices are only for what was answered at this site; else for all of it',
        }),
      ),
    },
    run: async (factory, { tenant, from, to, table, site }) => {
      const of = knownTenant(factory, tenant)
      const { from_ms, to_ms } = spanOf(factory, from, to)
      const head = { tenant, from: isoOrNull(from_ms), to: isoOrNull(to_ms) }
      const { store } = factory
      if (table === undefined && site !== undefined)
        throw new ControlError('invalid_value', 'a site is where other prices would be in force: give a table too', {
          param: 'site',
        })
      if (table === undefined) return { ...head, ...(await stepped(rerate(store, of, from_ms, to_ms))) }
      const rolled_ms = rolledUp(store).until_ms ?? 0
      if (from_ms < rolled_ms)
        throw new ControlError(
          'invalid_value',
          'of days before that only sums are kept, and each request is charged by itself: under other prices they cannot be rated again',
          { param: 'from', next: `Begin at ${isoOrNull(rolled_ms)} or later.` },
        )
      const { prices, leftOut } = readTable(table)
      const done = await stepped(
        whatIf(store, of, from_ms, to_ms, prices, site === undefined ? undefined : id<SiteId>(site)),
      )
      return { ...head, ...done, not_used: leftOut.length }
    },
  }),
]

/** Between two steps the operator does what else it has to do. */
async function stepped<Result>(work: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    await turn()
  }
}
