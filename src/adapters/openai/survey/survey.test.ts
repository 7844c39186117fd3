import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dial } from '../../http/dial.ts'
import { findPreset, unknownEngine } from '../presets/table.ts'
import { ask } from './ask.ts'
import { costOf } from './checks.ts'
import { checkIds } from './finding.ts'
import { differences, survey } from './survey.ts'
import { goodHabits, type Habits, habitualEngine } from './testing.ts'

async function surveyed(habits: Partial<Habits>, preset = unknownEngine) {
  using engine = await habitualEngine({ ...goodHabits, ...habits })
  const pool = dial(engine.url, { connections: 2, connectMs: 1000 })
  try {
    const { findings, spent } = await survey('m', preset, (question) => ask(pool, '/v1', {}, question))
    const saw = Object.fromEntries(findings.map((one) => [one.check, one.saw]))
    return { saw, findings, spent, counted: engine.counted, bodies: engine.bodies }
  } finally {
    await pool.destroy()
  }
}

const well = {
  chat: 'yes',
  stream: 'yes',
  stream_usage: 'on_request',
  cached: 'usage.prompt_tokens_details.cached_tokens',
  reasoning: 'absent',
  max_tokens: 'yes',
  max_completion_tokens: 'yes',
  stop: 'yes',
  seed: 'yes',
  n: 'yes',
  logprobs: 'yes',
  tools: 'yes',
  json_schema: 'yes',
  completions: 'yes',
  embeddings: 'yes',
  unknown_model: 'refused',
  error: 'error.message',
}

test('an engine that does all of it, and what that cost', async () => {
  const { saw, findings, spent, counted } = await surveyed({})
  assert.deepEqual(saw, well)
  assert.deepEqual(
    findings.map(({ check }) => check),
    checkIds.filter((check) => check !== 'models'),
  )
  const most = costOf('m')
  assert.equal(spent.requests, counted.requests)
  assert(counted.requests <= most.requests && counted.output <= most.output_tokens, `${counted.output} tokens`)
})

const habits: readonly (readonly [name: string, habits: Partial<Habits>, otherwise: Partial<typeof well> | object])[] =
  [
    ['a limit under the old name only', { limits: ['max_tokens'] }, { max_completion_tokens: 'ignored' }],
    ['usage always, elsewhere', { streamUsage: 'always', usageAt: 'x_groq.usage' }, { stream_usage: 'always' }],
    ['no usage in streams', { streamUsage: 'never' }, { stream_usage: 'never' }],
    ['stream_options refused', { refuses: ['stream_options'] }, { stream_usage: 'refused' }],
    ['cached tokens untold', { cached: 'untold' }, { cached: 'absent' }],
    ['fields refused', { refuses: ['logprobs', 'n', 'seed'] }, { logprobs: 'refused', n: 'refused', seed: 'refused' }],
    [
      'fields taken and ignored',
      { ignores: ['logprobs', 'n', 'seed', 'stop', 'tools', 'response_format'] },
      { logprobs: 'ignored', n: 'ignored', seed: 'unclear', stop: 'ignored', tools: 'ignored', json_schema: 'ignored' },
    ],
    ['no other paths', { lacks: ['/embeddings', '/completions'] }, { embeddings: 'refused', completions: 'refused' }],
    ['errors at the top', { error: (message) => ({ object: 'error', message }) }, { error: 'message' }],
    ['errors as FastAPI has them', { error: (detail) => ({ detail }) }, { error: 'detail' }],
    ['errors as a string', { error: (error) => ({ error }) }, { error: 'error' }],
  ]
for (const [name, habit, otherwise] of habits)
  test(`seen: ${name}`, async () => {
    const { saw } = await surveyed(habit)
    assert.deepEqual(saw, { ...well, ...otherwise })
  })

test('whether cached tokens stand within the prompt or beside it is told', async () => {
  const detail = async (cached: Habits['cached']): Promise<string> =>
    (await surveyed({ cached })).findings.find(({ check }) => check === 'cached')?.detail ?? ''
  assert.match(await detail('within'), /prompt_tokens counts them/)
  assert.match(await detail('beside'), /prompt_tokens leaves them out/)
})

test('an engine that obeys no limit is not asked for what it would go on about', async () => {
  const { saw, bodies } = await surveyed({ limits: [] })
  assert.deepEqual(
    [saw.max_tokens, saw.max_completion_tokens, saw.chat, saw.tools],
    ['ignored', 'ignored', 'unclear', 'unclear'],
  )
  const whole = bodies.filter(({ messages, stream }) => Array.isArray(messages) && stream !== true)
  assert.deepEqual(whole, [])
})

test('where only the new name is obeyed, the limit goes under that', async () => {
  const { saw, bodies } = await surveyed({
    limits: ['max_completion_tokens'],
    refuses: ['max_tokens'],
    lacks: ['/completions'],
  })
  assert.deepEqual([saw.max_tokens, saw.chat, saw.stop], ['refused', 'yes', 'yes'])
  assert(
    bodies
      .filter(({ messages }) => messages)
      .slice(1)
      .every((body) => body.max_tokens === undefined),
  )
})

test('nobody there: every check fails and says so, and nothing is thrown', async () => {
  const pool = dial(new URL('http://127.0.0.1:1/v1'), { connections: 1, connectMs: 500 })
  const { findings } = await survey('m', unknownEngine, (question) => ask(pool, '/v1', {}, question))
  await pool.destroy()
  assert(findings.every(({ saw }) => saw === 'failed' || saw === 'unclear'))
  assert.match(findings.find(({ check }) => check === 'completions')?.detail ?? '', /ECONNREFUSED/)
})

test('a difference is what a preset says otherwise; what stayed unclear is none', async () => {
  const ollama = findPreset('ollama')
  assert(ollama)
  const { findings } = await surveyed({ ignores: ['logprobs'] }, ollama)
  assert.deepEqual(differences(findings, ollama), [
    { check: 'max_completion_tokens', expected: 'ignored', saw: 'yes' },
    { check: 'logprobs', expected: 'yes', saw: 'ignored' },
  ])
  assert.deepEqual(differences([{ check: 'chat', saw: 'unclear', detail: '' }], ollama), [])
})
