import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexed } from '../../books/allowance.ts'
import type { Usage } from '../../books/usage.ts'
import { usageFrom } from '../../books/usage.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { RequestId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import type { Flow } from './flow.ts'
import { newFlow } from './flow.ts'
import { PrefixIndex } from './prefix.ts'
import { Router } from './route.ts'
import { rules } from './routing.ts'
import type { Snapshot } from './snapshot.ts'

const replica = (name: string, more: Partial<Replica> = {}): Replica => ({
  id: id(name),
  vendor: 'openai',
  models: { m: 'm' },
  concurrency: 64,
  draining: false,
  ...more,
})

function bench(replicas: readonly Replica[], rule = 'money', gateways = 1, router = new Router(rules[rule]?.())) {
  const snapshot: Snapshot = {
    number: 1,
    published_ms: 0,
    grants: new Map(),
    prices: [],
    allowances: indexed([]),
    energyPerToken_mj: new Map(),
    aliases: new Map(),
    replicas,
    gateways,
  }
  let number = 0
  const flow = (prompt: number, blocks: readonly number[] = []): Flow =>
    newFlow(
      id<RequestId>(`g-${number++}`),
      {
        grant: {
          key: id('k'),
          tenant: id('t'),
          application: id('a'),
          models: null,
          expires_ms: null,
          slo: 'standard',
        },
        model: id('m'),
        promptEstimate: tokens(prompt),
        maxOutput: undefined,
        beginnings: { blocks, tokens: 64 },
        stream: true,
        slo: 'standard',
        clientRetry: 0,
        body: undefined,
      },
      snapshot,
      seconds(0),
    )
  const send = (prompt: number, blocks?: readonly number[], now = 0) => {
    const one = flow(prompt, blocks)
    return { flow: one, to: router.route(one, seconds(now))?.id }
  }
  return { router, flow, send }
}

const blocks = (seed: number, count: number): number[] => Array.from({ length: count }, (_, at) => seed * 1000 + at + 1)

test('pain 12, cache-aware hot spots: a prompt goes where its beginning is, until that costs more than computing it again', () => {
  const { send } = bench([replica('a'), replica('b'), replica('c')])
  const home = send(6400, blocks(1, 100)).to
  assert.equal(send(6400, blocks(1, 100)).to, home)
  let [others, at] = [0, 0]
  for (; at < 40 && others === 0; at++) if (send(64_000, blocks(1, 100)).to !== home) others++
  assert(others > 0, 'a hot prefix is computed a second time rather than waited for')
})

test('load is counted in uncached tokens, and given back by the first token and by leaving', () => {
  const { router, send } = bench([replica('a'), replica('b')], 'least-uncached')
  const large = send(10_000)
  const small = send(100)
  assert.notEqual(large.to, small.to)
  for (let n = 0; n < 50; n++) assert.equal(send(100).to, small.to, 'until it is as much as the large one')
  router.first(large.flow, seconds(1))
  assert.equal(send(100).to, large.to)
  router.left(large.flow, undefined, seconds(1))
  router.left(large.flow, undefined, seconds(1))
  assert.equal(router.load(id('a')).running + router.load(id('b')).running, 52)
})

test('what a lone replica finds in its cache is not taken for speed', () => {
  const { router, send } = bench([replica('a')])
  const before = router.load(id('a')).prefillRate
  const { flow } = send(64_000, blocks(1, 1000))
  router.first(flow, seconds(0.01)) // 6.4 million tokens a second, had it computed them
  assert.equal(router.load(id('a')).prefillRate, before)
})

test('a replica that proves slow gets less', () => {
  const { router, send } = bench([replica('fast'), replica('slow')])
  const counts = { fast: 0, slow: 0 }
  const due: { at: number; flow: Flow }[] = []
  const free: Record<string, number> = { fast: 0, slow: 0 }
  for (let n = 0; n < 400; n++) {
    const now = n * 0.15
    for (const one of due.splice(0)) {
      if (one.at > now) due.push(one)
      else {
        router.first(one.flow, seconds(one.at))
        router.left(one.flow, undefined, seconds(one.at))
      }
    }
    const { flow, to } = send(1000, undefined, now)
    const name = String(to) as 'fast' | 'slow'
    if (n > 100) counts[name]++
    free[name] = Math.max(now, free[name] ?? 0) + (name === 'fast' ? 0.1 : 0.4)
    due.push({ at: free[name], flow })
  }
  assert(counts.fast > 2.5 * counts.slow, JSON.stringify(counts))
})

