import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import Schema from 'typebox/schema'
import { anyObject } from './grammar/gbnf.ts'
import { schemaGrammar } from './grammar/schema.ts'
import type { TokenLikelihood } from './protocol.ts'
import { BOS, byteToken, EOS, tokenByte, writeTinyModel } from './testing.ts'
import { ask, type Heard, startTiny, temporaryFolder } from './testing-engine.ts'

const after = { after: (run: () => void) => process.on('exit', run) }
let noise = ''
before(() => {
  noise = writeTinyModel(join(temporaryFolder(after), 'noise.gguf'), { context: 2048 })
})

const likelihoods = ({ reports }: Heard): TokenLikelihood[] =>
  reports.flatMap((report) => ('likelihoods' in report ? (report.likelihoods ?? []) : []))
const textOf = (tokens: readonly TokenLikelihood[]): string =>
  Buffer.from(tokens.flatMap(({ bytes }) => bytes)).toString()

test('likelihoods: a whole distribution, whose best is what a greedy answer says, with the text it has without them', async (t) => {
  const { client } = await startTiny(t, noise)
  const plain = await ask(client, { text: 'abc', max_tokens: 30 })
  const told = await ask(client, { text: 'abc', max_tokens: 30, alternatives: 20 })
  const tokens = likelihoods(told)
  assert.equal(told.text, plain.text)
  assert(textOf(tokens).startsWith(told.text), 'half a character at the end is told, not shown')
  assert(tokens.length > 5)
  for (const { bytes, logprob, top } of tokens) {
    assert.deepEqual([bytes, logprob], [top[0]?.bytes, top[0]?.logprob])
    for (const [at, one] of top.entries()) assert(one.logprob <= (top[at - 1]?.logprob ?? 0))
    const sum = top.reduce((sum, one) => sum + Math.exp(one.logprob), 0)
    assert(sum <= 1.0001 && (top.length === 20 || sum > 0.9999), 'fewer than asked for are all but nothing')
  }
  assert.equal(likelihoods(await ask(client, { text: 'abc', max_tokens: 3, alternatives: 0 }))[2]?.top.length, 0)
})

test('likelihoods are of the model, whatever the temperature, and drawn by the seed', async (t) => {
  const { client } = await startTiny(t, noise)
  const sampling = { temperature: 1.7, top_k: 3, seed: 4 }
  const [cold, warm, again] = [
    await ask(client, { text: 'abc', max_tokens: 1, alternatives: 5 }),
    await ask(client, { text: 'abc', max_tokens: 20, alternatives: 5, sampling }),
    await ask(client, { text: 'abc', max_tokens: 20, alternatives: 5, sampling }),
  ]
  const [first, same] = [likelihoods(warm)[0]?.top ?? [], likelihoods(cold)[0]?.top ?? []]
  for (const [at, { bytes, logprob }] of first.entries()) {
    assert.deepEqual(bytes, same[at]?.bytes)
    assert(Math.abs(logprob - (same[at]?.logprob ?? 0)) < 0.001, 'but for the size of the batch')
  }
  assert.equal(again.text, warm.text)
  for (const { bytes, top } of likelihoods(warm))
    assert(
      top.slice(0, 3).some((one) => one.bytes[0] === bytes[0]),
      'one of the top three',
    )
})

test('likelihoods come with the text they belong to, and none for a stop string', async (t) => {
  const next = (token: number): number => byteToken(((tokenByte(token) ?? 0x40) + 1) % 256)
  const { client } = await startTiny(t, writeTinyModel(join(temporaryFolder(t), 'm.gguf'), { next }))
  const stopped = await ask(client, { text: 'a', stop: ['fgh', 'de?'], alternatives: 1 })
  assert.equal(stopped.text, 'bcde')
  assert.equal(textOf(likelihoods(stopped)), 'bcde')
  assert.equal(stopped.count?.output, 7)
  const cut = await ask(client, { text: 'a', stop: ['fgh'], max_tokens: 6, alternatives: 1 })
  assert.equal(cut.text, 'bcdefg', 'a stop string that did not come is shown')
  assert.equal(textOf(likelihoods(cut)), 'bcdefg')
  let shown = ''
  let told = ''
  for (const report of stopped.reports) {
    if (report.on !== 'step') continue
    shown += report.text
    told += textOf(report.likelihoods ?? [])
    assert.equal(told, shown)
  }
})

