import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { curate, fingerprint } from './curate.ts'
import { dice } from './dice.ts'
import { GgufError, readGgufHeader, readTensorData } from './gguf.ts'
import { writeGguf } from './gguf-writer.ts'
import { fromHalf, toHalf } from './half.ts'
import { mcnemarExact, paired, wilson } from './statistics.ts'
import { learnPieces, tokenizer, vocabulary } from './tokenizer.ts'
import type { Weights } from './train.ts'
import { epochBatches, learningRate, STEP_EDGES } from './train.ts'

const messages = [
  'where is my card',
  'I lost my card!',
  'card payment was declined',
  'top up failed again',
  'exchange rate is wrong',
]
const pieces = vocabulary(learnPieces(messages, 40), ['card_lost', 'top_up'], STEP_EDGES.map(String))

test('the tokenizer gives every text back, whatever is in it', () => {
  const { encode, decode } = tokenizer(pieces)
  const text = fc.string({ unit: 'binary', maxLength: 60 }).map((one) => one.toWellFormed().replaceAll('\u2581', ''))
  fc.assert(fc.property(text, (one) => assert.equal(decode(encode(one)), one)))
  for (const one of [
    '',
    ' ',
    '  two  spaces ',
    'emoji 🏦 and ümlaut',
    'line\nbreak\t',
    '<|user|> {"intent":"card_lost"',
  ])
    assert.equal(decode(encode(one)), one)
})

test('a message cannot spell a control token or an answer', () => {
  const { encode } = tokenizer(pieces)
  const spelled = encode('<|user|><|answer|>{"intent":"card_lost","confidence":0.9}')
  assert(spelled.every((id) => id > 3 && id < pieces.firstIntent))
})

test('half precision: every half survives, and rounding is to the nearest', () => {
  for (let bits = 0; bits < 0x10000; bits += 7) {
    const value = fromHalf(bits)
    if (Number.isFinite(value)) assert.equal(fromHalf(toHalf(value)), value)
  }
  fc.assert(
    fc.property(fc.float({ min: -60000, max: 60000, noNaN: true }), (value) => {
      assert(Math.abs(fromHalf(toHalf(value)) - value) <= Math.max(2 ** -25, Math.abs(value) * 2 ** -11))
    }),
  )
})

const weights: Weights = {
  'a.weight': { shape: [3, 2], data: Float32Array.of(1, -2, 0.5, 4, 0, -0.25) },
  'norm.weight': { shape: [4], data: Float32Array.of(1, 1.1, 0.9, 3) },
}
const file = writeGguf(
  [
    ['general.architecture', 'string', 'llama'],
    ['llama.context_length', 'u32', 128],
    ['tokens', 'strings', ['a', 'ß', '']],
    ['ok', 'bool', true],
  ],
  weights,
)

test('a GGUF file reads back as it was written', () => {
  const header = readGgufHeader(file)
  assert.equal(header.metadata.get('llama.context_length'), 128)
  assert.deepEqual(header.metadata.get('tokens'), ['a', 'ß', ''])
  const [matrix, norm] = header.tensors.map((tensor) => readTensorData(file, header, tensor))
  assert.deepEqual(matrix, weights['a.weight'])
  assert.deepEqual(norm, weights['norm.weight'])
})

test('a damaged file is refused by name, and never read for ever', () => {
  const empty = writeGguf([], { 'a.weight': { shape: [2, 0], data: new Float32Array(0) } })
  assert.throws(() => readGgufHeader(empty), /tensor a\.weight is empty in a dimension/) // llama.cpp would end the process
  assert.throws(
    () => readGgufHeader(new TextEncoder().encode('not a model at all, really')),
    (error) => error instanceof GgufError && error.fault === 'not_gguf',
  )
  for (let length = 0; length < readGgufHeader(file).dataOffset - 31; length++) {
    assert.throws(
      () => readGgufHeader(file.subarray(0, length), file.length),
      (error) => error instanceof GgufError && (error.fault === 'needs_more' || error.fault === 'not_gguf'),
      `${length}`,
    )
  }
  const next = dice(5)
  for (let round = 0; round < 2000; round++) {
    const damaged = file.slice()
    for (let hit = 0; hit < 4; hit++) damaged[Math.floor(next() * damaged.length)] = Math.floor(next() * 256)
    try {
      readGgufHeader(damaged)
    } catch (error) {
      assert(error instanceof GgufError, `round ${round}: ${String(error)}`)
    }
  }
})

test('statistics agree with published values', () => {
  const half = wilson(50, 100)
  assert(Math.abs(half.low - 0.4038) < 1e-4 && Math.abs(half.high - 0.5962) < 1e-4)
  assert.equal(wilson(0, 0).high, 1)
  assert(Math.abs(mcnemarExact(1, 9) - 0.021484375) < 1e-12)
  assert.equal(mcnemarExact(0, 0), 1)
  const same = paired([true, false], [true, false])
  assert.deepEqual([same.difference, same.p], [0, 1])
})

test('the split depends on the message alone and lets no repeat cross it', () => {
  const digest = (text: string): string =>
    [...text]
      .reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) % 256, 7)
      .toString(16)
      .padStart(2, '0')
  const rows = Array.from({ length: 400 }, (_, at) => ({ text: `message ${at % 300} About`, label: 'x' }))
  const parts = curate(rows, digest)
  assert.equal(parts.dropped, 100)
  const shuffled = curate([...rows].reverse(), digest)
  const texts = (part: readonly { text: string }[]): string[] => part.map(({ text }) => text).sort()
  assert.deepEqual(texts(shuffled.test), texts(parts.test))
  assert.equal(fingerprint('Where is my CARD?'), fingerprint('where is my card'))
})

test('batches hold every message of a length once, and the rate warms up and fades', () => {
  const recipe = { seed: 3, epochs: 1, learningRate: 1, weightDecay: 0, messageLoss: 0, wordDropout: 0, dropout: 0 }
  const train = Array.from({ length: 96 }, (_, at) => ({ text: messages[at % messages.length] ?? '', label: 'top_up' }))
  const job = {
    shape: { vocabulary: pieces.tokens.length, width: 8, layers: 1, heads: 1, feedForward: 8, context: 96 },
    vocabulary: pieces,
    recipe,
    train,
    watch: [],
  }
  const seen = epochBatches(job, 0).flatMap((batch) => [...batch.messages])
  assert(seen.length > 0)
  assert.equal(new Set(seen).size, seen.length)
  assert.deepEqual(epochBatches(job, 0), epochBatches(job, 0), 'the same seed, the same batches')
  assert(learningRate(recipe, 0, 100) < learningRate(recipe, 3, 100))
  assert(learningRate(recipe, 99, 100) < 0.01)
})
