import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptReport } from '../../adapters/llama/client.ts'
import type { GenerateCommand } from '../../adapters/llama/commands.ts'
import { bench, chatBody, eventsOf, hostStatus, until } from './testing.ts'

type Report = AttemptReport extends infer One ? (One extends AttemptReport ? Omit<One, 'id'> : never) : never

/** An engine host whose words the test writes. */
function host(script: readonly Report[]) {
  const commands: GenerateCommand[] = []
  const cancelled: string[] = []
  let say: ((report: AttemptReport) => void) | undefined
  return {
    commands,
    cancelled,
    say: (report: Report) => say?.({ ...report, id: commands.at(-1)?.id ?? '' } as AttemptReport),
    generate(command: GenerateCommand, told: (report: AttemptReport) => void) {
      commands.push(command)
      say = told
      for (const report of script) queueMicrotask(() => told({ ...report, id: command.id } as AttemptReport))
    },
    cancel: (id: string) => void cancelled.push(id),
  }
}

const count = { input_uncached: 4, cache_read: 6, output: 3 }
const answer: readonly Report[] = [
  { on: 'begin', input_uncached: 4, cache_read: 6 },
  { on: 'step', tokens: 1, text: 'Hel' },
  { on: 'step', tokens: 1, text: '' },
  { on: 'step', tokens: 1, text: 'lo' },
  { on: 'end', why: 'stop', text: '!', count },
]

test('the embedded engine: streamed and whole', async (t) => {
  const engine = host(answer)
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const streamed = await post(
    '/v1/chat/completions',
    chatBody({ stream: true, stream_options: { include_usage: true }, temperature: 0, stop: 'X', max_tokens: 9 }),
  )
  const events = eventsOf(streamed.text)
  assert.deepEqual(
    events.slice(0, -2).map(({ choices: [choice] }) => [choice.delta, choice.finish_reason]),
    [
      [{ role: 'assistant', content: '' }, null],
      [{ content: 'Hel' }, null],
      [{ content: 'lo' }, null],
      [{ content: '!' }, null],
      [{}, 'stop'],
    ],
  )
  assert.deepEqual(events.at(-2).usage, {
    prompt_tokens: 10,
    completion_tokens: 3,
    total_tokens: 13,
    prompt_tokens_details: { cached_tokens: 6 },
    completion_tokens_details: { reasoning_tokens: 0 },
  })
  const { id, ...command } = engine.commands[0] ?? { id: '' }
  assert.equal(id, `${streamed.headers.get('x-request-id')}/1`)
  assert.deepEqual(command, {
    do: 'generate',
    model: 'upstream-m',
    messages: [{ role: 'user', content: 'hello there' }],
    max_tokens: 9,
    stop: ['X'],
    sampling: { temperature: 0 },
  })

  const whole = await post('/v1/chat/completions', chatBody())
  assert.equal(whole.json.object, 'chat.completion')
  assert.equal(whole.json.choices[0].message.content, 'Hello!')
  assert.equal(whole.json.choices[0].finish_reason, 'stop')
  assert.deepEqual(whole.json.usage, events.at(-2).usage)
  const text = await post('/v1/completions', { model: 'm', prompt: ['go on'] })
  assert.equal(text.json.choices[0].text, 'Hello!')
  assert.deepEqual([engine.commands[2]?.text, engine.commands[2]?.max_tokens], ['go on', 16])
  assert.equal(journal.closes[0]?.attempts[0]?.usage.output_visible?.source, 'engine')
})

const token = (text: string, logprob: number, ...others: [string, number][]) => ({
  bytes: [...Buffer.from(text)],
  logprob,
  top: others.map(([other, logprob]) => ({ bytes: [...Buffer.from(other)], logprob })),
})

const likely: readonly Report[] = [
  { on: 'begin', input_uncached: 4, cache_read: 0 },
  { on: 'step', tokens: 1, text: '' },
  {
    on: 'step',
    tokens: 1,
    text: 'Hé',
    likelihoods: [
      token('H', -0.5, ['H', -0.5], ['J', -1]),
      { bytes: [0xc3], logprob: -2, top: [] },
      { bytes: [0xa9], logprob: -0.1, top: [] },
    ],
  },
  { on: 'end', why: 'stop', text: '!', likelihoods: [token('!', -1)], count },
]

