import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlotScheduler } from './slots.ts'
import { Bench, tenMs } from './testing-engine.ts'

const slots = (config: Partial<SlotScheduler['config']> = {}) =>
  new SlotScheduler({ slots: 2, batch: 100, contextTokens: 1000, ...config })
const sync = { depth: 1 } as const

test('a request waits for a free slot and keeps it to its end', () => {
  const stamps = new Bench([slots()], tenMs, sync)
    .ask({ at_ms: 0, prompt: 10, most: 5 }, { at_ms: 0, prompt: 10, most: 9 }, { at_ms: 0, prompt: 10, most: 1 })
    .run()
    .stamps()
  assert.deepEqual(
    stamps.map(({ scheduled, first, last }) => [scheduled, first, last]),
    [
      [0, 10, 50],
      [0, 10, 90],
      [50, 60, 60],
    ],
  )
})

test('what decodes goes first, then prompts in order of coming, up to the batch', () => {
  const [, long, late] = new Bench([slots({ slots: 3 })], tenMs, sync)
    .ask({ at_ms: 0, prompt: 10, most: 50 }, { at_ms: 5, prompt: 250, most: 1 }, { at_ms: 6, prompt: 40, most: 1 })
    .run()
    .stamps()
  // 99 + 99 + 52 of the long one, and 40 of the late one still fit into the third step.
  assert.deepEqual([long?.first, late?.first], [40, 40])
})

test('the slot with the longest beginning in common is taken, else the one that holds least', () => {
  const prompt = (tokens: number, pieces: readonly number[]) => ({ tokens, pieces, pieceTokens: 10 })
  const bench = new Bench([slots()], tenMs, sync)
    .ask(
      { at_ms: 0, prompt: prompt(30, [0, 1, 2]), most: 1 },
      { at_ms: 0, prompt: prompt(20, [7, 8]), most: 1 },
      { at_ms: 100, prompt: prompt(45, [0, 1, 5, 6, 9]), most: 1 },
      { at_ms: 200, prompt: prompt(20, [7, 8]), most: 1 },
      { at_ms: 300, prompt: 50, most: 1 },
      { at_ms: 400, prompt: prompt(45, [0, 1, 5, 6, 9]), most: 1 },
    )
    .run()
  assert.deepEqual(
    bench.sequences.map(({ hit }) => hit),
    // The last prompt token is always computed. The stranger takes the slot of [7, 8], which holds less.
    [0, 0, 20, 19, 0, 44],
  )
})

test('a prompt that does not fit into a slot is refused; an answer ends where the slot does', () => {
  const bench = new Bench([slots()], tenMs, sync)
    .ask({ at_ms: 0, prompt: 1000, most: 1 }, { at_ms: 0, prompt: 990, most: 50 })
    .run()
  assert.deepEqual(
    bench.said.filter((line) => line.includes('failed')),
    ['0 failed context_length 0'],
  )
  assert.equal(bench.sequences[1]?.out, 10)
})
