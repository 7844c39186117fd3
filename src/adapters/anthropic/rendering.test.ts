import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ModelId, RequestId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import type { Piece } from '../openai/engine.ts'
import { messagesRendering } from './rendering.ts'
import { parseMessages } from './request.ts'

const parsed = parseMessages(
  { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], stop_sequences: ['END'] },
  'answer',
)
assert(parsed.ok)
const rendering = messagesRendering(parsed.request, id<RequestId>('r1'))

// biome-ignore lint/suspicious/noExplicitAny: a message is put together as a client would, and looked into.
type Shape = any

/** What a client makes of a stream, which is checked on the way: blocks begin in order, and nothing goes to one that is not there. */
function assembled(pieces: readonly Piece[]): { message: Shape; types: string[] } {
  const stream = rendering.stream(() => undefined)
  const held = pieces.filter((piece) => stream.holds(piece))
  const shown = pieces.filter((piece) => !stream.holds(piece))
  const events = [...shown, ...held].flatMap((piece) => stream.events(piece)).concat(stream.end(undefined))
  const types = events.map(({ name }) => String(name))
  let message: Shape
  const json: string[] = []
  for (const { name, data } of events) {
    const event: Shape = JSON.parse(data)
    assert.equal(event.type, name)
    if (event.type === 'message_start') message = event.message
    if (event.type === 'content_block_start') assert.equal(message.content.push(event.content_block) - 1, event.index)
    if (event.type === 'content_block_delta') {
      const block = message.content[event.index]
      if (event.delta.type === 'text_delta') block.text += event.delta.text
      if (event.delta.type === 'thinking_delta') block.thinking += event.delta.thinking
      if (event.delta.type === 'input_json_delta')
        json[event.index] = (json[event.index] ?? '') + event.delta.partial_json
    }
    if (event.type === 'message_delta') Object.assign(message, event.delta)
  }
  for (const [index, text] of json.entries()) if (text) message.content[index].input = JSON.parse(text)
  return { message, types }
}

const finish = (reason: string, more: object = {}): Piece => ({
  kind: 'chunk',
  chunk: { choices: [{ index: 0, delta: {}, finish_reason: reason, ...more }] },
})
const delta = (delta: JsonObject): Piece => ({
  kind: 'chunk',
  chunk: { choices: [{ index: 0, delta, finish_reason: null }] },
})
const call = (index: number, id: string | undefined, text: string) =>
  delta({ tool_calls: [{ index, ...(id && { id }), function: { ...(id && { name: 'f' }), arguments: text } }] })

/** A piece of text, of a thought, or a whole call in two parts, from an upstream or from our own engine. */
const said = fc.oneof(
  fc.string({ minLength: 1, maxLength: 4 }).map((text) => () => [delta({ content: text })]),
  fc.string({ minLength: 1, maxLength: 4 }).map((text) => () => [delta({ reasoning_content: text })]),
  fc.string({ minLength: 1, maxLength: 4 }).map((text): (() => Piece[]) => () => [{ kind: 'text', text }]),
  fc.constant((at: number) => [call(at, `id_${at}`, '{"a"'), call(at, undefined, ':1}')]),
  fc.constant((at: number): Piece[] => [
    { kind: 'calls', calls: [{ index: at, id: `id_${at}`, name: 'f', arguments: '' }] },
    { kind: 'calls', calls: [{ index: at, arguments: '{}' }] },
  ]),
)

test('a stream, put together by its client, is the answer in one piece', () => {
  fc.assert(
    fc.property(
      fc.array(said, { maxLength: 12 }),
      fc.constantFrom('stop', 'length', 'content_filter'),
      (all, reason) => {
        const pieces = [...all.flatMap((one, at) => one(at)), finish(reason)]
        const { message, types } = assembled(pieces)
        const whole: Shape = rendering.whole(pieces, undefined)
        assert.deepEqual(message.content, whole.content)
        assert.deepEqual([message.stop_reason, message.stop_sequence], [whole.stop_reason, whole.stop_sequence])
        assert.deepEqual(
          [types[0], types[1], types.at(-2), types.at(-1)],
          ['message_start', 'ping', 'message_delta', 'message_stop'],
        )
        const count = (type: string) => types.filter((one) => one === type).length
        assert.equal(count('content_block_start'), count('content_block_stop'))
      },
    ),
    { numRuns: 500 },
  )
})

test('parts of calls that come in turns go each to its own block', () => {
  const { message } = assembled([
    call(0, 'a', '{"x"'),
    call(1, 'b', '{"y"'),
    call(0, undefined, ':1}'),
    call(1, undefined, ':2}'),
    finish('tool_calls'),
  ])
  assert.deepEqual(
    message.content.map((block: Shape) => [block.id, block.input]),
    [
      ['a', { x: 1 }],
      ['b', { y: 2 }],
    ],
  )
  assert.equal(message.stop_reason, 'tool_use')
})

test('why it stopped', () => {
  const cases: readonly (readonly [Piece, string, string | null])[] = [
    [finish('stop'), 'end_turn', null],
    [finish('length'), 'max_tokens', null],
    [finish('tool_calls'), 'tool_use', null],
    [finish('content_filter'), 'refusal', null],
    [finish('stop', { stop_reason: 'END' }), 'stop_sequence', 'END'], // as vLLM and SGLang say it
    [finish('stop', { stop_reason: 128_009 }), 'end_turn', null], // a token that ends a turn
    [{ kind: 'finish', why: 'stop', stop: 'END' }, 'stop_sequence', 'END'],
    [{ kind: 'finish', why: 'stop' }, 'end_turn', null],
    [{ kind: 'finish', why: 'length' }, 'max_tokens', null],
  ]
  for (const [piece, reason, sequence] of cases) {
    const { message } = assembled([{ kind: 'text', text: 'a' }, piece])
    assert.deepEqual([message.stop_reason, message.stop_sequence], [reason, sequence], JSON.stringify(piece))
  }
})

test('a call whose arguments are no JSON keeps its text; one without an id gets one', () => {
  const body = {
    choices: [{ message: { tool_calls: [{ function: { name: 'f', arguments: '{"a":' } }] }, finish_reason: 'length' }],
  }
  const whole: Shape = rendering.whole([{ kind: 'whole', body }], undefined)
  assert.deepEqual(whole.content, [
    { type: 'tool_use', id: 'toolu_r1_0', name: 'f', input: { unparsed: '{"a":' }, caller: { type: 'direct' } },
  ])
  assert.equal(whole.model, id<ModelId>('m'))
})
