/**
 * Rolls up what is older than the books keep whole: requests first, then the intervals in which no request that is kept
 * worked, then what engines did for them. Every step is a transaction that adds to the sums what it takes away, and takes
 * little, so that the operator may be killed at any point and nobody waits for it.
 */

import { accounts } from '../../books/account.ts'
import { bearerOf, causeOf } from '../../books/bearer.ts'
import { Rollup } from '../../books/rollup.ts'
import type { CloseRow } from '../../books/row.ts'
import type { AttemptId } from '../../units/ids.ts'
import { transferOf } from './books.ts'
import { oldestUncosted } from './costs/close-hours.ts'
import { freezeHours, frozenHours, markRolled } from './costs/frozen.ts'
import { type IntervalRow, intervalOf } from './intervals.ts'
import { namedUnder, under } from './ledger.ts'
import { isOfWaited } from './nodes.ts'
import { Prices } from './price-of.ts'
import { all, allBig, one, run } from './query.ts'
import { keepRollup } from './rolled.ts'
import type { Store } from './store.ts'

/** Of each kind in one turn: some 50 ms of work. */
const batch = 200

/** Rolls up a part of what ended before `before_ms`; true when there may be more. */
export function rollUp(store: Store, before_ms: number): boolean {
  const until_ms = Math.min(before_ms, oldestUnsettled(store))
  store.transaction(() => freezeHours(store, until_ms))
  const steps = [rollCosts, rollRequests, rollForeign, rollIntervals, rollLooks]
  const counts = steps.map((step) => store.transaction(() => step(store, until_ms)))
  const dropped = store.transaction(() => dropAttempts(store))
  return [...counts, dropped].some((count) => count === batch)
}

/**
 * Nothing that began after this moment is rolled up: it may still be needed to settle, compare or attribute what is open.
 * A second on either side belongs to it, since work is counted in whole seconds.
 */
function oldestUnsettled({ database }: Store): number {
  const open = [
    'select min(from_ms) as at from meter_interval where posted_ms is null',
    'select min(from_ms) as at from upper_interval where closed_ms is null',
    'select min(from_ms) as at from engine_counted where foreign_prompt is null',
    `select min(json_extract(body, '$.at_ms')) as at from open_request o where ${isOfWaited('o.incarnation')}`,
    'select min(last_ms) as at from engine_attempt where reconciled = 0 and bearer is null',
  ].map((sql) => one<{ at: number | null }>(database, sql)?.at ?? Number.POSITIVE_INFINITY)
  return Math.min(...open, oldestUncosted({ database })) - 2000
}

function rollCosts(store: Store, until_ms: number): number {
  const rollup = new Rollup()
  const hours = frozenHours(store, until_ms, batch)
  for (const hour of hours) rollup.post(take(store, `cost/${hour}`))
  keepRollup(store, rollup)
  markRolled(store, hours)
  return hours.length
}

const settled = `
  select id, body from request r
  where closed_ms < ?
    and not exists (select 1 from engine_attempt a where a.request = r.id and (a.reconciled = 0 or a.final = 0))
  order by closed_ms, id limit ${batch}`

function rollRequests(store: Store, until_ms: number): number {
  const { database } = store
  const rows = all<{ id: string; body: string }>(database, settled, until_ms)
  const prices = new Prices(database)
  const rollup = new Rollup()
  for (const { id, body } of rows) {
    const row = JSON.parse(body) as CloseRow
    const price = row.price_version === null ? undefined : prices.of(row.price_version)
    rollup.request(row, price, take(store, id))
    keepBearers(store, row)
    run(database, 'delete from request where id = ?', id)
  }
  keepRollup(store, rollup)
  return rows.length
}

/** Its energy stays with its intervals, some of which may be kept: they must find who bears it. */
function keepBearers({ database }: Store, row: CloseRow): void {
  for (const [table, name] of [
    ['engine_attempt', 'id'],
    ['window_work', 'attempt'],
  ] as const)
    for (const { attempt } of all<{ attempt: AttemptId }>(
      database,
      `select distinct ${name} as attempt from ${table} where request = ?`,
      row.id,
    ))
      run(
        database,
        `update ${table} set bearer = coalesce(bearer, ?) where request = ? and ${name} = ?`,
        bearerOf(row, attempt),
        row.id,
        attempt,
      )
}

/** Work of engines of ours that no gateway of ours asked for: looked for among the oldest, which are first in their table. */
const foreign = `
  select id from (select rowid, * from engine_attempt order by rowid limit 5000) a
  where a.bearer is null and a.reconciled = 1 and a.final = 1 and a.last_ms < ?
    and not exists (select 1 from request r where r.id = a.request)
  limit ${batch}`