test('log-probabilities in the two shapes of OpenAI, streamed and whole', async (t) => {
  const engine = host(likely)
  const { post } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const chat = await post('/v1/chat/completions', chatBody({ logprobs: true, top_logprobs: 2 }))
  const { content } = chat.json.choices[0].logprobs
  assert.deepEqual(content[0], {
    token: 'H',
    logprob: -0.5,
    bytes: [72],
    top_logprobs: [
      { token: 'H', logprob: -0.5, bytes: [72] },
      { token: 'J', logprob: -1, bytes: [74] },
    ],
  })
  assert.deepEqual(
    content.map((one: { token: string }) => one.token),
    ['H', 'bytes:\\xc3', 'bytes:\\xa9', '!'],
  )
  assert.equal(engine.commands[0]?.alternatives, 2)

  const stream = await post('/v1/chat/completions', chatBody({ stream: true, logprobs: true }))
  const chunks = eventsOf(stream.text).filter((event) => event !== '[DONE]')
  assert.deepEqual(
    chunks.flatMap((chunk) => chunk.choices[0].logprobs?.content ?? []),
    content,
  )
  assert.equal(engine.commands[1]?.alternatives, 0)

  const text = await post('/v1/completions', { model: 'm', prompt: 'x', logprobs: 2 })
  assert.deepEqual(text.json.choices[0].logprobs, {
    tokens: ['H', 'bytes:\\xc3', 'bytes:\\xa9', '!'],
    token_logprobs: [-0.5, -2, -0.1, -1],
    top_logprobs: [{ H: -0.5, J: -1 }, {}, {}, {}],
    text_offset: [0, 1, 1, 2],
  })
  const plain = await post('/v1/chat/completions', chatBody({ logprobs: false }))
  assert.equal(engine.commands[3]?.alternatives, undefined)
  assert.equal(plain.status, 200)
})

test('a format and a bias reach the engine', async (t) => {
  const engine = host(answer)
  const { post } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const schema = { type: 'object', properties: { a: { enum: ['yes'] } } }
  const format = { type: 'json_schema', json_schema: { name: 'a', strict: true, schema } }
  await post('/v1/chat/completions', chatBody({ response_format: format, logit_bias: { 5: -100 } }))
  await post('/v1/chat/completions', chatBody({ response_format: { type: 'json_object' } }))
  await post('/v1/chat/completions', chatBody({ response_format: { type: 'text' } }))
  assert(engine.commands[0]?.grammar?.includes('yes'))
  assert.deepEqual(engine.commands[0]?.sampling, { logit_bias: { 5: -100 } })
  assert(engine.commands[1]?.grammar?.startsWith('ws ::='))
  assert.equal(engine.commands[2]?.grammar, undefined)
})

const calling: readonly Report[] = [
  { on: 'begin', input_uncached: 4, cache_read: 0 },
  { on: 'step', tokens: 1, text: 'I look.' },
  { on: 'step', tokens: 1, text: '', calls: [{ index: 0, id: 'call_a', name: 'weather', arguments: '' }] },
  { on: 'step', tokens: 1, text: '', calls: [{ index: 0, arguments: '{"x"' }] },
  {
    on: 'step',
    tokens: 1,
    text: '',
    calls: [
      { index: 0, arguments: ':1}' },
      { index: 1, id: 'call_b', name: 'time', arguments: '{}' },
    ],
  },
  { on: 'end', why: 'stop', text: '', count },
]

const weather = { type: 'function', function: { name: 'weather', description: 'w', parameters: { type: 'object' } } }
const time = { type: 'function', function: { name: 'time' } }

