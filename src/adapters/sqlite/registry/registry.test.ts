import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { priceList } from '../../../books/price.ts'
import { parsePrice, price } from '../../../units/amount.ts'
import { id, type ModelId } from '../../../units/ids.ts'
import { makeHome } from '../../files/home.ts'
import { parseSnapshot } from '../../operator/contract.ts'
import { hashKey } from '../../random/secret.ts'
import { openStore, type Store } from '../store.ts'
import { all } from './change.ts'
import { addEngine, drainEngine, embedded, listEngines, moveEngine, removeEngine } from './engines.ts'
import { createKey, findKey, listKeys, type NewKey, revokeKey, rotateKey } from './keys.ts'
import { addModelFile, removeModelFile } from './models.ts'
import { listPrices, pricesInForce, setPrice } from './prices.ts'
import { seed } from './seed.ts'
import { sitesAt } from './sites.ts'
import { snapshotNumber, wireSnapshot } from './snapshot.ts'
import { createApplication } from './tenants.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

const starter = {
  name: 'starter',
  path: '/m/models/starter/starter.gguf',
  sha256: 'a'.repeat(64),
  bytes: 5,
  created_ms: 1,
}
const pepper = Buffer.from('pepper')
const plain: NewKey = {
  tenant: 'acme',
  application: 'default',
  models: null,
  requests_per_minute: null,
  tokens_per_minute: null,
  expires_ms: null,
  slo: 'standard',
}

function freshStore(): Store {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-registry-'))
  roots.push(root)
  const store = openStore(makeHome(root))
  seed(store, { inside: true, gateways: 1, slots: 4, starter }, 1000)
  return store
}

test('a new store has a tenant, the embedded engine, and the starter with an example price', () => {
  const store = freshStore()
  assert.deepEqual(
    listEngines(store).map(({ name, models }) => [name, models]),
    [[embedded, { starter: 'starter' }]],
  )
  assert.match(listPrices(store)[0]?.note ?? '', /^example price/)
  const number = snapshotNumber(store)
  assert.equal(seed(store, { inside: true, gateways: 1, slots: 4, starter }, 2000).first, false)
  assert.equal(snapshotNumber(store), number, 'nothing changed, so no new snapshot')
  seed(
    store,
    { inside: true, gateways: 2, slots: 8, starter: { ...starter, path: '/elsewhere/models/starter/starter.gguf' } },
    2000,
  )
  assert.equal(wireSnapshot(store, 0).gateways, 2)
  assert.equal(listEngines(store)[0]?.concurrency, 8)
})

const upstream = (name: string, created_ms: number) => ({
  ...({
    name,
    vendor: 'openai',
    product: null,
    url: 'http://h/v1',
    key_from: null,
    metrics_url: null,
    chips: null,
  } as const),
  ...{ concurrency: 1, models: { q: 'Q' }, created_ms },
})

test('an engine stands at a site, which is kept of the time that it stood there', () => {
  const store = freshStore()
  const sites = () => parseSnapshot(JSON.parse(JSON.stringify(wireSnapshot(store, 0))))?.replicas.map((one) => one.site)
  addEngine(store, { ...upstream('far', 2000), site: id('eu-north') })
  addEngine(store, upstream('near', 2000))
  assert.deepEqual(
    listEngines(store).map(({ name, site }) => [name, site]),
    [
      [embedded, 'main'],
      ['far', 'eu-north'],
      ['near', 'main'],
    ],
  )
  assert.deepEqual(sites(), [undefined, 'eu-north', undefined], 'the main site need not be said')
  removeEngine(store, 'far', 3000)
  addEngine(store, { ...upstream('far', 4000), site: id('us-west') })
  const at = sitesAt(store)
  assert.deepEqual(
    [1999, 2000, 3500, 4000].map((ms) => at('far', ms)),
    ['main', 'eu-north', 'eu-north', 'us-west'],
  )
  const before = snapshotNumber(store)
  moveEngine(store, 'near', id('us-west'), 5000)
  moveEngine(store, 'near', id('us-west'), 6000)
  assert.deepEqual([snapshotNumber(store), sites()?.at(-1)], [before + 1, 'us-west'])
  assert.deepEqual([sitesAt(store)('near', 4999), sitesAt(store)('near', 5000)], ['main', 'us-west'])
  assert.throws(() => addEngine(store, { ...upstream('x', 1), site: id('eu north') }), /site name "eu north" has " "/)
  // Of the embedded one the settings say it, at each start.
  const number = snapshotNumber(store)
  seed(store, { inside: true, gateways: 1, slots: 4, starter, site: id('basement') }, 5000)
  assert.equal(snapshotNumber(store), number + 1)
  assert.equal(sites()?.[0], 'basement')
  seed(store, { inside: true, gateways: 1, slots: 4, starter, site: id('basement') }, 6000)
  assert.equal(snapshotNumber(store), number + 1, 'nothing changed')
})

