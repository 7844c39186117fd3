import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kernel, type Order, order } from './kernel.ts'
import { Random } from './random.ts'

test('events happen by time, then by order, then as they were scheduled; cancelled ones do not', () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = new Random(seed, 'events')
    const kernel = new Kernel()
    const planned: { at: number; order: Order; serial: number }[] = []
    const happened: typeof planned = []
    const plan = (serial: number): void => {
      const event = { at: kernel.now_ns + random.whole(0, 30), order: random.pick([0, 1, 2]) as Order, serial }
      const ticket = kernel.schedule(event.at, event.order, () => {
        assert.equal(kernel.now_ns, event.at)
        happened.push(event)
        kernel.cancel(ticket) // too late, and harmless
      })
      if (random.chance(0.3)) kernel.cancel(ticket)
      else planned.push(event)
    }
    for (let serial = 0; serial < 3000; serial++) {
      plan(serial)
      if (random.chance(0.4)) kernel.step()
    }
    kernel.run()
    // What was scheduled late for an early moment still comes after what had happened by then.
    const byMoment = happened.toSorted((a, b) => a.at - b.at)
    assert.deepEqual(happened, byMoment, `seed ${seed}`)
    assert.equal(happened.length, planned.length, `seed ${seed}`)
    assert.equal(new Set(happened).size, planned.length, `seed ${seed}`)
  }
})

test('at one moment what ends comes before what arrives, and that before what is composed', () => {
  const kernel = new Kernel()
  const seen: string[] = []
  kernel.schedule(5, order.composes, () => seen.push('composes'))
  kernel.schedule(5, order.arrives, () => seen.push('arrives'))
  kernel.schedule(5, order.ends, () => {
    seen.push('ends')
    assert(kernel.isBefore(order.composes))
    assert(!kernel.isBefore(order.arrives))
  })
  kernel.run()
  assert.deepEqual(seen, ['ends', 'arrives', 'composes'])
})

test('a cancelled ticket cannot hit the event that got its place', () => {
  const kernel = new Kernel()
  let happened = 0
  const first = kernel.schedule(1, order.ends, () => happened++)
  kernel.cancel(first)
  kernel.run(2)
  kernel.schedule(3, order.ends, () => happened++)
  kernel.cancel(first)
  kernel.run()
  assert.equal(happened, 1)
  assert.throws(() => kernel.schedule(1, order.ends, () => {}), /lies ahead/)
})

test('the clock stops where it is told to', () => {
  const kernel = new Kernel()
  let happened = 0
  for (const at of [1, 5, 9]) kernel.schedule(at, order.ends, () => happened++)
  kernel.run(5)
  assert.deepEqual([happened, kernel.now_ns, kernel.next_ns], [2, 5, 9])
})
