import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Beginnings } from '../workload/prompt.ts'
import { Bench, paged, tenMs } from './testing-engine.ts'

const sync = { depth: 1 } as const

test('a prompt above the budget goes in by pieces, and samples with the last', () => {
  const [stamp] = new Bench([paged()], tenMs).ask({ at_ms: 0, prompt: 2358, most: 3 }).run().stamps()
  assert.deepEqual(stamp, { queued: 0, scheduled: 0, first: 20, last: 40 })
})

test('with two steps under way a request waits for the rest of the running step and the one behind it', () => {
  const requests = [
    { at_ms: 0, prompt: 100, most: 9 },
    { at_ms: 12, prompt: 100, most: 2 },
  ]
  const [, async] = new Bench([paged()], tenMs)
    .ask(...requests)
    .run()
    .stamps()
  assert.deepEqual(async, { queued: 20, scheduled: 20, first: 40, last: 50 })
  const [, one] = new Bench([paged()], tenMs, sync)
    .ask(...requests)
    .run()
    .stamps()
  assert.deepEqual(one, { queued: 20, scheduled: 20, first: 30, last: 40 })
})

test('n tokens cost 1 + (n − 1) steps: a known limit wastes none, a stop token wastes the row under way', () => {
  const steps = (most: number, length: number) => {
    const bench = new Bench([paged()], tenMs).ask({ at_ms: 0, prompt: 10, most, length }).run()
    assert.equal(bench.stamps()[0]?.last, 10 * length)
    return bench.engine.reading().steps
  }
  assert.equal(steps(5, 5), 5)
  assert.equal(steps(9, 5), 6)
})

test('a prompt that is cached whole computes its last block anew', () => {
  const prompt = { tokens: 64, pieces: [0, 1], pieceTokens: 32 }
  const bench = new Bench([paged()], tenMs).ask({ at_ms: 0, prompt, most: 1 }, { at_ms: 100, prompt, most: 1 }).run()
  assert.deepEqual(
    bench.sequences.map((one) => one.hit),
    [0, 48],
  )
})

test('the second of two equal prompts in one step finds the first', () => {
  const prompt = { tokens: 100, pieces: [0, 1, 2, 3], pieceTokens: 32 }
  const bench = new Bench([paged()], tenMs).ask({ at_ms: 0, prompt, most: 1 }, { at_ms: 0, prompt, most: 1 }).run()
  assert.deepEqual(
    bench.sequences.map((one) => [one.hit, one.first_ns]),
    [
      [0, 10e6],
      [96, 10e6],
    ],
  )
})

test('a seat is free one step late, since the step under way was composed without it', () => {
  const requests = [
    { at_ms: 0, prompt: 10, most: 2 },
    { at_ms: 1, prompt: 10, most: 1 },
  ]
  const one = paged({ maxSequences: 1 })
  // The first ends at 20; nothing is under way then, so the second starts at once.
  assert.equal(
    new Bench([one], tenMs)
      .ask(...requests)
      .run()
      .stamps()[1]?.scheduled,
    20,
  )
  const two = paged({ maxSequences: 2 })
  const busy = { at_ms: 0, prompt: 10, most: 50 }
  const [, , last] = new Bench([two], tenMs)
    .ask(busy, ...requests)
    .run()
    .stamps()
  assert.deepEqual(last, { queued: 10, scheduled: 20, first: 40, last: 40 })
})

test('a large head blocks what is small behind it', () => {
  const bench = new Bench([paged({ blocks: 20 })], tenMs)
    .ask({ at_ms: 0, prompt: 160, most: 20 }, { at_ms: 1, prompt: 200, most: 1 }, { at_ms: 2, prompt: 16, most: 1 })
    .run()
  const [first, large, small] = bench.stamps()
  assert.equal(large?.scheduled, first?.last)
  assert.equal(small?.scheduled, first?.last)
})

test('without the gate a long prompt is let in piece by piece', () => {
  const start = (reserveFullPrompt: boolean) =>
    new Bench([paged({ blocks: 20, maxBatchedTokens: 64, reserveFullPrompt })], tenMs)
      .ask({ at_ms: 0, prompt: 48, most: 20 }, { at_ms: 1, prompt: 280, most: 1 })
      .run()
      .stamps()[1]?.scheduled ?? 0
  assert(start(false) < 100)
  assert(start(true) >= 200)
})

