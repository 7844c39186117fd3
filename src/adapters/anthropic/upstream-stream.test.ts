import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Usage } from '../../books/usage.ts'
import { inputTokens, outputTokens } from '../../books/usage.ts'
import { failureOfMessagesStatus } from './upstream-errors.ts'
import { MessagesStream } from './upstream-stream.ts'
import { messagesUsage, usageOfReport } from './usage.ts'

/**
 * Synthetic streams, written after docs.anthropic.com ("Streaming messages", "Errors", "Prompt caching"), not recorded: no
 * service of Anthropic was asked.
 */
const event = (data: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const start = (usage: object): string =>
  event({ type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage } })
const begin = (content_block: object, index = 0): string => event({ type: 'content_block_start', index, content_block })
const delta = (delta: object, index = 0): string => event({ type: 'content_block_delta', index, delta })
const text = (text: string): string => delta({ type: 'text_delta', text })
const stop = (index = 0): string => event({ type: 'content_block_stop', index })
const end = (usage: object, stop_reason = 'end_turn'): string =>
  event({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage }) + event({ type: 'message_stop' })
const ping = event({ type: 'ping' })
const input = { input_tokens: 10, cache_read_input_tokens: 4, cache_creation_input_tokens: 3, output_tokens: 1 }
const said = begin({ type: 'text', text: '' }) + ping + text('Hel') + text('lo')

function read(stream: string, size = stream.length) {
  let produced = 0
  const kinds: string[] = []
  const messages = new MessagesStream(
    'e',
    (one) => ({ kind: 'event', event: one }),
    ({ tokens, bytes }) => {
      produced += tokens
      for (const piece of bytes) if (piece.kind === 'event') kinds.push(String(piece.event.type))
    },
  )
  const bytes = Buffer.from(stream)
  let failure: unknown
  for (let at = 0; at < bytes.length && !failure; at += size) failure = messages.push(bytes.subarray(at, at + size))
  return { messages, produced, kinds, failure }
}

const counts = (usage: Usage | undefined) =>
  (['input_uncached', 'cache_read', 'cache_write', 'output_visible', 'reasoning'] as const).map(
    (of) => usage?.[of]?.tokens ?? null,
  )

test('a whole stream, however the network cut it', () => {
  const whole = start(input) + said + stop() + end({ output_tokens: 9, output_tokens_details: { thinking_tokens: 7 } })
  for (const size of [1, 7, 1000]) {
    const { messages, produced, kinds, failure } = read(whole, size)
    assert.equal(failure, undefined)
    assert.deepEqual([messages.whole, produced], [true, 2])
    assert.deepEqual(counts(messages.usage), [10, 4, 3, 2, 7])
    assert.deepEqual(kinds, [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  }
})

test('a stream that is left: the input is known, and the output of its first event is not taken for all of it', () => {
  const { messages, produced } = read(start(input) + said)
  assert.deepEqual([messages.whole, produced], [false, 2])
  assert.deepEqual(counts(messages.usage), [10, 4, 3, null, null])
})

test('a server that begins with zeros, for it knows its input at the end only, has not told it', () => {
  const zeros = { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
  assert.equal(read(start(zeros) + said).messages.usage, undefined)
  const whole = start(zeros) + said + stop() + end({ input_tokens: 6, output_tokens: 2 })
  assert.deepEqual(counts(read(whole).messages.usage), [6, 0, null, 2, null])
})

test('what comes after it has said why it stopped breaks nothing', () => {
  const late = event({ type: 'error', error: { type: 'api_error', message: 'x' } })
  const { messages, failure } = read(start(input) + said + stop() + end({ output_tokens: 2 }) + late)
  assert.deepEqual([messages.whole, failure], [true, undefined])
})

test('before any content nothing is told, so that another replica may answer', () => {
  const { kinds, failure } = read(
    start(input) +
      begin({ type: 'text', text: '' }) +
      event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  )
  assert.deepEqual(kinds, [])
  assert.deepEqual((failure as { fault: string }).fault, 'overloaded')
})

test('thoughts and input of tools are content; a signature is none', () => {
  const { produced } = read(
    start(input) +
      begin({ type: 'thinking', thinking: '', signature: '' }) +
      delta({ type: 'thinking_delta', thinking: 'hm' }) +
      delta({ type: 'signature_delta', signature: 'abc' }) +
      stop() +
      begin({ type: 'tool_use', id: 't', name: 'f', input: {} }, 1) +
      delta({ type: 'input_json_delta', partial_json: '' }, 1) +
      delta({ type: 'input_json_delta', partial_json: '{}' }, 1) +
      stop(1) +
      end({ output_tokens: 20 }, 'tool_use'),
  )
  assert.equal(produced, 3)
})

test('a zero that was told stays one; what was not told is missing', () => {
  const report = { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0 }
  assert.deepEqual(counts(usageOfReport(report, true)), [0, 0, null, 0, null])
  assert.equal(usageOfReport({}, true), undefined)
  assert.deepEqual(
    counts(usageOfReport({ input_tokens: 1, output_tokens: 2, output_tokens_details: { thinking_tokens: 5 } }, true)),
    [1, null, null, 0, 2],
  )
  const usage = usageOfReport({ ...input, output_tokens: 9, output_tokens_details: { thinking_tokens: 7 } }, true)
  assert(usage)
  assert.deepEqual([inputTokens(usage), outputTokens(usage)], [17, 9])
  // What an upstream told, a client is told: nothing is lost or counted twice on the way.
  const { output_tokens_details, ...shown } = messagesUsage(usage)
  assert.deepEqual([shown, output_tokens_details], [{ ...input, output_tokens: 9 }, { thinking_tokens: 7 }])
})

test('errors by status and by type', () => {
  const fault = (status: number, type: string, message = 'x') =>
    failureOfMessagesStatus('e', status, { type: 'error', error: { type, message } }).fault
  assert.equal(fault(400, 'invalid_request_error'), 'bad_request')
  assert.equal(
    fault(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
    'context_length',
  )
  const ours = { type: 'error', error: { message: 'x', details: { error_code: 'context_length_exceeded' } } }
  assert.equal(failureOfMessagesStatus('e', 400, ours).fault, 'context_length')
  assert.equal(fault(401, 'authentication_error'), 'bad_reply')
  assert.equal(fault(402, 'billing_error'), 'bad_reply')
  assert.equal(fault(404, 'not_found_error'), 'unknown_model')
  assert.equal(fault(413, 'request_too_large'), 'bad_request')
  assert.equal(fault(429, 'rate_limit_error'), 'overloaded')
  assert.equal(fault(500, 'api_error'), 'crashed')
  assert.equal(fault(529, 'overloaded_error'), 'overloaded')
  for (const [type, expected] of [
    ['api_error', 'crashed'],
    ['timeout_error', 'timed_out'],
    ['new_error', 'crashed'],
  ] as const) {
    const { failure } = read(start(input) + said + event({ type: 'error', error: { type, message: 'x' } }))
    assert.equal((failure as { fault: string }).fault, expected)
  }
  assert.equal((read('data: {"no":"type"}\n\n').failure as { fault: string }).fault, 'bad_reply')
})
