import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../units/json.ts'
import { embeddedAsk } from '../openai/embedded.ts'
import type { ApiRequest } from '../openai/request.ts'
import { inChat, parseRequest } from '../openai/request.ts'
import { inWordsOf, takesBudget } from './effort.ts'
import { parseMessages } from './request.ts'
import { fitted } from './translate.ts'

function translated(
  body: JsonObject,
  from: 'chat' | 'messages',
  to: readonly ('llama' | 'openai' | 'anthropic')[],
): ApiRequest {
  const parsed = from === 'chat' ? parseRequest('chat', body) : parseMessages(body, 'answer')
  assert(parsed.ok, JSON.stringify(parsed))
  const fit = fitted(parsed.request, new Set(to))
  assert(fit.ok, JSON.stringify(fit))
  return fit.request
}

const weather = {
  name: 'weather',
  description: 'of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
}
const weatherTool = {
  type: 'function',
  function: { name: 'weather', description: 'of a city', parameters: weather.input_schema },
}

test('a request of Anthropic as OpenAI would have it', () => {
  const { chat } = translated(
    {
      model: 'm',
      max_tokens: 100,
      system: [{ type: 'text', text: 'be brief', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what is it?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'x' },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Rome' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'sunny' }] },
            { type: 'text', text: 'so?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't2', name: 'weather', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't2', is_error: true, content: 'no city' }] },
      ],
      tools: [weather],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      speed: 'standard',
      temperature: 0.5,
      top_k: 4,
      min_p: 0.1,
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
    },
    'messages',
    ['openai'],
  )
  assert.deepEqual(chat, {
    model: 'm',
    max_tokens: 100,
    temperature: 0.5,
    top_k: 4,
    min_p: 0.1,
    messages: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is it?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
        ],
      },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
      { role: 'tool', tool_call_id: 't1', content: 'sunny' },
      { role: 'user', content: 'so?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 't2', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 't2', content: 'Error: no city' },
    ],
    stop: ['END'],
    tools: [weatherTool],
    tool_choice: 'required',
    parallel_tool_calls: false,
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: { type: 'object' } } },
    user: 'u',
  })
})

test('a chat as Anthropic would have it', () => {
  const { messages } = translated(
    {
      model: 'm',
      messages: [
        { role: 'system', content: 'be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call.1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
        },
        { role: 'tool', tool_call_id: 'call.1', content: 'sunny' },
        { role: 'user', content: 'so?' },
      ],
      tools: [weatherTool],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
      stop: 'END',
      stream: true,
      stream_options: { include_usage: true },
      reasoning_effort: 'low',
      seed: 1,
      user: 'u',
    },
    'chat',
    ['anthropic'],
  )
  assert.deepEqual(messages, {
    model: 'm',
    stream: true,
    max_tokens: 10_240,
    system: [{ type: 'text', text: 'be brief' }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        ],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Rome' } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'sunny' }] },
          { type: 'text', text: 'so?' },
        ],
      },
    ],
    tools: [weather],
    tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
    stop_sequences: ['END'],
    thinking: { type: 'adaptive' },
    output_config: { effort: 'low' },
    metadata: { user_id: 'u' },
  })
})

