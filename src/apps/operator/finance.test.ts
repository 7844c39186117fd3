import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statement } from '../../adapters/sqlite/answers.ts'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { all } from '../../adapters/sqlite/query.ts'
import { closeRow, gateway, journaled, setTestPrice } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms } from '../../adapters/sqlite/testing-factory.ts'
import type { Place } from '../../adapters/sqlite/usage-events.ts'
import { usageEvents } from '../../adapters/sqlite/usage-events.ts'
import type { UsageEvent } from '../../books/usage-event.ts'
import { parseDecimal } from '../../units/amount.ts'
import type { TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { owner } from './auth.ts'
import { dispatch, type Reply } from './router.ts'
import { routes } from './routes/all.ts'
import { lonelyOperator } from './testing.ts'
import { withBooks } from './testing-day.ts'

const everything = { tenant: undefined, from_ms: 0, to_ms: Number.MAX_SAFE_INTEGER, after: undefined, limit: 7 }

test('a reader with a cursor sees each settled request once, however the pages fall, also what is booked late', () => {
  withBooks((store) => {
    for (const [index, limit] of [1, 7, 1000].entries()) {
      const seen: UsageEvent[] = []
      let after: Place | undefined
      for (let more = true; more; ) {
        const page = usageEvents(store, { ...everything, after, limit })
        assert(page.events.length <= limit)
        seen.push(...page.events)
        after = page.next
        more = page.more
      }
      const settled = all<{ id: string }>(store.database, 'select id from request order by id').map((row) => row.id)
      assert(settled.length > 20)
      assert.deepEqual(seen.map((event) => event.id).sort(), settled)
      // Ended long before the last one that was read, and booked after it.
      const late = closeRow(900 + limit, { tenant: id<TenantId>('t0'), closed_ms: 1000 })
      ingestJournal(store, gateway, journaled([late], index + 1))
      const rest = usageEvents(store, { ...everything, after, limit: 1000 })
      assert.deepEqual(
        rest.events.map((event) => event.id),
        [late.id],
      )
      assert.deepEqual(usageEvents(store, { ...everything, after: rest.next }).events, [])
    }
  })
})

test('what events cost is what statements say, and an event is a CloudEvent', () => {
  withBooks((store) => {
    for (const tenant of ['t0', 't1', 't2']) {
      const { events } = usageEvents(store, { ...everything, tenant, to_ms: dayEnd_ms + 1, limit: 1000 })
      const made = statement(store, id<TenantId>(tenant), 0, dayEnd_ms + 1)
      const cost = events.reduce((sum, { data }) => sum + (parseDecimal(data.cost, 9) ?? assert.fail(data.cost)), 0n)
      assert.equal(cost, parseDecimal(made.total_usd, 9))
      assert.equal(events.length, made.requests)
      const billed = events
        .flatMap(({ data }) => Object.values(data.tokens))
        .reduce((sum: number, n) => sum + (n ?? 0), 0)
      assert.equal(
        billed,
        made.lines.reduce((sum, line) => sum + line.tokens, 0),
      )
      for (const event of events) {
        assert.equal(event.specversion, '1.0')
        assert.match(event.source, /^\/[a-z/]+$/)
        assert(event.id && event.type && event.subject === tenant)
        assert.equal(new Date(event.time).toISOString(), event.time)
      }
    }
  })
})

test('the routes: a page, a batch with its header, and what is asked wrongly', async () => {
  const { factory } = await lonelyOperator()
  setTestPrice(factory.store)
  const rows = [1, 2, 3].map((n) => closeRow(n, { tenant: id<TenantId>('acme'), closed_ms: factory.now() }))
  ingestJournal(factory.store, gateway, journaled(rows))
  const ask = (url: string): Promise<Reply> => dispatch(routes, factory, { method: 'GET', url }, () => owner)
  const first = await ask('/api/books/events?limit=2')
  assert('json' in first.body)
  const { events, next, more } = first.body.json as { events: UsageEvent[]; next: string; more: boolean }
  assert.deepEqual([events.length, more], [2, true])
  const batch = await ask(`/api/books/events?format=batch&after=${encodeURIComponent(next)}`)
  assert('text' in batch.body)
  assert.match(batch.headers?.['content-type'] ?? '', /^application\/cloudevents-batch\+json/)
  assert.deepEqual(
    [...events, ...(JSON.parse(batch.body.text) as UsageEvent[])].map((event) => event.id).sort(),
    rows.map((row) => row.id).sort(),
  )
  const page = await ask('/api/books/statement?tenant=default&format=html')
  assert.equal(page.status, 200, JSON.stringify(page))
  assert.match(page.headers?.['content-type'] ?? '', /^text\/html/)
  for (const [url, code] of [
    ['/api/books/events?after=somewhere', 'invalid_value'],
    ['/api/books/events?tenant=nobody', 'not_found'],
    ['/api/books/focus?from=2027-01-01T00:30:00Z&to=2027-02-01', 'invalid_value'],
    ['/api/books/focus?by=day&from=2027-01-01T01:00:00Z&to=2027-02-01', 'invalid_value'],
    ['/api/books/focus?from=2027-02-01&to=2027-01-01', 'invalid_value'],
    ['/api/books/focus?tenant=nobody', 'not_found'],
  ] as const) {
    const { body } = await ask(url)
    assert('json' in body, url)
    assert.equal((body.json as { error: { code: string } }).error.code, code, url)
  }
  factory.store.database.exec("update counter set value = 490000 where name = 'statement_hours_from'")
  const old = await ask('/api/books/focus?from=2020-01-01&to=2027-01-01')
  assert('json' in old.body)
  assert.match((old.body.json as { error: { next: string } }).error.next, /--from 20\d\d-/)
})
