import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../units/json.ts'
import { ResponseOutput } from './output.ts'
import type { OutputItem, ResponseEvent } from './wire.ts'

const chunk = (delta: JsonObject, more: JsonObject = {}): JsonObject => ({
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})
const made = (asSummary = false) => new ResponseOutput({ key: 'g-1', asSummary })

function told(chunks: readonly JsonObject[], output = made()) {
  const events = chunks.flatMap((one) => output.take(one))
  const end = output.end()
  return { events: [...events, ...end.events], end, items: output.items() }
}

/** What a client that reads nothing but events ends up with; it insists on their order. */
function rebuilt(events: readonly ResponseEvent[]): OutputItem[] {
  const open = new Map<number, { text: string; part: boolean }>()
  const items: OutputItem[] = []
  for (const event of events) {
    if (event.type === 'response.output_item.added') {
      assert.equal(event.output_index, open.size, 'items are numbered as they come')
      open.set(event.output_index, { text: '', part: false })
    } else if (event.type === 'response.output_item.done') {
      assert.equal(open.get(event.output_index)?.part, false, 'its last part is done')
      items[event.output_index] = event.item
    } else if ('output_index' in event) {
      const item = open.get(event.output_index)
      assert(item && !items[event.output_index], `${event.type} of an item that is not open`)
      if (event.type === 'response.content_part.added') Object.assign(item, { text: '', part: true })
      if (event.type === 'response.content_part.done') item.part = false
      if ('delta' in event) item.text += event.delta
      if (event.type === 'response.output_text.done' || event.type === 'response.reasoning_text.done')
        assert.equal(event.text, item.text)
      if (event.type === 'response.refusal.done') assert.equal(event.refusal, item.text)
      if (event.type === 'response.function_call_arguments.done') assert.equal(event.arguments, item.text)
    }
  }
  return items
}

test('a text: item and part are opened, filled and closed in order', () => {
  const { events, items, end } = told([
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hel' }),
    chunk({ content: 'lo' }, { finish_reason: 'stop' }),
  ])
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
    ],
  )
  assert.equal(end.status, 'completed')
  assert.deepEqual(items, [
    {
      id: 'msg_g-1_0',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
    },
  ])
})

test('reasoning, in either name, is an item before the text; as a summary where one was asked for', () => {
  const chunks = [chunk({ reasoning_content: 'hm' }), chunk({ reasoning: ' ok' }), chunk({ content: 'yes' })]
  const { items, events } = told(chunks)
  assert.deepEqual(items[0], {
    id: 'rs_g-1_0',
    type: 'reasoning',
    status: 'completed',
    summary: [],
    content: [{ type: 'reasoning_text', text: 'hm ok' }],
  })
  assert.equal(items[1]?.type, 'message')
  assert(events.some(({ type }) => type === 'response.reasoning_text.delta'))
  const summarised = told(chunks, made(true))
  assert.deepEqual(summarised.items[0], {
    ...items[0],
    content: [],
    summary: [{ type: 'summary_text', text: 'hm ok' }],
  })
  assert.deepEqual(
    summarised.events.slice(0, 7).map(({ type }) => type.replace('response.', '')),
    [
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
    ],
  )
})

test('calls may come interleaved; one without an id is given one', () => {
  const call = (index: number, more: JsonObject) => chunk({ tool_calls: [{ index, ...more }] })
  const { items, events } = told([
    chunk({ content: 'look' }),
    call(0, { id: 'a', function: { name: 'f', arguments: '' } }),
    call(1, { function: { name: 'g', arguments: '{"x"' } }),
    call(0, { function: { arguments: '{}' } }),
    call(1, { function: { arguments: ':1}' } }),
  ])
  assert.deepEqual(
    items.slice(1).map((item) => item.type === 'function_call' && [item.call_id, item.name, item.arguments]),
    [
      ['a', 'f', '{}'],
      ['call_g-1_2', 'g', '{"x":1}'],
    ],
  )
  assert.deepEqual(rebuilt(events), items)
})

test('what is cut short says so, and only its last item', () => {
  const length = told([chunk({ reasoning_content: 'a' }), chunk({ content: 'b' }, { finish_reason: 'length' })])
  assert.deepEqual(length.end.incomplete_details, { reason: 'max_output_tokens' })
  assert.deepEqual(
    length.items.map(({ status }) => status),
    ['completed', 'incomplete'],
  )
  assert.deepEqual(told([chunk({ content: 'b' }, { finish_reason: 'content_filter' })]).end.incomplete_details, {
    reason: 'content_filter',
  })
})

test('log-probabilities travel with their text', () => {
  const logprobs = { content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2 }] }] }
  const { items } = told([chunk({ content: 'a' }, { logprobs })])
  const [message] = items
  const [part] = message?.type === 'message' ? message.content : []
  assert.deepEqual(part?.type === 'output_text' && part.logprobs, [
    { token: 'a', bytes: [97], logprob: -1, top_logprobs: [{ token: 'b', bytes: [], logprob: -2 }] },
  ])
})

const deltas = fc.array(
  fc.oneof(
    fc.string({ minLength: 1 }).map((content) => ({ content })),
    fc.string({ minLength: 1 }).map((reasoning_content) => ({ reasoning_content })),
    fc.string({ minLength: 1 }).map((refusal) => ({ refusal })),
    fc
      .record({ index: fc.nat(3), function: fc.record({ name: fc.constant('f'), arguments: fc.string() }) })
      .map((one) => ({
        tool_calls: [one],
      })),
  ),
)

test('whatever comes: events in order, and what they build is what the response holds', () => {
  fc.assert(
    fc.property(deltas, (all) => {
      const { events, items } = told(all.map((delta) => chunk(delta)))
      assert.deepEqual(rebuilt(events), items)
    }),
  )
})

test('streamed in any pieces or in one: the same items', () => {
  const parts = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(parts, parts, parts, (thought, said, called) => {
      const call = (text: string, at: number) => ({
        index: 0,
        ...(at === 0 && { id: 'c' }),
        function: { ...(at === 0 && { name: 'f' }), arguments: text },
      })
      const streamed = told([
        ...thought.map((reasoning_content) => chunk({ reasoning_content })),
        ...said.map((content) => chunk({ content })),
        ...called.map((text, at) => chunk({ tool_calls: [call(text, at)] })),
      ])
      const whole = told([
        {
          choices: [
            {
              index: 0,
              message: {
                content: said.join(''),
                reasoning_content: thought.join(''),
                tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: called.join('') } }],
              },
              finish_reason: 'tool_calls',
            },
          ],
        },
      ])
      assert.deepEqual(streamed.items, whole.items)
    }),
  )
})
