import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BridgedCounters, isStale } from './telemetry.ts'

test('a bridged counter is what was counted while we looked, whatever restarts there were', () => {
  const step = fc.record({ by: fc.nat(1000), restart: fc.boolean(), shown: fc.boolean() })
  fc.assert(
    fc.property(fc.nat(1000), fc.array(step, { maxLength: 50 }), (begin, steps) => {
      const counters = new BridgedCounters()
      let value = begin
      let last = begin
      let sum = 0
      counters.take({ output_tokens: value })
      for (const { by, restart, shown } of steps) {
        if (restart) value = 0
        value += by
        // A restart between two looks shows only when the counter is lower than before; else it cannot be told from work.
        if (!shown) continue
        sum += value >= last ? value - last : value
        last = value
        counters.take({ output_tokens: value })
      }
      assert.equal(counters.total('output_tokens') ?? 0, sum)
    }),
  )
})

test('what is not shown is not zero, and does not disturb what comes later', () => {
  const counters = new BridgedCounters()
  assert.deepEqual(counters.take({ prompt_tokens: 5 }), {})
  assert.deepEqual(counters.take({}), {})
  assert.deepEqual(counters.take({ prompt_tokens: 7, prefix_hits: 1 }), { prompt_tokens: 2 })
  assert.equal(counters.total('prefix_hits'), undefined)
})

test('three missed looks are stale', () => {
  assert(!isStale(1000, 4000, 1000))
  assert(isStale(1000, 4001, 1000))
  assert(isStale(undefined, 0, 1000))
})