function rollForeign(store: Store, until_ms: number): number {
  const { database } = store
  const rows = all<{ id: AttemptId }>(database, foreign, until_ms)
  const rollup = new Rollup()
  for (const { id } of rows) {
    rollup.post(take(store, `${id}/token`))
    run(
      database,
      'update engine_attempt set bearer = ? where id = ?',
      accounts.waste(causeOf(undefined, id) ?? 'foreign'),
      id,
    )
  }
  keepRollup(store, rollup)
  return rows.length
}

/** Takes out the transfers that are named under something. */
function take({ database }: Store, name: string) {
  const transfers = namedUnder(database, name).map(transferOf)
  run(database, 'delete from transfer where id >= ? and id < ?', ...under(name))
  return transfers
}

/** Attributed, without a part of a request that is kept whole; the newest of a meter stays, since the next one follows it. */
const attributed = `
  select i.* from meter_interval i
  where i.to_ms < ? and i.posted_ms is not null
    and i.sequence < (select max(sequence) from meter_interval m where m.meter = i.meter)
    and not exists (
      select 1 from engine_second s join engine_attempt a on a.id = s.attempt join request r on r.id = a.request
      where s.second >= (i.from_ms + 499) / 1000 and s.second < (i.to_ms + 499) / 1000
    )
    and not exists (
      select 1 from window_work w join request r on r.id = w.request where w.meter = i.meter and w.sequence = i.sequence
    )
    and not exists (
      select 1 from upper_interval u
      join transfer t on t.id >= u.meter || '/' || u.sequence || '/' and t.id < u.meter || '/' || u.sequence || '0'
      join request r on r.id = t.request where u.meter = i.meter and u.sequence = i.sequence
    )
  order by i.to_ms, i.meter limit ${batch}`

function rollIntervals(store: Store, until_ms: number): number {
  const { database } = store
  const rows = allBig<IntervalRow>(database, attributed, until_ms)
  const rollup = new Rollup()
  for (const row of rows) {
    const { meter, sequence } = row
    rollup.interval(intervalOf(row), take(store, `${meter}/${sequence}`), row.slices === null ? row.grade : 'estimated')
    run(database, 'delete from window_work where meter = ? and sequence = ?', meter, sequence)
    for (const table of ['upper_part', 'upper_interval', 'meter_interval'])
      run(database, `delete from ${table} where meter = ? and sequence = ?`, meter, sequence)
  }
  keepRollup(store, rollup)
  return rows.length
}

/** Compared; the newest of an engine stays, since its balance is carried on. */
const compared = `
  select engine, to_ms from engine_counted c
  where c.to_ms < ? and c.foreign_prompt is not null
    and c.to_ms < (select max(to_ms) from engine_counted d where d.engine = c.engine)
  order by c.to_ms, c.engine limit ${batch}`

function rollLooks(store: Store, until_ms: number): number {
  const { database } = store
  const rows = all<{ engine: string; to_ms: number }>(database, compared, until_ms)
  const rollup = new Rollup()
  for (const { engine, to_ms } of rows) {
    rollup.post(take(store, `${engine}/counted/${to_ms}`))
    run(database, 'delete from engine_counted where engine = ? and to_ms = ?', engine, to_ms)
  }
  keepRollup(store, rollup)
  return rows.length
}

const rolledAttempts = `
  select a.id, min(s.second) as first, max(s.second) as last
  from (
    select id from engine_attempt e where bearer is not null and reconciled = 1
      and not exists (select 1 from request r where r.id = e.request) order by last_ms limit ${batch}
  ) a
  left join engine_second s on s.attempt = a.id group by a.id`

/** What engines did for requests that are rolled up, once no interval that is kept needs it. */
function dropAttempts(store: Store): number {
  const { database } = store
  const kept = keptSpans(store)
  const rows = all<{ id: string; first: number | null; last: number | null }>(database, rolledAttempts)
  const free = rows.filter(
    ({ first, last }) => first === null || last === null || kept.every(([from, to]) => last < from || first >= to),
  )
  for (const { id } of free) {
    run(database, 'delete from engine_second where attempt = ?', id)
    run(database, 'delete from engine_attempt where id = ?', id)
  }
  return free.length
}

/** Seconds that intervals of each meter may cover: from its oldest on; of a meter that has but its newest left, that one's. */
function keptSpans({ database }: Store): (readonly [from: number, to: number])[] {
  const edge = (meter: string, order: 'asc' | 'desc') =>
    one<{ sequence: number; from_ms: number; to_ms: number }>(
      database,
      `select sequence, from_ms, to_ms from meter_interval where meter = ? order by sequence ${order} limit 1`,
      meter,
    )
  return all<{ meter: string }>(database, 'select distinct meter from meter_interval').flatMap(({ meter }) => {
    const [oldest, newest] = [edge(meter, 'asc'), edge(meter, 'desc')]
    if (!oldest || !newest) return []
    const to = oldest.sequence === newest.sequence ? Math.ceil(newest.to_ms / 1000) + 1 : Number.POSITIVE_INFINITY
    return [[Math.floor(oldest.from_ms / 1000) - 1, to]]
  })
}