test('when blocks run out the last one admitted gives way, and finds part of its own blocks again', () => {
  const scheduler = paged({ blocks: 8 })
  const bench = new Bench([scheduler], tenMs)
    .ask({ at_ms: 0, prompt: 60, most: 40 }, { at_ms: 0, prompt: 60, most: 10 })
    .run()
  const [first, second] = bench.sequences
  assert.equal(scheduler.preemptions, 1)
  assert.deepEqual([first?.preemptions, second?.preemptions], [0, 1])
  assert.equal(bench.stamps()[0]?.last, 400, 'the first does not notice')
  assert.deepEqual([first?.out, second?.out], [40, 10], 'nothing is lost')
  assert.equal(bench.made.get(second as never), 10)
})

test('the last one preempts itself, and nothing is admitted in that step', () => {
  const scheduler = paged({ blocks: 5 })
  const bench = new Bench([scheduler], tenMs, sync)
    .ask({ at_ms: 0, prompt: 31, most: 30 }, { at_ms: 0, prompt: 30, most: 8 }, { at_ms: 1, prompt: 1, most: 1 })
    .run()
  assert(scheduler.preemptions > 0)
  assert.equal(bench.sequences[0]?.preemptions, 0)
  assert.deepEqual(
    bench.sequences.map((one) => one.out),
    [30, 8, 1],
  )
})

test('a victim whose last token is under way ends while it waits', () => {
  for (let most = 2; most < 40; most++) {
    const bench = new Bench([paged({ blocks: 6 })], tenMs)
      .ask({ at_ms: 0, prompt: 47, most: 40 }, { at_ms: 0, prompt: 30, most })
      .run()
    assert.deepEqual(
      bench.sequences.map((one) => one.out),
      [40, most],
      `most ${most}`,
    )
  }
})

test('priority: the urgent go first, the least urgent gives way', () => {
  const scheduler = paged({ blocks: 8, policy: 'priority' })
  const bench = new Bench([scheduler], tenMs)
    .ask(
      { at_ms: 0, prompt: 60, most: 40, priority: 5 },
      { at_ms: 1, prompt: 50, most: 40, priority: 1 },
      { at_ms: 1, prompt: 20, most: 5, priority: 3 },
    )
    .run()
  const [late, urgent, middle] = bench.sequences
  assert((late?.preemptions ?? 0) > 0)
  assert.equal(urgent?.preemptions, 0)
  assert((middle?.scheduled_ns ?? 0) >= (urgent?.scheduled_ns ?? 0))
})

test('a prompt as long as the model is refused; an answer stops where the model does', () => {
  const bench = new Bench([paged({ maxModelTokens: 100 })], tenMs)
    .ask({ at_ms: 0, prompt: 100, most: 1 }, { at_ms: 0, prompt: 90, most: 50 })
    .run()
  assert(bench.said.some((line) => line.endsWith('failed context_length 0')))
  assert.equal(bench.sequences[1]?.out, 10)
})

test('beginnings have names: the same content after another beginning is another piece', () => {
  const beginnings = new Beginnings()
  assert.deepEqual(beginnings.name(['a', 'b', 'c']), [0, 1, 2])
  assert.deepEqual(beginnings.name(['a', 'b', 'd']), [0, 1, 3])
  assert.deepEqual(beginnings.name(['b', 'c']), [4, 5])
})

test('what is freed first is evicted last part first: a beginning outlives its end', () => {
  const pieces = { tokens: 160, pieces: [0, 1, 2, 3, 4], pieceTokens: 32 }
  const bench = new Bench([paged({ blocks: 14 })], tenMs)
    .ask(
      { at_ms: 0, prompt: pieces, most: 1 },
      { at_ms: 100, prompt: 120, most: 1 },
      { at_ms: 200, prompt: pieces, most: 1 },
    )
    .run()
  // 8 of 14 blocks are taken by the second: the 4 that were never used, then 4 from the end of the first.
  assert.equal(bench.sequences[2]?.hit, 96)
})