test('the cheaper of two that are alike is taken, a hosted one by its list price', () => {
  const cheap = replica('cheap', { facts: { nanoDollarsPerHour: 1_000_000_000 } })
  const dear = replica('dear', { facts: { nanoDollarsPerHour: 9_000_000_000 } })
  const { send } = bench([dear, cheap])
  assert.equal(send(500).to, 'cheap')
  const hosted = replica('hosted', {
    facts: { listPrices: { m: { input: 20_000_000_000, cached: 0, output: 90_000_000_000 } } },
  })
  assert.equal(bench([hosted, cheap]).send(500).to, 'cheap')
})

test('full, away, draining and tried ones are left out, whatever the rule', () => {
  for (const rule of Object.keys(rules)) {
    const { router, flow } = bench(
      [
        replica('full', { concurrency: 0 }),
        replica('away'),
        replica('draining', { draining: true }),
        replica('tried'),
        replica('good'),
      ],
      rule,
    )
    router.hear(id('away'), false)
    for (let n = 0; n < 20; n++) {
      const one = flow(100)
      one.attempts.push({ number: 1, replica: id('tried'), usage: {} as never })
      assert.equal(router.route(one, seconds(0))?.id, 'good', rule)
    }
    const nobody = flow(100)
    for (const name of ['tried', 'good', 'full'])
      nobody.attempts.push({ number: 1, replica: id(name), usage: {} as never })
    assert.equal(router.route(nobody, seconds(0)), undefined, rule)
  }
})

test('when no engine of a model answers, the next of its fallbacks does; when one is back, it is asked again', () => {
  const { router, flow } = bench([replica('a'), replica('b', { models: { other: 'm' } })])
  const one = flow(100)
  const asking: Flow = { ...one, ask: { ...one.ask, fallbacks: [id('nobody'), id('other')] } }
  assert.equal(router.room(asking, seconds(0)), 'free')
  assert.equal(asking.model, 'm')
  router.hear(id('a'), false)
  assert.equal(router.room(asking, seconds(0)), 'free')
  assert.equal(asking.model, 'other')
  router.hear(id('a'), true)
  assert.equal(router.room(asking, seconds(0)), 'free')
  assert.equal(router.route(asking, seconds(0))?.id, 'a')
  asking.attempts.push({ number: 1, replica: id('a'), usage: {} as never })
  router.left(asking, { fault: 'crashed', message: '' }, seconds(1))
  assert.equal(router.route(asking, seconds(1))?.id, 'b')
  assert.equal(asking.model, 'other')
})

test('a replica that fails again and again is left alone, and all of them are better than none', () => {
  const { router, flow } = bench([replica('good'), replica('bad')])
  const fail = (name: string): void => {
    for (let n = 0; n < 3; n++) {
      const one = flow(10)
      one.attempts.push({ number: 1, replica: id(name === 'bad' ? 'good' : 'bad'), usage: {} as never })
      assert.equal(router.route(one, seconds(0))?.id, name)
      router.left(one, { fault: 'crashed', message: '' }, seconds(0))
    }
  }
  fail('bad')
  for (let n = 0; n < 20; n++) assert.equal(router.route(flow(10), seconds(1))?.id, 'good')
  fail('good')
  assert(router.route(flow(10), seconds(1)))
})

const equals = [replica('a'), replica('b'), replica('c'), replica('d')]

test('pain 12, several routers: what another gateway sent is found where it sent it', () => {
  const [one, other] = [bench(equals, 'money', 2), bench(equals, 'money', 2)]
  for (let session = 1; session <= 20; session++) {
    const { to } = one.send(6400, blocks(session, 100), session)
    other.router.heard('one', one.router.tell(seconds(session)), seconds(session))
    assert.equal(other.send(6400, blocks(session, 100), session).to, to, `session ${session}`)
    for (const each of [one, other]) for (const name of ['a', 'b', 'c', 'd']) each.router.load(id(name)).prefilling = 0
  }
})

