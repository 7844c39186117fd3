import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { snapshotNumber } from '../../adapters/sqlite/registry/snapshot.ts'
import { createApplication } from '../../adapters/sqlite/registry/tenants.ts'
import { Gateways } from './gateways.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'

let operator: Operator
before(async () => {
  operator = await lonelyOperator()
})

const asking = (incarnation: string, snapshot: number) => ({
  incarnation,
  pid: 1,
  snapshot,
  ready: true,
  running: 0,
  waiting: 0,
  journal_depth: 0,
  journal_up: true,
  peers: 0,
  replicas: [],
  models: [],
  flows: [],
})

test('a change reaches waiting gateways at once, and is confirmed when all serve under it', async () => {
  const { store } = operator.factory
  const gateways = new Gateways(store, Date.now, () => 7, 0)
  const first = await gateways.sync(asking('a', 0))
  assert.equal(first.acknowledged, 7)
  const known = first.snapshot?.number ?? 0
  const polls = ['a', 'b'].map((name) => gateways.sync(asking(name, known)))
  createApplication(store, 'acme', 'one', 1)
  const published = gateways.publish(2_000)
  const began = performance.now()
  for (const poll of polls) assert.equal((await poll).snapshot?.number, known + 1)
  const next = ['a', 'b'].map((name) => gateways.sync(asking(name, known + 1)))
  assert.deepEqual(await published, { snapshot: known + 1, gateways: 2, confirmed: 2 })
  assert(performance.now() - began < 500)
  await Promise.all(next)
})

test('a gateway that is silent is waited for only so long, and forgotten in the end', async () => {
  let now = 0
  const gateways = new Gateways(
    operator.factory.store,
    () => now,
    () => 0,
    0,
  )
  await gateways.sync(asking('a', 0))
  now = 1
  const waiting = gateways.publish(30)
  setTimeout(() => {
    now = 100
  }, 10)
  assert.deepEqual([(await waiting).gateways, (await waiting).confirmed], [1, 0])
  now = 10_000
  assert.deepEqual(gateways.list(), [])
})

test('a gateway that knows a later snapshot lifts the number above it', async () => {
  const gateways = new Gateways(operator.factory.store, Date.now, () => 0, 0)
  const reply = await gateways.sync(asking('a', 5_000))
  assert.equal(reply.snapshot?.number, 5_001)
  assert.equal(snapshotNumber(operator.factory.store), 5_001)
})