test('what an engine has no words for is refused, and said where', () => {
  const user = (content: unknown) => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content }] })
  const hi = user('hi')
  const cases: readonly (readonly ['chat' | 'messages', 'llama' | 'openai' | 'anthropic', object, string])[] = [
    ['messages', 'openai', user([{ type: 'document', source: {} }]), 'messages[0].content[0]'],
    [
      'messages',
      'openai',
      user([{ type: 'image', source: { type: 'file', file_id: 'f' } }]),
      'messages[0].content[0].source',
    ],
    ['messages', 'openai', { ...hi, messages: [...hi.messages, { role: 'assistant', content: '{' }] }, 'messages[1]'],
    ['messages', 'openai', { ...hi, tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'tools[0].type'],
    ['messages', 'openai', { ...hi, mcp_servers: [{}] }, 'mcp_servers'],
    ['messages', 'openai', { ...hi, n: 2 }, 'n'],
    [
      'messages',
      'openai',
      { ...hi, context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
      'context_management',
    ],
    ['messages', 'anthropic', { ...hi, speed: 'fast' }, 'speed'],
    [
      'messages',
      'llama',
      { ...user([{ type: 'image', source: { type: 'url', url: 'http://x' } }]), system: 'be brief' },
      'messages[0]',
    ],
    [
      'messages',
      'llama',
      { ...hi, tools: [{ ...weather, strict: true, input_schema: { type: 'nothing' } }] },
      'tools[0].input_schema',
    ],
    ['messages', 'anthropic', { ...hi, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type'],
    ['chat', 'anthropic', { ...hi, n: 2 }, 'n'],
    ['chat', 'anthropic', { ...hi, logprobs: true }, 'logprobs'],
    ['chat', 'anthropic', { ...hi, response_format: { type: 'json_object' } }, 'response_format'],
    ['chat', 'anthropic', user([{ type: 'input_audio', input_audio: {} }]), 'messages[0].content[0]'],
    [
      'chat',
      'anthropic',
      user([{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }]),
      'messages[0].content[0]',
    ],
    [
      'chat',
      'anthropic',
      {
        ...hi,
        messages: [
          { role: 'assistant', content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '[1' } }] },
        ],
      },
      'messages[0].tool_calls[0]',
    ],
  ]
  for (const [dialect, vendor, body, param] of cases) {
    const parsed =
      dialect === 'chat' ? parseRequest('chat', body as JsonObject) : parseMessages(body as JsonObject, 'answer')
    assert(parsed.ok, JSON.stringify(parsed))
    const fit = fitted(parsed.request, new Set([vendor]))
    assert(!fit.ok, `${param} passed`)
    assert.equal(fit.refusal.param?.slice(0, param.length), param, JSON.stringify(fit))
    assert(!/\.function\.|messages\[1\]\.content/.test(fit.refusal.message), fit.refusal.message)
  }
})

const odd: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 3 })
const or = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 60, arbitrary: usual }, odd)
const word = fc.string({ unit: 'grapheme', maxLength: 8 })
const textBlock = fc.record({ type: fc.constant('text'), text: or(word) })
const image = fc.record({ type: fc.constant('image'), source: or(fc.constant({ type: 'url', url: 'https://x' })) })
const use = fc.record({
  type: fc.constant('tool_use'),
  id: or(fc.constant('a')),
  name: or(fc.constant('f')),
  input: or(fc.constant({ a: 1 })),
})
const result = fc.record({
  type: fc.constant('tool_result'),
  tool_use_id: or(fc.constant('a')),
  content: or(fc.oneof(word, fc.array(textBlock, { maxLength: 2 }))),
})
const thought = fc.record({ type: fc.constant('thinking'), thinking: word, signature: word })
const turnOf = (role: string, ...blocks: readonly fc.Arbitrary<unknown>[]) =>
  or(
    fc.record({
      role: or(fc.constant(role)),
      content: or(fc.oneof(word, fc.array(or(fc.oneof(textBlock, ...blocks)), { maxLength: 4 }))),
    }),
  )
const turn = fc.oneof(
  turnOf('user', result),
  turnOf('user', image),
  turnOf('assistant', use, thought),
  turnOf('system'),
)
const tool = or(fc.record({ name: or(fc.constant('f')), input_schema: or(fc.constant({ type: 'object' })) }))
const messagesRequest = fc.record(
  {
    model: fc.constant('m'),
    max_tokens: fc.constant(10),
    messages: fc.tuple(fc.array(turn, { maxLength: 4 }), turnOf('user')).map(([turns, last]) => [...turns, last]),
    system: or(word),
    tools: fc.array(tool, { maxLength: 2 }),
    tool_choice: or(fc.constantFrom({ type: 'auto' }, { type: 'tool', name: 'f' })),
    stop_sequences: or(fc.constant(['x'])),
    thinking: or(fc.constant({ type: 'disabled' })),
  },
  { requiredKeys: ['model', 'max_tokens', 'messages'] },
)

