import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../units/json.ts'
import { parseRequest } from '../request.ts'
import { unsupported } from '../unsupported.ts'
import { readAsk } from './ask.ts'
import { chatOf } from './chat.ts'
import type { Kept } from './kept.ts'
import { inResponsesTerms } from './terms.ts'
import type { OutputItem } from './wire.ts'

const nothing = { turns: [], referred: [] }

function translated(body: JsonObject, conversation: Parameters<typeof chatOf>[1] = nothing) {
  const ask = readAsk({ model: 'm', ...body })
  assert(!('code' in ask), JSON.stringify(ask))
  const chat = chatOf(ask, conversation)
  assert(!('code' in chat), JSON.stringify(chat))
  return chat
}

const messages = (input: unknown, more: JsonObject = {}): unknown => translated({ input, ...more }).body.messages

test('a text is the message of a user; instructions come first, whatever is kept', () => {
  assert.deepEqual(messages('hello'), [{ role: 'user', content: 'hello' }])
  assert.deepEqual(messages('hello', { instructions: 'be brief' }), [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'hello' },
  ])
})

test('reasoning, text and calls of one turn are one message; what follows in another order begins the next', () => {
  const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' })
  const called = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
  const thought = { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] }
  const said = { role: 'assistant', content: [{ type: 'output_text', text: 'let me look' }] }
  const output = { type: 'function_call_output', call_id: 'a', output: '42' }
  assert.deepEqual(
    messages([{ role: 'user', content: 'q' }, thought, said, call('a'), call('b'), output, said, thought]),
    [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'let me look', reasoning_content: 'hm', tool_calls: [called('a'), called('b')] },
      { role: 'tool', tool_call_id: 'a', content: '42' },
      { role: 'assistant', content: 'let me look' },
      { role: 'assistant', content: '', reasoning_content: 'hm' },
    ],
  )
  assert.deepEqual(messages([call('a'), output]), [
    { role: 'assistant', content: null, tool_calls: [called('a')] },
    { role: 'tool', tool_call_id: 'a', content: '42' },
  ])
})

test('text is a string; parts stay parts where an image or a file is among them', () => {
  const content = [
    { type: 'input_text', text: 'what is ' },
    { type: 'input_text', text: 'this?' },
  ]
  assert.deepEqual(messages([{ role: 'user', content }]), [{ role: 'user', content: 'what is this?' }])
  const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' }
  const file = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' }
  assert.deepEqual(messages([{ role: 'user', content: [...content, image, file] }]), [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'what is ' },
        { type: 'text', text: 'this?' },
        { type: 'image_url', image_url: { url: image.image_url, detail: 'low' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: file.file_data } },
      ],
    },
  ])
})

test('fields have their names in chat; unknown ones pass through, those of Responses alone do not', () => {
  const schema = { type: 'object', properties: {} }
  const { body } = translated({
    input: 'q',
    stream: true,
    temperature: 0.5,
    max_output_tokens: 7,
    reasoning: { effort: 'low', summary: 'auto', max_tokens: 100 },
    text: { verbosity: 'low', format: { type: 'json_schema', name: 'n', schema, strict: true, description: null } },
    tools: [{ type: 'function', name: 'f', parameters: schema, strict: null, description: 'd' }],
    tool_choice: { type: 'function', name: 'f' },
    include: ['message.output_text.logprobs'],
    metadata: { a: 'b' },
    store: false,
    truncation: 'disabled',
    background: false,
    my_field: 1,
    service_tier: 'flex',
  })
  assert.deepEqual(body, {
    model: 'm',
    stream: true,
    temperature: 0.5,
    my_field: 1,
    service_tier: 'flex',
    max_completion_tokens: 7,
    reasoning_effort: 'low',
    reasoning: { max_tokens: 100 },
    verbosity: 'low',
    logprobs: true,
    top_logprobs: 0,
    tools: [{ type: 'function', function: { name: 'f', parameters: schema, description: 'd' } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
    messages: [{ role: 'user', content: 'q' }],
  })
  assert.deepEqual(translated({ input: 'q', text: { format: { type: 'json_object' } } }).body.response_format, {
    type: 'json_object',
  })
  assert.equal(translated({ input: 'q', text: { format: { type: 'text' } } }).body.response_format, undefined)
})

const keptOf = (input: readonly JsonObject[], output: readonly OutputItem[]): Kept =>
  ({ input, response: { output } }) as unknown as Kept

test('a kept conversation comes before what is new; an item can be named by its id', () => {
  const question = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'one' }], id: 'msg_g-1_i0' }
  const answer: OutputItem = {
    id: 'msg_g-1_0',
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'two', annotations: [], logprobs: [] }],
  }
  const turn = keptOf([question], [answer])
  const wanted = [
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'two' },
    { role: 'user', content: 'three' },
  ]
  const previous = translated({ input: 'three', previous_response_id: 'resp_g-1' }, { turns: [turn], referred: [] })
  assert.deepEqual(previous.body.messages, wanted)
  assert.deepEqual(previous.from, ['previous_response_id', 'previous_response_id', 'input[0]'])

  const input = [{ type: 'item_reference', id: question.id }, { id: answer.id }, { role: 'user', content: 'three' }]
  const ask = readAsk({ model: 'm', input })
  assert(!('code' in ask))
  assert.deepEqual(ask.referred, ['resp_g-1'])
  assert.deepEqual(translated({ input }, { turns: [], referred: [turn] }).body.messages, wanted)
  const lost = chatOf(ask, { turns: [], referred: [keptOf([question], [])] })
  assert('code' in lost && lost.code === 'response_not_found' && lost.param === 'input[1].id')
})

