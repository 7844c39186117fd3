import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SloClass } from '../../books/slo-class.ts'
import { sloClasses } from '../../books/slo-class.ts'
import type { TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'
import { FairQueue } from './queue.ts'

interface Item {
  readonly tenant: TenantId
  readonly slo: SloClass
  readonly deadline: number
  readonly cost: number
}
const push = (queue: FairQueue<Item>, item: Item): void =>
  queue.push(item, { ...item, deadline: seconds(item.deadline) })
const all = () => true

const serve = (queue: FairQueue<Item>, hasPlace: (item: Item) => boolean = all): Item | undefined => {
  const next = queue.next(hasPlace)
  if (next) {
    assert.equal(queue.next(hasPlace), next, 'the same again until it is served')
    queue.served(next)
  }
  return next
}

const item = fc.record({
  tenant: fc.constantFrom('a', 'b', 'c').map((name) => id<TenantId>(name)),
  slo: fc.constantFrom(...sloClasses),
  deadline: fc.nat(100),
  cost: fc.integer({ min: 1, max: 20_000 }),
})

test('everybody is served once, and within a tenant and class by deadline', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 60 }), (items) => {
      const queue = new FairQueue<Item>()
      for (const one of items) push(queue, one)
      const served: Item[] = []
      for (let next = serve(queue); next; next = serve(queue)) served.push(next)
      assert.equal(served.length, items.length)
      assert.equal(queue.size, 0)
      for (const [index, one] of served.entries())
        for (const later of served.slice(index))
          if (later.tenant === one.tenant && later.slo === one.slo) assert(later.deadline >= one.deadline)
    }),
  )
})

test('who sends ten times as much gets no more than who waits too', () => {
  const queue = new FairQueue<Item>()
  const of = (tenant: string, deadline: number): Item => ({ tenant: id(tenant), slo: 'standard', deadline, cost: 700 })
  for (let n = 0; n < 100; n++) push(queue, of('flood', n))
  for (let n = 0; n < 10; n++) push(queue, of('modest', n))
  const first = Array.from({ length: 20 }, () => serve(queue)?.tenant)
  const modest = first.filter((tenant) => tenant === 'modest').length
  assert(modest >= 8 && modest <= 10, `${modest} of the first 20`)
})

test('pain 12, low priority starves: classes share by weight, and a batch gets through a house full of people', () => {
  const queue = new FairQueue<Item>()
  for (let n = 0; n < 400; n++)
    for (const slo of sloClasses) push(queue, { tenant: id('t'), slo, deadline: n, cost: 512 })
  const counts = { interactive: 0, standard: 0, batch: 0 }
  for (let n = 0; n < 260; n++) {
    const next = serve(queue)
    if (next) counts[next.slo]++
  }
  assert(counts.batch >= 15 && counts.batch <= 25, JSON.stringify(counts))
  assert(counts.interactive > 1.8 * counts.standard, JSON.stringify(counts))
})

test('a line whose model has no place is passed over and keeps its turn', () => {
  const queue = new FairQueue<Item>()
  const blocked: Item = { tenant: id('a'), slo: 'interactive', deadline: 1, cost: 100 }
  const free: Item = { tenant: id('b'), slo: 'batch', deadline: 9, cost: 100 }
  push(queue, blocked)
  push(queue, free)
  assert.equal(
    serve(queue, (one) => one !== blocked),
    free,
  )
  assert.equal(
    queue.next(() => false),
    undefined,
  )
  assert.equal(serve(queue), blocked)
  queue.remove(free)
  assert.equal(queue.size, 0)
})