test('every snapshot is valid for a gateway, and every change has a number of its own', () => {
  const store = freshStore()
  const seen = new Set<number>()
  const changes = [
    () => createKey(store, pepper, { ...plain, models: ['starter'], requests_per_minute: 3 }, 1000),
    () => createApplication(store, 'acme', 'support', 1000),
    () =>
      addEngine(store, {
        name: 'e',
        vendor: 'openai',
        product: null,
        metrics_url: null,
        chips: null,
        url: 'http://h/v1',
        key_from: null,
        concurrency: 1,
        models: { q: 'Q' },
        created_ms: 1,
      }),
    () =>
      addEngine(store, {
        name: 'f',
        vendor: 'anthropic',
        product: 'vllm',
        metrics_url: null,
        chips: null,
        url: 'http://h/v1',
        key_from: null,
        concurrency: 1,
        models: { c: 'C' },
        created_ms: 1,
      }),
    () => drainEngine(store, 'e', true),
    () => removeEngine(store, 'e', 2),
    () => addModelFile(store, { ...starter, name: 'two' }),
    () => removeModelFile(store, 'two'),
    () =>
      setPrice(store, {
        model: id('starter'),
        effective_from_ms: 5,
        perMillion: priceList(price(1n), price(2n)),
        note: '',
      }),
  ]
  for (const change of changes) {
    change()
    const snapshot = wireSnapshot(store, 2000)
    assert(parseSnapshot(JSON.parse(JSON.stringify(snapshot))), JSON.stringify(snapshot))
    assert(!seen.has(snapshot.number))
    seen.add(snapshot.number)
  }
})

test('a change that fails changes nothing, the number neither', () => {
  const store = freshStore()
  createApplication(store, 'acme', 'support', 1)
  const before = JSON.stringify(wireSnapshot(store, 0))
  assert.throws(() => createApplication(store, 'acme', 'support', 1), /already/)
  assert.throws(() => removeEngine(store, embedded, 2), /stays/)
  assert.throws(() => addModelFile(store, starter), /already/)
  assert.throws(() => createKey(store, pepper, { ...plain, tenant: 'a b' }, 1), /has " "/)
  assert.throws(() => createKey(store, pepper, { ...plain, expires_ms: 5 }, 10), /expired already/)
  assert.equal(JSON.stringify(wireSnapshot(store, 0)), before)
})

test('a key is nowhere in the store, and its hash is in the snapshot until it is revoked', () => {
  const store = freshStore()
  const { key, record } = createKey(store, pepper, plain, 1000)
  assert.match(key, /^wm-[A-Za-z0-9]{43}$/)
  const dump = JSON.stringify(all(store, 'select * from api_key'))
  assert(!dump.includes(key) && !dump.includes(key.slice(12)))
  const hashes = () => wireSnapshot(store, 0).grants.map((grant) => grant.hash)
  assert(hashes().includes(hashKey(pepper, key)))
  assert.equal(findKey(store, key).id, record.id, 'a whole key names itself')
  revokeKey(store, record.id, 2000)
  revokeKey(store, record.id, 3000)
  assert.equal(listKeys(store)[0]?.revoked_ms, 2000)
  assert(!hashes().includes(hashKey(pepper, key)))
  assert.throws(
    () => findKey(store, 'wm-nothing-of-the-kind'),
    (error: Error) => !error.message.includes('of-the-kind'),
  )
})

test('rotating keeps rights and lifetime, and ends the old key now or after the overlap', () => {
  const store = freshStore()
  const old = createKey(store, pepper, { ...plain, models: ['starter'], expires_ms: 11_000 }, 1000).record
  const next = rotateKey(store, pepper, old.id, 0, 5000).record
  assert.deepEqual([next.models, next.expires_ms], [['starter'], 15_000])
  assert.equal(findKey(store, old.id).revoked_ms, 5000)
  assert.throws(() => rotateKey(store, pepper, old.id, 0, 6000), /revoked/)
  rotateKey(store, pepper, next.id, 2000, 6000)
  assert.equal(findKey(store, next.id).expires_ms, 8000)
})

test('an expired key is known for a day, so that its owner is told', () => {
  const store = freshStore()
  createKey(store, pepper, { ...plain, expires_ms: 2000 }, 1000)
  assert.equal(wireSnapshot(store, 3000).grants.length, 1)
  assert.equal(wireSnapshot(store, 3000 + 25 * 3600 * 1000).grants.length, 0)
})

test('prices are versions: the newest whose day has come is in force', () => {
  const store = freshStore()
  const exact = parsePrice('0.037500001')
  assert(exact)
  const model = id<ModelId>('m')
  setPrice(store, { model, effective_from_ms: 10, perMillion: priceList(exact, price(2n)), note: 'first' })
  setPrice(store, { model, effective_from_ms: 1000, perMillion: priceList(price(3n), price(4n)), note: 'later' })
  const noteAt = (now: number) => pricesInForce(store, now).find((each) => String(each.model) === 'm')?.note
  assert.deepEqual([noteAt(5), noteAt(10), noteAt(999), noteAt(1000)], [undefined, 'first', 'first', 'later'])
  assert.equal(listPrices(store, 'm')[0]?.perMillion.input_uncached, 37_500_001n)
  const dear = { model, effective_from_ms: 1, perMillion: priceList(price(10n ** 16n), price(1n)), note: '' }
  assert.throws(() => setPrice(store, dear), /above \$1,000,000/)
})
