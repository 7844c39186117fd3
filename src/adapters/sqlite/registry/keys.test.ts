import assert from 'node:assert/strict'
import { test } from 'node:test'
import { periodOf } from '../../../books/allowance.ts'
import { Leases } from '../leases.ts'
import { all, run } from '../query.ts'
import { openStore } from '../store.ts'
import { lateTurn, testHome } from '../testing.ts'
import { everyAllowance, setAllowance } from './allowances.ts'
import { allowancesOfKey } from './budget.ts'
import { findTenant, keysMadeSince, setKeyQuota } from './key-quota.ts'
import { createKey, keyById, keyByKey, type NewKey, revokeKey, rotateKey } from './keys.ts'
import { Sessions } from './sessions.ts'

const pepper = Buffer.from('pepper')
const day_ms = 86_400_000
const plain: NewKey = {
  tenant: 'acme',
  application: 'default',
  models: null,
  requests_per_minute: null,
  tokens_per_minute: null,
  expires_ms: null,
  slo: 'standard',
}

test('a key that is rotated has its budgets, and of each what the old one had used', () => {
  using home = testHome()
  const store = openStore(home)
  const now = 100 * day_ms
  const old = createKey(store, pepper, plain, now, 25n).record
  const of = { scope: 'key', of: old.id } as const
  setAllowance(store, { ...of, unit: 'tokens', renews: 'day', amount: 1000n }, now)
  setAllowance(store, { ...of, unit: 'requests', renews: 'minute', amount: 60n }, now)
  setAllowance(store, { ...of, unit: 'concurrent', renews: 'release', amount: 4n }, now)
  const granted = (allowance: string, period: number, incarnation: string, amount: number): void =>
    void run(
      store.database,
      'insert into lease (allowance, period, incarnation, granted) values (?, ?, ?, ?)',
      allowance,
      period,
      incarnation,
      amount,
    )
  for (const { id, renews, unit } of allowancesOfKey(store, old.id)) {
    if (renews === 'minute') continue
    granted(id, periodOf(renews, now), 'gw1', unit === 'concurrent' ? 1 : 7)
    granted(id, periodOf(renews, now), 'gw2', unit === 'concurrent' ? 1 : 8)
    if (renews === 'day') granted(id, periodOf(renews, now) - 1, 'gw1', 900)
  }

  const next = rotateKey(store, pepper, old.id, 0, now).record
  const leases = new Leases(store)
  const left = Object.fromEntries(
    everyAllowance(store)
      .filter((one) => one.of === next.id)
      .map((one) => [one.unit, [one.amount, leases.left(one, now)]]),
  )
  assert.deepEqual(left, {
    'nano-USD': [25n, 10n],
    tokens: [1000n, 985n],
    requests: [60n, 60n],
    concurrent: [4n, 4n], // what runs gives its place back to the key that took it
  })
  const again = rotateKey(store, pepper, next.id, 0, now).record
  const budget = everyAllowance(store).find((one) => one.of === again.id && one.unit === 'nano-USD')
  assert(budget)
  assert.equal(leases.left(budget, now), 10n, 'rotating it again fills nothing up either')
  store.close()
})

test('a key that another operator rotates at the same moment is rotated once: its budget is not had twice', () => {
  using home = testHome()
  const store = openStore(home)
  const { id } = createKey(store, pepper, plain, 1000, 25n).record
  const late = lateTurn(store, () => void rotateKey(store, pepper, id, 0, 2000))
  assert.throws(() => rotateKey(late, pepper, id, 0, 2000), /is revoked/)
  assert.equal(everyAllowance(store).length, 2, 'of the old one and of the new one')
  store.close()
})

test('a lifetime begins anew, or goes on where its tenant rotates it', () => {
  using home = testHome()
  const store = openStore(home)
  const make = () => createKey(store, pepper, { ...plain, expires_ms: 11_000 }, 1000).record
  assert.equal(rotateKey(store, pepper, make().id, 0, 5000).record.expires_ms, 15_000)
  assert.equal(rotateKey(store, pepper, make().id, 0, 5000, 'tenant').record.expires_ms, 11_000)
  const endless = createKey(store, pepper, plain, 1000).record
  assert.equal(rotateKey(store, pepper, endless.id, 0, 5000, 'tenant').record.expires_ms, null)
  store.close()
})

test('a key is found while it is in force, by itself and by its id; its sessions go with it', () => {
  using home = testHome()
  const store = openStore(home)
  const { key, record } = createKey(store, pepper, { ...plain, models: ['m'], expires_ms: 9000 }, 1000)
  assert.deepEqual(keyByKey(store, pepper, key, 8999), record)
  assert.deepEqual(keyById(store, record.id, 8999), record)
  assert.equal(keyByKey(store, pepper, key, 9000), undefined)
  assert.equal(keyByKey(store, Buffer.from('another'), key, 2000), undefined)
  assert.equal(keyByKey(store, pepper, record.prefix, 2000), undefined, 'what is shown of it is no key')
  new Sessions(store, 'admin').begin('token', 1000, { admin_key: null, api_key: record.id })
  revokeKey(store, record.id, 3000)
  assert.equal(keyById(store, record.id, 4000), undefined)
  assert.deepEqual(all(store.database, 'select * from session'), [])
  store.close()
})

test('a quota counts keys in force, and how fast a tenant makes keys counts all that it made', () => {
  using home = testHome()
  const store = openStore(home)
  const first = createKey(store, pepper, { ...plain, by_tenant: true }, 1000).record
  createKey(store, pepper, { ...plain, expires_ms: 5000, by_tenant: true }, 2000)
  createKey(store, pepper, { ...plain, tenant: 'rival' }, 2000)
  assert.deepEqual({ ...findTenant(store, 'acme', 4000) }, { tenant: 'acme', key_quota: 0, created_ms: 1000, keys: 2 })
  assert.equal(setKeyQuota(store, 'acme', 3, 5000).keys, 1)
  revokeKey(store, first.id, 5000)
  assert.deepEqual([findTenant(store, 'acme', 5000).keys, findTenant(store, 'acme', 5000).key_quota], [0, 3])
  assert.deepEqual([keysMadeSince(store, 'acme', 1000), keysMadeSince(store, 'acme', 1001)], [2, 1])
  const made = createKey(store, pepper, { ...plain, tenant: 'acme' }, 6000).record
  assert.equal(keysMadeSince(store, 'acme', 1000), 2, 'what the factory makes is not its')
  assert.equal(rotateKey(store, pepper, made.id, 0, 6000, 'tenant').record.by_tenant, true)
  assert.equal(keysMadeSince(store, 'acme', 1000), 3)
  assert.throws(() => setKeyQuota(store, 'nobody', 3, 5000), /no tenant nobody/)
  store.close()
})