const wrong: readonly (readonly [JsonObject, string, string])[] = [
  [{}, 'invalid_value', 'input'],
  [{ input: [] }, 'invalid_value', 'input'],
  [{ input: [1] }, 'invalid_value', 'input[0]'],
  [{ input: [{ role: 'robot', content: 'x' }] }, 'invalid_value', 'input[0].role'],
  [{ input: [{ role: 'user', content: [] }] }, 'invalid_value', 'input[0].content'],
  [
    { input: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
    'unsupported_parameter',
    'input[0].content[0].type',
  ],
  [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'invalid_value', 'input[0].content[0].text'],
  [{ input: [{ type: 'function_call', name: 'f', arguments: '' }] }, 'invalid_value', 'input[0].call_id'],
  [{ input: [{ type: 'function_call_output', call_id: 'a' }] }, 'invalid_value', 'input[0].output'],
  [{ input: [{ type: 'reasoning', content: [{}] }] }, 'invalid_value', 'input[0].content'],
  [{ input: [{ type: 'web_search_call', id: 'x' }] }, 'unsupported_parameter', 'input[0].type'],
  [
    { input: [{ role: 'user', content: [{ type: 'constructor' }] }] },
    'unsupported_parameter',
    'input[0].content[0].type',
  ],
  [{ input: [{ id: 'not ours' }] }, 'invalid_value', 'input[0].id'],
  [{ input: 'q', tools: [{ type: 'web_search' }] }, 'unsupported_parameter', 'tools[0].type'],
  [{ input: 'q', tools: [{ type: 'function' }] }, 'invalid_value', 'tools[0].name'],
  [{ input: 'q', tool_choice: { type: 'mcp' } }, 'unsupported_parameter', 'tool_choice'],
  [{ input: 'q', text: { format: { type: 'xml' } } }, 'invalid_value', 'text.format.type'],
  [{ input: 'q', text: { format: { type: 'json_schema', name: 'n' } } }, 'invalid_value', 'text.format.schema'],
  [{ input: 'q', background: true }, 'unsupported_parameter', 'background'],
  [{ input: 'q', truncation: 'auto' }, 'unsupported_parameter', 'truncation'],
  [{ input: 'q', conversation: 'conv_1' }, 'unsupported_parameter', 'conversation'],
  [{ input: 'q', n: 2 }, 'unsupported_parameter', 'n'],
  [{ input: 'q', store: 'yes' }, 'invalid_value', 'store'],
  [{ input: 'q', previous_response_id: 'a b' }, 'invalid_value', 'previous_response_id'],
  [{ input: 'q', include: ['secrets'] }, 'invalid_value', 'include'],
  [{ input: 'q', reasoning: { effort: 'endless' } }, 'invalid_value', 'reasoning.effort'],
  [{ input: 'q', reasoning: { max_tokens: -1 } }, 'invalid_value', 'reasoning.max_tokens'],
  [{ input: 'q', metadata: { a: 1 } }, 'invalid_value', 'metadata'],
  [{ input: 'q', max_output_tokens: 0 }, 'invalid_value', 'max_output_tokens'],
]
for (const [body, code, param] of wrong)
  test(`refused as ${code} at ${param}: ${JSON.stringify(body).slice(0, 90)}`, () => {
    const refused = readAsk({ model: 'm', ...body })
    assert('code' in refused, 'it was taken')
    assert.deepEqual([refused.code, refused.param], [code, param])
  })

/** JSON that cannot be made a string of. */
const stubborn = fc.constant({ toString: 1, valueOf: 1 })
const part = fc.oneof(
  fc.record({ type: fc.constantFrom('input_text', 'output_text'), text: fc.string() }),
  fc.record({ type: fc.oneof(stubborn, fc.constantFrom('input_image', 'refusal', 'x')), text: fc.string() }),
)
const good: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ role: fc.constantFrom('user', 'assistant', 'developer'), content: fc.string() }),
  fc.record({ type: fc.constant('reasoning'), summary: fc.constant([{ text: 'a' }]) }),
  fc.constant({ type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }),
  fc.constant({ type: 'function_call_output', call_id: 'a', output: 'b' }),
)
const fields = ['type', 'role', 'id', 'content', 'summary', 'output', 'call_id', 'name', 'arguments']
const spoilt = fc
  .tuple(good, fc.constantFrom(...fields), fc.oneof(stubborn, fc.array(part, { maxLength: 3 }), fc.constant(null)))
  .map(([item, field, value]) => ({ ...item, [field]: value }))
