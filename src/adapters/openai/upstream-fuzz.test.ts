import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { totalTokens } from '../../books/usage.ts'
import { AnswerText } from './answer-text.ts'
import type { Told } from './engine.ts'
import { UpstreamStream } from './upstream-stream.ts'

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(null, -1, 1e300, 0.5, '', [], {}, [null], [{ index: {} }], [{ delta: { content: 5 } }]),
)
const usage = fc.dictionary(
  fc.constantFrom(
    'prompt_tokens',
    'completion_tokens',
    'prompt_tokens_details',
    'completion_tokens_details',
    '__proto__',
  ),
  fc.oneof(fc.integer(), fc.dictionary(fc.constantFrom('cached_tokens', 'reasoning_tokens'), odd), odd),
)
const choice = fc.dictionary(fc.constantFrom('index', 'delta', 'text', 'finish_reason', 'logprobs'), odd)
const chunk = fc.record(
  { choices: fc.oneof(fc.array(choice, { maxLength: 3 }), odd), usage: fc.oneof(usage, odd), error: odd, id: odd },
  { requiredKeys: [] },
)
const event = fc.oneof(
  { weight: 5, arbitrary: chunk.map((value) => `data: ${JSON.stringify(value)}\n\n`) },
  {
    weight: 2,
    arbitrary: fc.constant('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'),
  },
  fc.constantFrom('data: [DONE]\n\n', ': keep-alive\n\n', 'event: x\ndata\n\n', '\r\r\n', 'data: {"choices":'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

/** What is told of a stream, and how it stands, when it comes in pieces of these sizes. */
function heard(bytes: Buffer, sizes: readonly number[]) {
  const told: (Told & { kind: 'chunk' })[] = []
  const stream = new UpstreamStream('e', (one) => told.push(one))
  let failure = undefined as ReturnType<UpstreamStream['push']>
  for (let at = 0, turn = 0; at < bytes.length && !failure; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    failure = stream.push(bytes.subarray(at, at + size))
    at += size
  }
  if (!failure && stream.whole) stream.flush()
  return { told, failure, usage: stream.usage, whole: stream.whole }
}

test('whatever an upstream streams is told the same however it is cut, counted in whole tokens, and never thrown', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (events, sizes) => {
        const bytes = Buffer.from(events.join(''))
        const cut = heard(bytes, sizes)
        assert.deepEqual(cut, heard(bytes, [1]))
        for (const { tokens, bytes: pieces } of cut.told) {
          assert(Number.isSafeInteger(tokens) && tokens >= 0)
          const said = new AnswerText()
          for (const piece of pieces) said.add(piece)
          assert(JSON.stringify(pieces).length > 0)
        }
        if (cut.usage) assert(totalTokens(cut.usage) >= 0)
        if (cut.failure) assert(cut.failure.message.length < 2000)
      },
    ),
    { numRuns: 2000 },
  )
})

test('an event that is nested without end is a bad reply, and no stack of ours overflows', () => {
  for (const depth of [5_000, 100_000, 1_000_000])
    for (const [open, close] of [
      ['{"usage":'.concat('{"a":'.repeat(depth), '1'), '}'.repeat(depth + 1)],
      [`{"choices":[{"delta":{"content":${'['.repeat(depth)}`, `${']'.repeat(depth)}}}]}`],
    ] as const) {
      const { failure, told } = heard(Buffer.from(`data: ${open}${close}\n\n`), [65_536])
      assert.deepEqual([failure?.fault, told.length], ['bad_reply', 0], `${depth}`)
    }
})

test('an upstream that says nothing for ever is given up, and not remembered for ever', () => {
  const stream = new UpstreamStream('e', () => assert.fail('there is no content'))
  const empty = Buffer.from(
    `data: {"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}\n\n`.repeat(1000),
  )
  let failure = undefined as ReturnType<UpstreamStream['push']>
  for (let count = 0; count < 1000 && !failure; count++) failure = stream.push(empty)
  assert.equal(failure?.fault, 'bad_reply')
})
