import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { receipt, statement } from '../../adapters/sqlite/answers.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { exportBooks } from '../../adapters/sqlite/export.ts'
import { one, run } from '../../adapters/sqlite/query.ts'
import { requestsPage } from '../../adapters/sqlite/requests.ts'
import { ofSqlite } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms } from '../../adapters/sqlite/testing-factory.ts'
import type { TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { withBooks } from './testing-day.ts'

const someRequest = "(select id from request where outcome = 'complete' and price_version = 1 order by id limit 1)"

/** One change each; what it must be found as. */
const tamperings: readonly (readonly [name: string, sql: string, found: RegExp])[] = [
  [
    'a charge',
    `update transfer set amount = amount + 1 where id = (select id from transfer where unit = 'nano-USD' order by id limit 1)`,
    /transfer/,
  ],
  [
    'where tokens went',
    `update transfer set credit = 'tenant/thief/x' where id = (select id from transfer where unit = 'token' limit 1)`,
    /transfer/,
  ],
  [
    'when',
    `update transfer set at_ms = at_ms + 86400000 where id = (select id from transfer where unit = 'token' limit 1)`,
    /transfer/,
  ],
  [
    'a transfer is gone',
    `delete from transfer where id = (select id from transfer where unit = 'nano-USD' limit 1)`,
    /transfer/,
  ],
  [
    'a transfer too many',
    `insert into transfer values ('x', 'nano-USD', 'tenant/t0/support', 'revenue/m/reasoning', 5, ${someRequest}, 1)`,
    /transfer/,
  ],
  ['one without a request', `insert into transfer values ('x/token/y', 'token', 'a', 'b', 5, null, 1)`, /transfer/],
  [
    'energy',
    `update transfer set amount = amount + 1 where id = (select id from transfer where unit = 'mJ' limit 1)`,
    /transfer/,
  ],
  [
    'energy from nowhere',
    `insert into transfer values ('rapl-0/99999/idle', 'mJ', 'meter/rapl-0', 'idle/shared-pool', 5, null, 1)`,
    /transfer/,
  ],
  [
    'another tenant pays the energy',
    `update transfer set credit = 'tenant/thief/x' where id = (select id from transfer where unit = 'mJ' and request is not null limit 1)`,
    /transfer/,
  ],
  ['a balance', 'update balance set amount = amount + 1 where rowid = (select max(rowid) from balance)', /balance/],
  ['a balance is gone', 'delete from balance where rowid = 1', /balance/],
  ['a balance too many', `insert into balance values ('nobody', 'token', 1, 0)`, /balance/],
  ["a request's outcome", `update request set outcome = 'timeout' where id = ${someRequest}`, /request/],
  ["a request's tenant", `update request set tenant = 'other' where id = ${someRequest}`, /request/],
  [
    "a request's body",
    `update request set body = replace(body, '"tokens":', '"tokens":1') where id = ${someRequest}`,
    /request/,
  ],
  ['a request is gone', `delete from request where id = ${someRequest}`, /transfer/],
  ['a price', 'update price set output_visible = output_visible + 1000000', /transfer/],
  [
    "an engine's count",
    `update engine_attempt set output = output + 1 where id = (select id from engine_attempt order by id limit 1)`,
    /transfer/,
  ],
  [
    "an engine's attempt is gone",
    `delete from engine_attempt where id = (select attempt from engine_second limit 1)`,
    /transfer|engine_second/,
  ],
  ['who worked when', 'update engine_second set tokens = tokens + 100 where rowid_is_first', /transfer/],
  ["a meter's figure", 'update meter_interval set energy_mj = energy_mj + 1 where sequence = 40', /transfer|interval/],
  ["a meter's time", 'update meter_interval set from_ms = from_ms - 1 where sequence = 40', /interval/],
  ["a meter's grade", `update meter_interval set grade = 'simulated' where sequence = 40`, /interval/],
  [
    "a meter's idle floor",
    'update meter_interval set idle_mj = idle_mj - 1 where sequence in (select i.sequence from meter_interval i join transfer t on t.at_ms = i.to_ms and t.request is not null limit 1)',
    /transfer/,
  ],
  ['an interval is gone', 'delete from meter_interval where sequence = 40', /transfer|interval/],
]

test('whatever is changed behind the books is found', ofSqlite, () => {
  withBooks((store) => {
    assert.equal(check(store).conserved, true)
    for (const [name, sql, what] of tamperings) {
      store.database.exec('begin; pragma defer_foreign_keys = on')
      const change = sql.replace(
        'where rowid_is_first',
        'where (second, attempt) in (select second, attempt from engine_second where tokens > 0 order by second limit 1 offset 20)',
      )
      assert.equal(run(store.database, change), 1, `${name}: a change that changes nothing proves nothing`)
      const found = check(store)
      store.database.exec('rollback')
      assert.equal(found.conserved, false, `${name} was not found`)
      assert.match(found.first_broken?.what ?? '', what, name)
    }
    assert.equal(check(store).conserved, true, 'all of it was rolled back')
  })
})

test("statements of all tenants add up to the ledger's revenue, and receipts to the statements", () => {
  withBooks((store) => {
    const nano = (usd: string): bigint => {
      const [whole = '0', fraction = ''] = usd.split('.')
      return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
    }
    // Up to and with the moment of the settling: a dead gateway's request without logged work is closed then.
    const statements = ['t0', 't1', 't2', 'nobody'].map((tenant) =>
      statement(store, id<TenantId>(tenant), 0, dayEnd_ms + 1),
    )
    const owed = statements.reduce((sum, one) => sum + nano(one.total_usd), 0n)
    const revenue = "select sum(amount) as n from balance where unit = 'nano-USD' and account like 'revenue/%'"
    assert.equal(owed, BigInt(one<{ n: number }>(store.database, revenue)?.n ?? -1))
    assert(owed > 0n)

    const { requests: lines } = requestsPage(store, 1000)
    assert.equal(
      lines.length,
      statements.reduce((sum, one) => sum + one.requests, 0),
    )
    const receipts = lines.map((line) => receipt(store, line.id))
    const charged = receipts.reduce((sum, one) => sum + (one?.state === 'settled' ? nano(one.cost_usd) : 0n), 0n)
    assert.equal(charged, owed)
    const energy = receipts.reduce(
      (sum, one) => sum + (one?.state === 'settled' ? BigInt(one.energy.energy_mj ?? 0) : 0n),
      0n,
    )
    const drawn = "select sum(amount) as n from transfer where unit = 'mJ' and request is not null"
    const foreign = "select coalesce(sum(amount), 0) as n from transfer where unit = 'mJ' and credit = 'waste/foreign'"
    const total = (sql: string): bigint => BigInt(one<{ n: number }>(store.database, sql)?.n ?? 0)
    assert.equal(energy, total(drawn) - total(foreign))
    assert(lines.every((line) => line.energy_final === (line.energy_mj !== null)))
    assert.equal(receipt(store, 'unknown'), undefined)

    const billedTo = statements
      .flatMap(({ energy }) => energy)
      .reduce((sum, { energy_mj }) => sum + BigInt(energy_mj), 0n)
    assert.equal(billedTo, total("select sum(amount) as n from transfer where unit = 'mJ' and credit like 'tenant/%'"))
  })
})

test('the export says every record, in an order that does not change, and its hashes hold', () => {
  withBooks((store) => {
    const lines = [...exportBooks(store)]
    assert.deepEqual(lines, [...exportBooks(store)])
    const records = lines.map((line) => JSON.parse(line))
    for (const name of ['journal', 'price', 'request', 'attempt', 'second', 'interval', 'transfer', 'balance'])
      assert(
        records.some(({ record }) => record === name),
        name,
      )
    for (const { record, body, hash, amount } of records) {
      if (record === 'request') assert.equal(createHash('sha256').update(body).digest('hex'), hash)
      if (record === 'transfer') assert.equal(typeof amount, 'string')
    }
  })
})