test('tool calls: asked for, streamed as deltas, whole, and told back', async (t) => {
  const engine = host(calling)
  const { post } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const whole = await post('/v1/chat/completions', chatBody({ tools: [weather, time], tool_choice: 'required' }))
  const [choice] = whole.json.choices
  assert.equal(choice.finish_reason, 'tool_calls')
  assert.deepEqual(choice.message, {
    role: 'assistant',
    content: 'I look.',
    refusal: null,
    tool_calls: [
      { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"x":1}' } },
      { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } },
    ],
  })
  assert.deepEqual(engine.commands[0]?.tools, {
    specs: [{ name: 'weather', description: 'w', parameters: { type: 'object' } }, { name: 'time' }],
    choice: 'required',
    parallel: true,
  })

  const forced = { type: 'function', function: { name: 'time' } }
  const stream = await post(
    '/v1/chat/completions',
    chatBody({ stream: true, tools: [weather, time], tool_choice: forced, parallel_tool_calls: false }),
  )
  const chunks = eventsOf(stream.text).filter((event) => event !== '[DONE]')
  assert.deepEqual(
    chunks.map((chunk) => chunk.choices[0].delta.tool_calls).filter((calls) => calls),
    [
      [{ index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }],
      [{ index: 0, function: { arguments: '{"x"' } }],
      [
        { index: 0, function: { arguments: ':1}' } },
        { index: 1, id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } },
      ],
    ],
  )
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls')
  assert.deepEqual([engine.commands[1]?.tools?.choice, engine.commands[1]?.tools?.parallel], [{ name: 'time' }, false])

  const { content: _, ...asked } = choice.message
  const answered = { role: 'tool', tool_call_id: 'call_a', content: 'rain' }
  await post(
    '/v1/chat/completions',
    chatBody({ messages: [{ ...asked, content: null }, answered], tool_choice: 'none' }),
  )
  assert.deepEqual(engine.commands[2]?.messages, [
    {
      role: 'assistant',
      content: '',
      tool_calls: [
        { id: 'call_a', name: 'weather', arguments: '{"x":1}' },
        { id: 'call_b', name: 'time', arguments: '{}' },
      ],
    },
    { role: 'tool', content: 'rain', tool_call_id: 'call_a' },
  ])
  assert.equal(engine.commands[2]?.tools, undefined)
})

test('what only the model can tell is refused by it', async (t) => {
  const engine = host([{ on: 'fail', fault: 'unsupported', message: 'this template has no tools' }])
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const { status, json } = await post('/v1/chat/completions', chatBody({ tools: [time] }))
  assert.deepEqual([status, json.error.code], [400, 'unsupported_parameter'])
  assert.equal(journal.closes[0]?.outcome, 'rejected')
})

test('a lost host: crashed before content is tried nowhere else, after it is an error event', async (t) => {
  const engine = host(answer.slice(0, 2))
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const asking = post('/v1/chat/completions', chatBody({ stream: true }))
  await until(() => journal.rows.length === 1)
  engine.say({ on: 'lost' })
  assert.equal(eventsOf((await asking).text).at(-1).error.code, 'engine_failed')
  const usage = journal.closes[0]?.attempts[0]?.usage
  assert.deepEqual([usage?.input_uncached?.tokens, usage?.output_visible], [4, { tokens: 1, source: 'counted' }])
})

test('the engine refuses: its reason and its figures', async (t) => {
  const engine = host([{ on: 'fail', fault: 'context_length', message: 'prompt of 900 tokens, context of 512' }])
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const { status, json } = await post('/v1/chat/completions', chatBody({ stream: true }))
  assert.deepEqual([status, json.error.code], [400, 'context_length_exceeded'])
  assert.equal(journal.closes[0]?.outcome, 'rejected')
})

test('a client that leaves cancels the engine, and is billed what the engine says it made', async (t) => {
  const engine = host(answer.slice(0, 3))
  const { url, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const leave = new AbortController()
  const asking = fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'api-key': 'wm-test-canary-0123456789' },
    body: JSON.stringify(chatBody()),
    signal: leave.signal,
  }).catch(() => undefined)
  await until(() => journal.rows.length === 1)
  leave.abort()
  await asking
  await until(() => engine.cancelled.length === 1)
  engine.say({ on: 'end', why: 'cancelled', text: '', count })
  await until(() => journal.closes.length === 1)
  const [row] = journal.closes
  assert.equal(row?.outcome, 'client_closed')
  assert.deepEqual(row?.attempts[0]?.usage.output_visible, { tokens: 3, source: 'engine' })
})