test('a bias of a hundred decides, one of an end token or of none there is refused', async (t) => {
  const { client } = await startTiny(t, noise)
  const biased = (logit_bias: Record<string, number>, more = {}) =>
    ask(client, { text: 'x', max_tokens: 5, sampling: { temperature: 0, logit_bias }, ...more })
  const q = byteToken('q'.charCodeAt(0))
  assert.equal((await biased({ [q]: 100 })).text, 'qqqqq')
  assert.equal((await biased({ [q]: 100 }, { alternatives: 1 })).text, 'qqqqq')
  assert(!(await biased({ [q]: -100 })).text.includes('q'))
  for (const strange of [EOS, 100_000]) {
    const { last } = await biased({ [strange]: 1 })
    assert(last?.on === 'fail' && last.fault === 'bad_request' && last.message.includes(String(strange)))
  }
  assert.equal((await biased({ [BOS]: 100 })).count?.output, 5)
})

/** Strings that end, so that noise fits into a context; no bytes from 128 on, which noise puts together to no character. */
const towardsTheEnd = Object.fromEntries([
  ...[...'"}]'].map((letter) => [byteToken(letter.charCodeAt(0)), 4]),
  ...Array.from({ length: 128 }, (_, byte) => [byteToken(128 + byte), -100]),
])

const schema = {
  type: 'object',
  properties: {
    intent: { enum: ['card_arrival', 'pin_blocked'] },
    sure: { type: 'number', minimum: 0, maximum: 1 },
    when: { type: 'string', format: 'date' },
    tags: { type: 'array', items: { type: 'string', maxLength: 5 }, minItems: 1, maxItems: 3 },
    more: { anyOf: [{ type: 'null' }, { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }] },
  },
  required: ['intent', 'sure', 'tags'],
  additionalProperties: false,
}

test('even noise keeps to a schema, with likelihoods and without, alone and side by side', async (t) => {
  const { client } = await startTiny(t, noise, { context: 2048 })
  const validator = Schema.Compile(schema)
  const grammar = schemaGrammar(schema)
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, seed) =>
      ask(client, {
        text: `answer ${seed}`,
        grammar,
        ...(seed % 3 === 0 && { alternatives: 2 }),
        sampling: { temperature: 1, top_k: 0, top_p: 1, min_p: 0, seed, logit_bias: towardsTheEnd },
      }),
    ),
  )
  for (const { text, last, ...rest } of answers) {
    assert(last?.on === 'end' && last.why === 'stop', text)
    assert(validator.Check(JSON.parse(text)), text)
    const tokens = likelihoods({ text, last, ...rest })
    if (tokens.length > 0) assert.equal(textOf(tokens), text)
    for (const { logprob } of tokens) assert(logprob > -9999 && logprob <= 0)
  }
  assert(new Set(answers.map(({ text }) => text)).size > 20)
})

test('any JSON object; a grammar that is none fails its request alone', async (t) => {
  const { client } = await startTiny(t, noise, { context: 2048 })
  const sampling = { temperature: 1, seed: 3, logit_bias: towardsTheEnd }
  const { text, last } = await ask(client, { text: 'json: ', grammar: anyObject(), sampling })
  assert(last?.on === 'end' && last.why === 'stop')
  assert.equal(typeof JSON.parse(text), 'object')
  const broken = await ask(client, { text: 'x', grammar: 'root ::= (' })
  assert(broken.last?.on === 'fail')
  assert.equal((await ask(client, { text: 'x', max_tokens: 2 })).count?.output, 2)
})
