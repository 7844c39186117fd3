import assert from 'node:assert/strict'
import { test } from 'node:test'
import { price } from '../units/amount.ts'
import type { SiteId, TenantId } from '../units/ids.ts'
import { id } from '../units/ids.ts'
import type { PriceOf, PriceVersion } from './price.ts'
import { priceAt, pricedSites, priceList, pricesAt } from './price.ts'
import type { SloClass } from './slo-class.ts'

const set = (version: number, effective_from_ms: number, slo?: SloClass, model = 'm'): PriceVersion => ({
  version,
  model: id(model),
  effective_from_ms,
  perMillion: priceList(price(BigInt(version)), price(BigInt(version))),
  ...(slo && { slo }),
  note: '',
})
const versions = [
  set(1, 0),
  set(2, 10, 'batch'),
  set(3, 20),
  set(4, 30, 'batch'),
  set(5, 30, 'batch'),
  set(6, 0, 'batch', 'n'),
]

for (const [at, slo, expected] of [
  [5, 'batch', 1],
  [10, 'batch', 2],
  [25, 'batch', 2],
  [25, 'standard', 3],
  [25, undefined, 3],
  [30, 'batch', 5],
  [30, 'interactive', 3],
  [-1, 'batch', undefined],
] as const)
  test(`at ${at} a request of class ${slo} has price ${expected}`, () => {
    const shuffled = [versions, versions.toReversed()]
    for (const all of shuffled) assert.equal(priceAt(all, { model: id('m'), slo }, at)?.version, expected)
  })

test('a price for one class is none for the others', () => {
  assert.equal(priceAt(versions, { model: id('n'), slo: 'batch' }, 5)?.version, 6)
  assert.equal(priceAt(versions, { model: id('n'), slo: 'standard' }, 5), undefined)
  assert.deepEqual(
    pricesAt(versions, 30).map(({ version }) => version),
    [3, 5, 6],
    'of a model that of all classes first',
  )
})

test("a contract's price goes before the public list, for its tenant alone", () => {
  const acme = id<TenantId>('acme')
  const own = { ...set(7, 15), tenant: acme }
  const all = [...versions, own]
  assert.equal(priceAt(all, { model: id('m'), tenant: acme, slo: 'batch' }, 25)?.version, 7)
  assert.equal(priceAt(all, { model: id('m'), tenant: acme, slo: 'batch' }, 12)?.version, 2, 'it has not begun')
  assert.equal(priceAt(all, { model: id('m'), tenant: id('other'), slo: 'batch' }, 25)?.version, 2)
  assert.equal(priceAt(all, { model: id('n'), tenant: acme, slo: 'batch' }, 25)?.version, 6, 'it names no price of n')
  const batch = { ...set(8, 15, 'batch'), tenant: acme }
  assert.equal(priceAt([...all, batch], { model: id('m'), tenant: acme, slo: 'batch' }, 25)?.version, 8)
  assert.deepEqual(
    pricesAt([...all, batch], 30).map(({ version }) => version),
    [3, 5, 7, 8, 6],
  )
})

test("a site's price goes before that of all sites, and a class's and a contract's before a site's", () => {
  const [acme, north] = [id<TenantId>('acme'), id<SiteId>('eu-north')]
  const at = (all: readonly PriceVersion[], more: Omit<PriceOf, 'model'>): number | undefined =>
    priceAt(all, { model: id('m'), ...more }, 25)?.version
  const all = [...versions, { ...set(7, 15), site: north }]
  assert.equal(at(all, { site: north }), 7)
  assert.equal(at(all, { site: id('us-west') }), 3)
  assert.equal(at(all, {}), 3, 'where it is answered is not known')
  assert.equal(at(all, { site: north, slo: 'standard' }), 7)
  assert.equal(at(all, { site: north, slo: 'batch' }), 2, 'its client chose to wait')
  const both = [...all, { ...set(8, 15, 'batch'), site: north }]
  assert.equal(at(both, { site: north, slo: 'batch' }), 8)
  assert.equal(at(both, { site: id('us-west'), slo: 'batch' }), 2)
  const contract = [...both, { ...set(9, 15), tenant: acme }]
  assert.equal(
    at(contract, { site: north, slo: 'batch', tenant: acme }),
    9,
    'a contract that names no site holds at all',
  )
  const northern = [...contract, { ...set(10, 15), tenant: acme, site: north }]
  assert.deepEqual(
    [north, id<SiteId>('us-west')].map((site) => at(northern, { site, tenant: acme })),
    [10, 9],
  )
  assert.equal(at(northern, { site: north, tenant: id('other') }), 7)
  assert.deepEqual(
    pricesAt(northern, 25).map(({ version }) => version),
    [3, 2, 7, 8, 9, 10, 6],
  )
  assert.deepEqual(pricedSites(northern, id('m')), [north])
})
