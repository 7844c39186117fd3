import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptReport } from '../../adapters/llama/client.ts'
import type { GenerateCommand } from '../../adapters/llama/commands.ts'
import { bench, chatBody, eventsOf, until } from './testing.ts'

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
