import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowance } from '../../../books/allowance.ts'
import { all } from '../query.ts'
import { setAllowance } from '../registry/allowances.ts'
import { createKey, revokeKey } from '../registry/keys.ts'
import { createApplication } from '../registry/tenants.ts'
import { openStore, type Store } from '../store.ts'
import { onPostgres, testHome } from '../testing.ts'
import { audited } from './audited.ts'
import { checkChain, listChanges } from './log.ts'

const pepper = Buffer.from('pepper')
const asked = {
  tenant: 'acme',
  application: 'app',
  models: null,
  requests_per_minute: 5,
  tokens_per_minute: null,
  expires_ms: null,
  slo: 'standard',
} as const
const ada = () => ({ who: 'Ada', action: 'POST /api/keys', logged: false })
const newest = (store: Store, limit = 100) => listChanges(store.database, { limit })

test('a change is logged with who, what, before and after, and without the hash of a key', () => {
  using home = testHome()
  const store = openStore(home)
  const { key, record } = createKey(store.as(ada()), pepper, asked, 1000)
  revokeKey(store.as({ ...ada(), who: 'Bob' }), record.id, 2000)
  const [revoked, made, application, tenant] = newest(store)
  assert.deepEqual(
    [tenant, application, made, revoked].map((one) => [one?.who, one?.kind, one?.what]),
    [
      ['Ada', 'tenant', 'acme'],
      ['Ada', 'application', 'acme/app'],
      ['Ada', 'key', record.id],
      ['Bob', 'key', record.id],
    ],
  )
  assert.equal(made?.before, null)
  assert.deepEqual(revoked?.before, made?.after)
  assert.equal(JSON.parse(revoked?.after ?? '').revoked_ms, 2000)
  const stored = all<{ hash: string }>(store.database, 'select hash from api_key')[0]?.hash ?? 'none'
  const log = JSON.stringify(all(store.database, 'select * from change_log'))
  assert(!log.includes(key) && !log.includes(stored))
  store.close()
})

test('what failed left no line, and neither did what changed nothing', () => {
  using home = testHome()
  const store = openStore(home)
  createApplication(store, 'acme', 'app', 1)
  const before = newest(store).length
  assert.throws(() => createApplication(store.as(ada()), 'acme', 'app', 2), /already/)
  assert.throws(() =>
    store.transaction(() => {
      createApplication(store, 'acme', 'other', 3)
      throw new Error('crash')
    }),
  )
  const budget = { scope: 'tenant', of: 'acme', unit: 'nano-USD', renews: 'never', amount: 10n ** 18n - 1n } as const
  setAllowance(store, budget, 4)
  setAllowance(store, budget, 5)
  assert.equal(newest(store).length, before + 1)
  assert.match(newest(store, 1)[0]?.after ?? '', /"amount":999999999999999999/, 'exact beyond 2^53')
  assert.equal(newest(store, 1)[0]?.what, allowance(budget).id)
  store.close()
})

test('the log is only added to; who gets around that is found out by the chain', () => {
  using home = testHome()
  const store = openStore(home)
  for (let number = 0; number < 5; number++) createApplication(store, 'acme', `app${number}`, number)
  const { changes, whole, hash } = checkChain(store.database)
  assert.deepEqual([changes, whole], [6, true])
  assert.throws(() => store.database.exec("update change_log set who = 'x'"), /only added to/)
  assert.throws(() => store.database.exec('delete from change_log'), /only added to/)
  store.close()

  const again = openStore(home)
  createApplication(again, 'acme', 'later', 9)
  assert.equal(checkChain(again.database).whole, true, 'it goes on after a start')
  const unguard = ['drop trigger change_log_stays', 'drop trigger change_log_keeps']
  for (const drop of unguard) again.database.exec(`${drop}${onPostgres ? ' on change_log' : ''}`)
  again.database.exec("update change_log set who = 'x' where seq = 3")
  assert.deepEqual([checkChain(again.database).whole, checkChain(again.database).broken_at], [false, 3])
  again.database.exec("update change_log set who = 'wattmill' where seq = 3; delete from change_log where seq = 7")
  assert.equal(checkChain(again.database).hash, hash, 'what is cut off at the end is seen by the last hash alone')
  again.database.exec('delete from change_log where seq = 2')
  assert.equal(checkChain(again.database).broken_at, 3)
  again.close()
})

test('every table of what people set is watched, and nothing that the factory writes by itself', () => {
  using home = testHome()
  const store = openStore(home)
  const list = onPostgres
    ? "select tablename as name from pg_tables where schemaname = current_schema() and tablename <> 'schema_version' order by 1"
    : "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name"
  const tables = all<{ name: string }>(store.database, list).map(({ name }) => name)
  const watched = new Set(audited.map(({ table }) => table))
  for (const table of watched) assert(tables.includes(table), table)
  // A new table must be put on one side or the other.
  assert.deepEqual(
    tables.filter((table) => !watched.has(table)),
    written,
  )
  store.close()
})

/** Books, logs read, leases, sessions and what is learned. */
const written = [
  'balance',
  'busy_hour',
  'cap_decision',
  'change_log',
  'closed_hour',
  'cost_hour',
  'counter',
  'credit_only',
  'demand_hour',
  'engine_attempt',
  'engine_counted',
  'engine_log',
  'engine_second',
  'filed_cost',
  'journal',
  'learned',
  'lease',
  'lease_rate',
  'meter',
  'meter_interval',
  'node',
  'notice',
  'notice_delivery',
  'noticed',
  'open_request',
  'pnl_sum',
  'quarantine',
  'request',
  'rolled_day',
  'rolled_interval',
  'rolled_part',
  'rolled_transfer',
  'served_hour',
  'session',
  'statement_energy',
  'statement_hour',
  'statement_part',
  'step_fit',
  'step_observation',
  'tally',
  'terms_done',
  'terms_month',
  'terms_sum',
  'transfer',
  'upper_hour',
  'upper_interval',
  'upper_part',
  'window_work',
  'work_hour',
]
