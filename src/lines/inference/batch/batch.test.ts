import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Replica } from '../../../plant/infrastructure/replica.ts'
import { id } from '../../../units/ids.ts'
import type { ErrorCode } from '../errors.ts'
import { errorCatalogue, refusal } from '../errors.ts'
import { againAfter } from './again.ts'
import type { Batch, BatchEvent } from './batch.ts'
import { batchAfter, isOver, windowMs } from './batch.ts'
import { capacityFor, hasHeadroom } from './headroom.ts'

const fresh: Batch = {
  id: id('batch_1'),
  tenant: id('t'),
  application: id('a'),
  key: id('k'),
  endpoint: '/v1/chat/completions',
  input: id('file-1'),
  window: '24h',
  metadata: null,
  state: 'validating',
  created_ms: 0,
  expires_ms: 86_400_000,
  since_ms: { validating: 0 },
  end: null,
  faults: [],
  total: 0,
  completed: 0,
  failed: 0,
  output: null,
  errors: null,
}
const events: readonly BatchEvent[] = [
  { kind: 'valid', total: 3 },
  { kind: 'invalid', faults: [{ code: 'x', message: '', line: 1, param: null }] },
  { kind: 'counted', completed: 2, failed: 1 },
  { kind: 'over', end: 'completed', output: id('file-2'), errors: null },
  { kind: 'over', end: 'cancelled', output: null, errors: id('file-3') },
  { kind: 'filed' },
]
const after = (...told: readonly BatchEvent[]): Batch =>
  told.reduce((batch, event, index) => batchAfter(batch, event, index + 1), fresh)

test('a batch goes from validating to its end, and keeps when', () => {
  const [valid, , counted, over, , filed] = events as [
    BatchEvent,
    BatchEvent,
    BatchEvent,
    BatchEvent,
    BatchEvent,
    BatchEvent,
  ]
  const batch = after(valid, counted, over, filed)
  assert.deepEqual([batch.state, batch.output, batch.total, batch.completed], ['completed', 'file-2', 3, 2])
  assert.deepEqual(batch.since_ms, { validating: 0, in_progress: 1, finalizing: 3, completed: 4 })
})

test('any event in any state is safe: what is over stays as it is, names of files are given once, again is never more', () => {
  const random = (seed: number): number => (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 8) % events.length
  for (let seed = 1; seed <= 2000; seed++) {
    let batch = fresh
    for (let step = 0; step < 12; step++) {
      const event = events[random(seed * 31 + step * 7919)] as BatchEvent
      const next = batchAfter(batch, event, step)
      if (isOver(batch.state)) assert.equal(next, batch, `seed ${seed}`)
      if (batch.end) assert.deepEqual([next.end, next.output, next.errors], [batch.end, batch.output, batch.errors])
      assert.equal(batchAfter(next, event, step), next, `seed ${seed}: ${event.kind} twice`)
      batch = next
    }
  }
})

for (const [text, ms] of [
  ['24h', 86_400_000],
  ['1h', 3_600_000],
  ['168h', 604_800_000],
  ['169h', undefined],
  ['0h', undefined],
  ['1d', undefined],
  ['', undefined],
  [24, undefined],
] as const)
  test(`a completion window of ${JSON.stringify(text)} is ${ms} ms`, () => assert.equal(windowMs(text), ms))

test('a line is tried again where that can help, with a pause that grows and is bounded', () => {
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    const first = againAfter(refusal(code, ''), 1)
    assert.equal(first !== undefined, errorCatalogue[code].retry, code)
  }
  const pauses = [1, 2, 3, 9, 1000].map((tries) => againAfter(refusal('overloaded', ''), tries))
  assert.deepEqual(pauses, [0.5, 1, 2, 30, 30])
  assert.equal(againAfter(refusal('engine_failed', ''), 4) !== undefined, true)
  assert.equal(againAfter(refusal('engine_failed', ''), 5), undefined, 'the line itself may break the engine')
  assert.equal(againAfter(refusal('budget_exhausted', '', { retry_after_ms: 7_000 }), 1), 7, 'a budget that renews')
  assert.equal(againAfter(refusal('budget_exhausted', ''), 1), undefined, 'one that never does')
  assert.equal(againAfter(refusal('budget_exhausted', ''), 1, true), 0.5, 'one that nobody knows of just now')
})

test('a batch leaves places free, and gives way to whoever waits', () => {
  assert.deepEqual(
    [1, 2, 4, 8, 9, 64].map((capacity) => {
      let running = 0
      while (hasHeadroom({ capacity, running, waiting: 0 })) running++
      return running
    }),
    [1, 1, 3, 7, 7, 56],
  )
  assert.equal(hasHeadroom({ capacity: 8, running: 0, waiting: 1 }), false)
  const replica = (models: Record<string, string>, draining = false): Replica => ({
    id: id('r'),
    vendor: 'openai',
    models,
    concurrency: 5,
    draining,
  })
  const fleet = [replica({ a: 'a' }), replica({ b: 'b' }), replica({ c: 'c' }), replica({ a: 'a' }, true)]
  assert.equal(capacityFor(fleet, [id('a'), id('b')]), 10)
})