test("Anthropic's messages on the embedded engine: the same command, its stop string named, its own count", async (t) => {
  const engine = host([...answer.slice(0, -1), { on: 'end', why: 'stop', stop: 'X', text: '', count }])
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const asked = {
    model: 'm',
    max_tokens: 9,
    stream: true,
    system: 'be brief',
    stop_sequences: ['X'],
    thinking: { type: 'adaptive' },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
  }
  const { status, text } = await post('/v1/messages', asked)
  assert.equal(status, 200)
  const events = eventsOf(text)
  assert.deepEqual(
    [events[0].message.usage.input_tokens, events[0].message.usage.cache_read_input_tokens],
    [4, 6],
    'what the engine said at the start',
  )
  assert.equal(events.map((event) => event.delta?.text ?? '').join(''), 'Hello')
  const last = events.at(-2)
  assert.deepEqual([last.delta.stop_reason, last.delta.stop_sequence], ['stop_sequence', 'X'])
  assert.deepEqual(last.usage, {
    input_tokens: 4,
    cache_read_input_tokens: 6,
    cache_creation_input_tokens: 0,
    output_tokens: 3,
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: null,
  })
  const [command] = engine.commands
  assert.deepEqual(command?.messages, [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'hello' },
  ])
  assert.deepEqual([command?.max_tokens, command?.stop], [9, ['X']])
  assert.equal(journal.closes[0]?.outcome, 'complete')

  const thinking = { type: 'enabled', budget_tokens: 2000 }
  const budgeted = await post('/v1/messages', { ...asked, max_tokens: 4000, thinking })
  assert.deepEqual([budgeted.status, budgeted.json.error.details.param], [400, 'thinking'], 'not seemingly kept')

  const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }
  const seeing = await post('/v1/messages', { ...asked, messages: [{ role: 'user', content: [image] }] })
  assert.deepEqual([seeing.status, seeing.json.error.details.param], [400, 'messages[0]'])
})

test('the size of a prompt: exact from the engine that has the tokenizer; one that is not in memory is woken', async (t) => {
  const told: Report[] = [{ on: 'counted', tokens: 17 }]
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: host(told) })
  const asked = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
  const { json } = await post('/v1/messages/count_tokens', asked)
  assert.deepEqual([json.input_tokens, json.wattmill.source], [17, 'engine'])
  assert.equal(journal.rows.length, 0)

  const loads: string[] = []
  const cold = host([{ on: 'fail', fault: 'overloaded', message: 'm is not in memory now (cold)' }])
  const second = await bench(t, {
    engines: [{ vendor: 'llama' }],
    host: { ...cold, load: (model) => void loads.push(model), status: () => hostStatus('cold') },
  })
  const refused = await second.post('/v1/messages/count_tokens', asked)
  assert.deepEqual([refused.status, refused.headers.get('x-should-retry')], [503, 'true'])
  assert.deepEqual(loads, ['upstream-m'])
})

test('prompts are counted so many at once, and no more', async (t) => {
  const waiting: (() => void)[] = []
  const engine = host([])
  const { post, gateway } = await bench(t, {
    engines: [{ vendor: 'llama' }],
    host: {
      ...engine,
      generate: ({ id }, told) => void waiting.push(() => told({ on: 'counted', id, tokens: 3 })),
    },
  })
  const count = () => post('/v1/messages/count_tokens', { model: 'm', messages: [{ role: 'user', content: 'hello' }] })
  const first = Array.from({ length: 16 }, count)
  await until(() => waiting.length === 16)
  const late = await count()
  assert.deepEqual([late.status, late.json.error.type], [503, 'overloaded_error'])
  for (const answer of waiting.splice(0)) answer()
  assert((await Promise.all(first)).every(({ json }) => json.input_tokens === 3))
  assert.equal(gateway.state.counting, 0)
})
