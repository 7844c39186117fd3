import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Llama, LlamaModel } from 'node-llama-cpp'
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'
import { ANSWER_TOKENS, answerTo } from '../../lines/models/evaluate.ts'
import { reference } from '../../lines/models/forward.ts'
import { unpackStarter } from '../../lines/models/starter.ts'
import { tokenizer } from '../../lines/models/tokenizer.ts'
import { greedyAnswers } from './greedy.ts'

const path = 'models/starter/starter.gguf'
const file = readFileSync(path)
const starter = unpackStarter(file)
const ours = tokenizer(starter.vocabulary)
const card = JSON.parse(readFileSync('models/starter/card.json', 'utf8'))

let llama: Llama
let model: LlamaModel
before(async () => {
  llama = await getLlama({ build: 'never', gpu: false, maxThreads: 1, logLevel: LlamaLogLevel.error })
  model = await llama.loadModel({ modelPath: path })
})
after(() => llama.dispose())

const nasty = [
  '',
  ' ',
  '  a  b ',
  'Where is my card?',
  'ÄÖÜ ß é',
  '🏦💳👨‍👩‍👧',
  '日本語テキスト',
  'tab\tand\nline',
  '1234567890',
  'a'.repeat(200),
  '"quoted" {json}',
  'кириллица',
  '\u0000\u0001',
  '½ € £ ™',
]
const sentences = Array.from(
  { length: 300 },
  (_, n) =>
    `I${' '.repeat(n % 4)} paid ${n * 37} ${['USD', 'eur', '£', '€'][n % 4]} ${['twice', 'yesterday!', 'by  card', '?'][(n >> 2) % 4]} ${String.fromCodePoint(0x20 + n * 11)}`,
)

test('the tokenizer agrees with the engine, token for token', () => {
  for (const text of [...nasty, ...sentences])
    assert.deepEqual([...model.tokenize(text, false)], ours.encode(text), JSON.stringify(text))
})

const prompts = [
  'I lost my card',
  'Where is my card?',
  'My top up failed',
  'Why was I charged a fee for using an ATM',
  'how do I change my PIN',
  'The exchange rate is wrong',
  'My payment is still pending',
  'Can I get a second card',
  'I want to close my account',
  'someone stole my phone',
  'What currencies do you support',
  'I was charged twice',
  'How do I verify my identity?',
  'The machine swallowed my card',
  'is there a limit on transfers',
  'do you take apple pay',
  'refund please',
  'My transfer has not arrived',
  'what is the age limit',
  'can my child have an account',
  'I forgot my passcode',
  'My virtual card does not work',
  'How long does a transfer from Europe take',
  'cash withdrawal I do not recognise',
  'wrong amount of cash received',
  'activate my card',
  'when will my card expire',
  'contactless does not work',
  'Which countries are supported?',
  'change my address',
  'hello',
  'asdf qwer',
]

test('greedy answers agree with the engine, token for token', async () => {
  const judged = { vocabulary: starter.vocabulary, tokens: ours, reference: reference(starter.shape, starter.weights) }
  const { answers } = await greedyAnswers(
    path,
    prompts.map((text) => `<|user|> ${text}<|answer|>`),
    ANSWER_TOKENS,
  )
  assert.deepEqual(
    answers,
    prompts.map((text) => answerTo(judged, text).text),
  )
  for (const answer of answers) assert.equal(typeof JSON.parse(answer).intent, 'string')
})

test("the card describes this file, and its README tells the card's figures", () => {
  assert.equal(card.file.sha256, createHash('sha256').update(file).digest('hex'))
  assert(file.length <= 4 * 1024 * 1024)
  assert(card.architecture.parameters >= 1e6 && card.architecture.parameters <= 2e6)
  const readme = readFileSync('models/starter/README.md', 'utf8')
  for (const figure of [
    card.evaluation.accuracy.percent,
    card.evaluation.accuracy.low,
    card.evaluation.accuracy.high,
    card.evaluation.baseline.percent,
    card.data.train,
    card.data.test,
    card.architecture.parameters,
  ])
    assert(readme.includes(String(figure)), `README lacks ${figure}`)
})

test('no message stands in the vocabulary', () => {
  const longest = Math.max(
    ...starter.vocabulary.tokens
      .slice(starter.vocabulary.firstPiece, starter.vocabulary.firstIntent)
      .map((piece) => piece.length),
  )
  assert(longest <= 16, `a piece of ${longest} characters`)
})
