import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SloClass } from '../../books/slo-class.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import { id } from '../../units/ids.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import { capacityFor } from './batch/headroom.ts'
import { newFlow } from './flow.ts'
import { livePolicy } from './policy.ts'
import { heldName, noSetPoints, pointsAt, type SetPoints } from './set-points.ts'
import type { Grant, Snapshot } from './snapshot.ts'

const replica = (name: string): Replica => ({
  id: id(name),
  vendor: 'openai',
  models: { m: 'm' },
  concurrency: 4,
  draining: false,
})

function bench(gateways = 1) {
  const policy = livePolicy({
    queueLength: 100,
    queueTime: seconds(600),
    absentTime: seconds(5),
    leaseTime: seconds(1),
    attempts: 3,
  })
  const snapshot: Snapshot = {
    number: 1,
    published_ms: 0,
    grants: new Map(),
    prices: [],
    allowances: new Map(),
    energyPerToken_mj: new Map(),
    aliases: new Map(),
    replicas: [replica('a'), replica('b')],
    gateways,
  }
  let number = 0
  const ask = (slo: SloClass, at = 0) => {
    const grant: Grant = { key: id('k'), tenant: id('t'), application: id('a'), models: null, expires_ms: null, slo }
    const asked = { promptEstimate: tokens(10), maxOutput: tokens(10), stream: true, clientRetry: 0, body: undefined }
    return newFlow(id(`r${number++}`), { grant, model: id('m'), slo, ...asked }, snapshot, seconds(at))
  }
  /** Where it goes, or what it is told. */
  const send = (slo: SloClass, at = 0): string => {
    const flow = ask(slo, at)
    const { verdict } = policy.admit(flow, seconds(at))
    return verdict === 'admitted' ? (policy.route(flow, seconds(at))?.id ?? 'nowhere') : verdict
  }
  return { policy, ask, send }
}

const points = (concurrency: Readonly<Record<string, number>>, held: readonly SloClass[] = []): SetPoints => ({
  ...noSetPoints,
  concurrency: new Map(Object.entries(concurrency).map(([name, most]) => [id(name), most])),
  held: new Set(held.map((slo) => heldName(id('m'), slo))),
})

test('a replica takes as many as control allows, whatever snapshot a request came under', () => {
  const { policy, send } = bench()
  policy.router.allowed.obey(points({ a: 0, b: 2 }))
  assert.deepEqual([send('standard'), send('standard'), send('standard')], ['b', 'b', 'queued'])
  policy.router.allowed.obey(noSetPoints)
  assert.equal(policy.next(seconds(1)) === undefined, false)
})

test('of what control allows each gateway has its part, whatever it has heard of the others', () => {
  const { policy, send } = bench(2)
  policy.router.allowed.obey(points({ a: 0, b: 3 }))
  assert.deepEqual([send('standard'), send('standard'), send('standard')], ['b', 'b', 'queued'])
  policy.router.allowed.obey(points({ a: 0, b: 0 }))
  assert.equal(send('standard'), 'queued')
})

test('a class that is held waits, though there is a place; others pass it; and it is told why it waited in vain', () => {
  const { policy, ask, send } = bench()
  policy.router.allowed.obey(points({}, ['batch']))
  const batch = ask('batch')
  assert.equal(policy.admit(batch, seconds(0)).verdict, 'queued')
  assert.notEqual(send('interactive'), 'queued')
  const late = policy.admit(batch, seconds(601))
  assert(late.verdict === 'refused' && late.refusal.code === 'power_limited', JSON.stringify(late))
})

test('where every replica is turned off it is power that is waited for, whatever the class', () => {
  const { policy, ask } = bench()
  policy.router.allowed.obey(points({ a: 0, b: 0 }))
  const flow = ask('interactive')
  assert.equal(policy.admit(flow, seconds(0)).verdict, 'queued')
  const late = policy.admit(flow, seconds(11))
  assert(late.verdict === 'refused' && late.refusal.code === 'power_limited', JSON.stringify(late))
  policy.router.allowed.obey(points({ a: 0, b: 1 }))
  assert.equal(policy.router.room(ask('interactive'), seconds(12)), 'free')
})

test('what was held goes on as soon as there is power again', () => {
  const { policy, ask } = bench()
  policy.router.allowed.obey(points({}, ['batch']))
  const batch = ask('batch')
  policy.admit(batch, seconds(0))
  assert.equal(policy.next(seconds(1)), undefined)
  policy.router.allowed.obey(noSetPoints)
  assert.equal(policy.next(seconds(2)), batch)
})

test('lines of batches begin only in places that control allows', () => {
  const fleet = [replica('a'), replica('b')]
  assert.equal(capacityFor(fleet, [id('m')], points({ a: 1 })), 5)
  assert.equal(capacityFor(fleet, [id('m')], points({}, ['batch'])), 0)
  assert.equal(capacityFor(fleet, [id('other')], points({})), null)
})

test('an event that was foreseen is obeyed when it comes, unless something newer was heard', () => {
  const later = [{ ...points({ a: 0, b: 0 }), from_ms: 10_000, until_ms: 20_000 }]
  const foreseen: SetPoints = { ...noSetPoints, at_ms: 5_000, later }
  assert.equal(pointsAt(foreseen, 9_999), foreseen)
  assert.equal(pointsAt(foreseen, 10_000), later[0])
  assert.equal(pointsAt(foreseen, 20_000), foreseen)
  const newer = { ...foreseen, at_ms: 11_000 }
  assert.equal(pointsAt(newer, 15_000), newer)
  const { policy, send } = bench()
  policy.router.allowed.obey(foreseen)
  assert.deepEqual([send('standard', 9) === 'queued', send('standard', 11)], [false, 'queued'])
})