test('what other gateways have under way counts as load, until they fall silent', () => {
  const [one, other] = [bench(equals, 'least-uncached', 2), bench(equals, 'least-uncached', 2)]
  const busy = new Set(Array.from({ length: 3 }, () => one.send(10_000).to))
  other.router.heard('one', one.router.tell(seconds(0)), seconds(0))
  assert.equal(other.router.peers, 1)
  for (let n = 0; n < 8; n++) assert(!busy.has(other.send(10).to), 'the fourth has nothing to do')
  other.router.tell(seconds(2))
  assert.equal(other.router.peers, 1)
  other.router.tell(seconds(2.1))
  assert.equal(other.router.peers, 0)
  assert(busy.has(other.send(10).to), 'of who is gone nothing is under way')
})

test('a gateway of which nothing is heard is taken to send as this one does', () => {
  const score = (gateways: number, heard: boolean): number => {
    const { router, send } = bench([replica('a'), replica('b')], 'money', gateways)
    send(10_000)
    if (heard) router.heard('other', { loads: new Map(), sent: [] }, seconds(0))
    return router.choice(send(10_000).flow)?.next.nano_usd.waiting ?? 0
  }
  assert(score(2, false) > score(1, false))
  assert.equal(score(2, true), score(1, false), 'heard, and idle')
})

test('what an engine found is learned from its answer too, when it says nothing at its beginning', () => {
  const learned: [number, number][] = []
  const found: [number, number][] = []
  class Index extends PrefixIndex {
    override found(replica: number, expected: number, there: number): void {
      found.push([expected, there])
      super.found(replica, expected, there)
    }
  }
  const rule = {
    name: 'spy',
    score: ({ index }: { index: number }) => index,
    learn: (hit: number, of: number) => void learned.push([hit, of]),
  }
  const { router, send } = bench([replica('a'), replica('b')], 'money', 1, new Router(rule, new Index()))
  const answer = (usage: Usage): void => {
    const { flow } = send(640, blocks(1, 10))
    flow.attempts.push({ number: 1, replica: id('a'), usage })
    router.left(flow, undefined, seconds(1))
  }
  answer(usageFrom('provider', { input_uncached: 640, cache_read: 0 }))
  answer(usageFrom('provider', { input_uncached: 192, cache_read: 448 }))
  assert.deepEqual(learned, [
    [0, 640],
    [448, 640],
  ])
  assert.deepEqual(found.at(-1)?.[1], 7)
  answer(usageFrom('estimated', { input_uncached: 640 }))
  answer(usageFrom('provider', { input_uncached: 640 })) // it does not say what it found
  assert.equal(learned.length, 2)
})

test('replicas that are declared alike are taken to be as fast, others not, whoever was heard of first', () => {
  const dear = { facts: { nanoDollarsPerHour: 9_000_000_000 } }
  const { router, send } = bench([replica('a'), replica('b'), replica('dear', dear)], 'round-robin')
  for (const name of ['a', 'b', 'dear']) router.hear(id(name), true)
  for (let n = 0; n < 60; n++) {
    const { flow, to } = send(1000, undefined, n)
    if (to !== 'b') router.first(flow, seconds(n + (to === 'a' ? 0.02 : 0.1)))
    router.left(flow, undefined, seconds(n + 1))
  }
  const rate = (name: string): number => router.load(id(name)).prefillRate
  assert.equal(rate('b'), rate('a'))
  assert(rate('a') > 3 * rate('dear'), `${rate('a')}, ${rate('dear')}`)
})

test('what is to be told is bounded, the latest of it', () => {
  const { router, send } = bench(equals, 'money', 2)
  for (let n = 0; n < 300; n++) send(64_000, blocks(n, 1000))
  const { sent } = router.tell(seconds(0))
  assert.equal(sent.length, 131)
  assert.deepEqual(sent.at(-1)?.blocks, blocks(299, 1000))
  assert.deepEqual(router.tell(seconds(0)).sent, [])
})