const items = fc.oneof(fc.array(good, { maxLength: 6 }), fc.array(fc.oneof(good, spoilt), { maxLength: 6 }))
const names = ['input', 'tools', 'tool_choice', 'text', 'reasoning', 'include', 'instructions', 'stream', 'n']
const odd: fc.Arbitrary<unknown> = fc.oneof(
  stubborn,
  fc.array(stubborn, { maxLength: 2 }),
  fc.record({ type: stubborn, format: fc.record({ type: stubborn }), effort: stubborn }),
  fc.constantFrom(null, 1, true, 'auto', '', [{ type: 'function', name: 'f' }], { format: { type: 'json_object' } }),
)

test('whatever is asked is refused, or becomes a chat request that is refused or understood', () => {
  let understood = 0
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), odd, { maxKeys: 2 }), items, (body, input) => {
      const ask = readAsk({ model: 'm', input, ...body })
      if ('code' in ask) return assert(ask.message.length > 0)
      const chat = chatOf(ask, nothing)
      if ('code' in chat) return assert.equal(chat.code, 'response_not_found')
      assert.equal(chat.from.length, (chat.body.messages as unknown[]).length)
      const parsed = parseRequest('chat', chat.body)
      if (!parsed.ok) return assert(inResponsesTerms(parsed.refusal, chat.from).message.length > 0)
      understood++
      unsupported(parsed.request)
    }),
    { numRuns: 2000 },
  )
  assert(understood > 100, `only ${understood} were understood`)
})

test('what chat refuses is told in the words that were sent', () => {
  const from = ['instructions', 'previous_response_id', 'input[0]']
  const param = (chat: string): unknown => {
    const { param: renamed, message } = inResponsesTerms(
      { code: 'invalid_value', message: `"${chat}" must be another`, param: chat },
      from,
    )
    assert.equal(message, `"${renamed}" must be another`)
    return renamed
  }
  assert.equal(param('messages[2].content[1]'), 'input[0].content[1]')
  assert.equal(param('messages[1].content'), 'previous_response_id')
  assert.equal(param('tools[0].function.parameters.properties.a'), 'tools[0].parameters.properties.a')
  assert.equal(param('response_format.json_schema.schema.not'), 'text.format.schema.not')
  assert.equal(param('max_completion_tokens'), 'max_output_tokens')
  assert.equal(param('temperature'), 'temperature')
})