test('whatever is asked is refused, or becomes a chat that the parser of chats takes and the engine can be asked', () => {
  let translations = 0
  fc.assert(
    fc.property(
      messagesRequest,
      fc.constantFrom<readonly ('llama' | 'openai')[]>(['llama', 'openai'], ['openai']),
      (body, vendors) => {
        const parsed = parseMessages(body as JsonObject, 'answer')
        if (!parsed.ok) return assert(parsed.refusal.message.length > 0)
        const fit = fitted(parsed.request, new Set(vendors))
        if (!fit.ok) return assert(fit.refusal.message.length > 0)
        translations++
        const again = parseRequest('chat', fit.request.chat ?? {})
        assert(again.ok, JSON.stringify(again))
        if (vendors.includes('llama')) assert(embeddedAsk(inChat(fit.request)).messages)
        // And back: what came from Anthropic can be said to it.
        const back = fitted(again.request, new Set(['anthropic']))
        assert(back.ok, JSON.stringify(back))
        assert.equal(back.request.messages?.max_tokens, 10)
      },
    ),
    { numRuns: 2000 },
  )
  assert(translations > 300, `only ${translations} were translated: this tests nothing`)
})

test('malformed requests are refused with the field that is wrong', () => {
  const fine = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
  const cases: readonly (readonly [object, string])[] = [
    [{ ...fine, max_tokens: undefined }, 'max_tokens'],
    [{ ...fine, max_tokens: 0 }, 'max_tokens'],
    [{ ...fine, model: 7 }, 'model'],
    [{ ...fine, messages: [] }, 'messages'],
    [{ ...fine, messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
    [{ ...fine, messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0]'],
    [{ ...fine, system: [{ type: 'image' }] }, 'system[0]'],
    [{ ...fine, tools: [{ name: 'a b', input_schema: {} }] }, 'tools[0].name'],
    [{ ...fine, tools: [{ name: 'a' }] }, 'tools[0].input_schema'],
    [{ ...fine, tools: [weather], tool_choice: { type: 'tool', name: 'other' } }, 'tool_choice.name'],
    [{ ...fine, stop_sequences: 'x' }, 'stop_sequences'],
    [{ ...fine, temperature: 1.5 }, 'temperature'],
    [{ ...fine, thinking: { type: 'enabled', budget_tokens: 10 } }, 'thinking.budget_tokens'],
    [{ ...fine, max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 2000 } }, 'thinking.budget_tokens'],
  ]
  assert(parseMessages(fine, 'answer').ok)
  assert(parseMessages({ ...fine, max_tokens: undefined }, 'count').ok)
  for (const [body, param] of cases) {
    const parsed = parseMessages(body as JsonObject, 'answer')
    assert(!parsed.ok, param)
    assert.deepEqual([parsed.refusal.code, parsed.refusal.param], ['invalid_value', param])
  }
})

test('models of Anthropic are told to think in the words of their version', () => {
  const old = ['claude-3-7-sonnet-20250219', 'claude-opus-4-20250514', 'claude-sonnet-4-5-20250929', 'claude-haiku-4-5']
  const since = [
    'claude-opus-4-6',
    'claude-opus-4-7',
    'claude-sonnet-5',
    'claude-opus-5-5',
    'claude-mythos-preview',
    'starter',
  ]
  assert.deepEqual(
    old.map(takesBudget),
    old.map(() => true),
  )
  assert.deepEqual(
    since.map(takesBudget),
    since.map(() => false),
  )
  const body = { max_tokens: 5000, thinking: { type: 'adaptive' }, output_config: { effort: 'high', format: 1 } }
  assert.deepEqual(inWordsOf('claude-opus-5', body), body)
  assert.deepEqual(inWordsOf('claude-haiku-4-5', body), {
    max_tokens: 5000,
    thinking: { type: 'enabled', budget_tokens: 4999 },
    output_config: { format: 1 },
  })
  assert.deepEqual(inWordsOf('claude-haiku-4-5', { ...body, max_tokens: 500, output_config: { effort: 'low' } }), {
    max_tokens: 500,
  })
})
