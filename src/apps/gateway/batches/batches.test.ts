import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { newBatchId } from '../../../adapters/files/batch-folders.ts'
import { allowance, indexed } from '../../../books/allowance.ts'
import type { TenantId } from '../../../units/ids.ts'
import { bench, chatBody, fakeUpstream, otherKey, perMillion, until } from '../testing.ts'
import { askLine, batchWhen, call, form, handIn, isOver, linesIn, whole } from './testing.ts'

const said = (seen: { body: { messages: { content: string }[] } }): string => seen.body.messages[0]?.content ?? ''

test('a batch is handed in, its lines are answered as class batch and billed once each, and its files hold them', async (t) => {
  const up = await fakeUpstream(t, (response, seen) => {
    if (said(seen) === 'bad') {
      response.writeHead(400, { 'content-type': 'application/json' })
      return void response.end('{"error":{"message":"no","code":"bad"}}')
    }
    whole(response, `re: ${said(seen)}`)
  })
  const { url, journal } = await bench(t, { engines: [{ url: up.url }] })
  const lines = ['one', 'two', 'bad', 'three'].map((word) => askLine(`id-${word}`, word))
  const made = await handIn(url, lines, { metadata: { run: '7' } })
  assert.equal(made.status, 200)
  assert.deepEqual(
    [made.json.object, made.json.status, made.json.endpoint, made.json.metadata, made.json.completion_window],
    ['batch', 'validating', '/v1/chat/completions', { run: '7' }, '24h'],
  )
  const batch = await batchWhen(url, made.json.id, isOver)
  assert.equal(batch.status, 'completed')
  assert.deepEqual(batch.request_counts, { total: 4, completed: 3, failed: 1 })
  assert(batch.in_progress_at && batch.finalizing_at && batch.completed_at && !batch.cancelled_at)

  const output = await linesIn(url, batch.output_file_id)
  assert.deepEqual(
    output.map(({ custom_id, response }) => [custom_id, response.body.choices[0].message.content]).sort(),
    [
      ['id-one', 're: one'],
      ['id-three', 're: three'],
      ['id-two', 're: two'],
    ],
  )
  const [wrong, ...others] = await linesIn(url, batch.error_file_id)
  assert.deepEqual([wrong.custom_id, wrong.response.status_code, others], ['id-bad', 400, []])
  assert.equal(wrong.response.body.error.code, 'engine_refused')

  const complete = journal.closes.filter(({ outcome }) => outcome === 'complete')
  assert.deepEqual(output.map(({ response }) => response.request_id).sort(), complete.map(({ id }) => id).sort())
  assert.equal(journal.closes.length, 4)
  await until(() => journal.results.size === 0)
  const listed = await call(`${url}/v1/batches?limit=1`, 'GET')
  assert.deepEqual([listed.json.data[0].id, listed.json.has_more], [batch.id, false])
})

test("what is another tenant's is not there", async (t) => {
  const up = await fakeUpstream(t, (response, seen) => whole(response, said(seen)))
  const { url } = await bench(t, { engines: [{ url: up.url }] })
  const file = (await call(`${url}/v1/files`, 'POST', form(askLine('a', 'x')))).json
  assert.deepEqual(
    [file.object, file.purpose, file.filename, file.status],
    ['file', 'batch', 'asks.jsonl', 'processed'],
  )
  const batch = (await handIn(url, [askLine('a', 'x')])).json
  for (const [method, path, code] of [
    ['GET', `/v1/files/${file.id}`, 'file_not_found'],
    ['GET', `/v1/files/${file.id}/content`, 'file_not_found'],
    ['DELETE', `/v1/files/${file.id}`, 'file_not_found'],
    ['GET', `/v1/batches/${batch.id}`, 'batch_not_found'],
    ['POST', `/v1/batches/${batch.id}/cancel`, 'batch_not_found'],
    ['GET', '/v1/files/..%2f..%2fpepper', 'file_not_found'],
  ] as const) {
    const answer = await call(`${url}${path}`, method, undefined, otherKey)
    assert.deepEqual([answer.status, answer.json.error.code], [404, code], `${method} ${path}`)
  }
  const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  assert.equal((await call(`${url}/v1/batches`, 'POST', asked, otherKey)).json.error.code, 'file_not_found')
  assert.deepEqual((await call(`${url}/v1/files`, 'GET', undefined, otherKey)).json.data, [])
  assert.deepEqual((await call(`${url}/v1/batches`, 'GET', undefined, otherKey)).json.data, [])
  assert.equal((await call(`${url}/v1/files/${file.id}`, 'DELETE')).json.deleted, true)
  assert.equal((await call(`${url}/v1/files/${file.id}`, 'GET')).status, 404)
})

test('input that is no batch is refused with its line, and nothing of it is asked', async (t) => {
  const up = await fakeUpstream(t, (response, seen) => whole(response, said(seen)))
  const { url, journal } = await bench(t, { engines: [{ url: up.url }] })
  const lines = [
    askLine('a', 'x'),
    askLine('a', 'again'),
    '{"custom_id": "b"',
    JSON.stringify({ custom_id: 'c', method: 'GET', url: '/v1/chat/completions', body: {} }),
    JSON.stringify({ custom_id: 'd', method: 'POST', url: '/v1/embeddings', body: {} }),
    askLine('e', 'x', { stream: true }),
    askLine('f', 'y'.repeat(70_000)),
  ]
  const batch = await batchWhen(url, (await handIn(url, lines)).json.id, isOver)
  assert.equal(batch.status, 'failed')
  assert.deepEqual(
    batch.errors.data.map(({ line, code }: { line: number; code: string }) => [line, code]),
    [
      [2, 'duplicate_custom_id'],
      [3, 'invalid_json_line'],
      [4, 'invalid_method'],
      [5, 'mismatched_url'],
      [6, 'invalid_value'],
      [7, 'line_too_long'],
    ],
  )
  assert.deepEqual([journal.rows.length, up.seen.length], [0, 0])
  const empty = await batchWhen(url, (await handIn(url, [''])).json.id, isOver)
  assert.equal(empty.errors.data[0].code, 'empty_file')
})

test('what is busy is waited for', async (t) => {
  const tries = new Map<string, number>()
  const up = await fakeUpstream(t, (response, seen) => {
    const word = said(seen)
    tries.set(word, (tries.get(word) ?? 0) + 1)
    if (word === 'busy' && tries.get(word) === 1) {
      response.writeHead(503, { 'content-type': 'application/json' })
      return void response.end('{"error":{"message":"later"}}')
    }
    whole(response, word)
  })
  const { url } = await bench(t, { engines: [{ url: up.url }], settings: {} })
  const batch = await batchWhen(url, (await handIn(url, [askLine('b', 'busy')])).json.id, isOver)
  assert.deepEqual([batch.status, batch.request_counts.completed, tries.get('busy')], ['completed', 1, 2])
})

test('a batch leaves a place for who comes, and begins nothing while somebody waits', async (t) => {
  const held: (() => void)[] = []
  const up = await fakeUpstream(t, (response, seen) => void held.push(() => whole(response, said(seen))))
  const { url, gateway, post } = await bench(t, { engines: [{ url: up.url, concurrency: 4 }] })
  const lines = Array.from({ length: 8 }, (_, n) => askLine(`l${n}`, `batch ${n}`))
  const made = await handIn(url, lines)
  await until(() => up.seen.length === 3)
  await after(400)
  assert.equal(up.seen.length, 3, 'of four places one is kept')
  const person = post('/v1/chat/completions', chatBody())
  await until(() => up.seen.length === 4)
  held.pop()?.()
  assert.equal((await person).status, 200)
  const free = setInterval(() => held.splice(0).forEach((answer) => void answer()), 10)
  t.after(() => clearInterval(free))
  const batch = await batchWhen(url, made.json.id, isOver)
  assert.equal(batch.request_counts.completed, 8)
  assert.equal(gateway.state.world.running, 0)
})

test('cancelled: what is under way is answered, nothing new is asked', async (t) => {
  const held: (() => void)[] = []
  const up = await fakeUpstream(t, (response, seen) => void held.push(() => whole(response, said(seen))))
  const { url, journal } = await bench(t, { engines: [{ url: up.url, concurrency: 4 }] })
  const made = await handIn(
    url,
    Array.from({ length: 8 }, (_, n) => askLine(`l${n}`, `batch ${n}`)),
  )
  await until(() => up.seen.length === 3)
  const asked = await call(`${url}/v1/batches/${made.json.id}/cancel`, 'POST')
  assert.deepEqual([asked.status, asked.json.status], [200, 'cancelling'])
  await after(700)
  held.splice(0).forEach((answer) => void answer())
  const batch = await batchWhen(url, made.json.id, isOver)
  assert.deepEqual([batch.status, batch.request_counts], ['cancelled', { total: 8, completed: 3, failed: 0 }])
  assert.equal((await linesIn(url, batch.output_file_id)).length, 3)
  assert.equal(journal.closes.length, 3)
  const again = await call(`${url}/v1/batches/${made.json.id}/cancel`, 'POST')
  assert.deepEqual([again.status, again.json.error.code], [409, 'batch_is_over'])
})

test('a key that was revoked asks nothing more', async (t) => {
  const held: (() => void)[] = []
  const up = await fakeUpstream(t, (response, seen) => void held.push(() => whole(response, said(seen))))
  const { url, gateway, post } = await bench(t, { engines: [{ url: up.url, concurrency: 1 }] })
  const { state } = gateway
  const person = post('/v1/chat/completions', chatBody()) // has the only place, so that no line begins
  await until(() => up.seen.length === 1)
  const { id } = (await handIn(url, [askLine('a', 'x'), askLine('b', 'y')])).json
  const before = state.snapshot
  assert(before)
  state.snapshot = { ...before, grants: new Map([...before.grants].filter(([, { key }]) => key !== 'key_1')) }
  held.pop()?.()
  await person
  await until(() => [...state.world.flows].length === 0)
  while ((await state.batches.find('acme' as TenantId, id))?.state !== 'completed') await after(20)
  state.snapshot = before
  const batch = (await call(`${url}/v1/batches/${id}`, 'GET')).json
  assert.deepEqual([batch.request_counts, up.seen.length], [{ total: 2, completed: 0, failed: 2 }, 1])
  const [line] = await linesIn(url, batch.error_file_id)
  assert.deepEqual([line.response.status_code, line.response.body.error.code], [401, 'invalid_api_key'])
})

test('a batch is billed at the price of its class, and each line says so; others are billed as ever', async (t) => {
  const up = await fakeUpstream(t, (response, seen) => whole(response, said(seen)))
  const half = { ...perMillion, input_uncached: '25000000', output_visible: '50000000' }
  const prices = [{ version: 4, model: 'm', effective_from_ms: 0, slo: 'batch' as const, note: '', perMillion: half }]
  const { url, journal, post } = await bench(t, { engines: [{ url: up.url }], prices })
  const batch = await batchWhen(url, (await handIn(url, [askLine('a', 'x')])).json.id, isOver)
  const [line] = await linesIn(url, batch.output_file_id)
  const { wattmill } = line.response.body
  assert.deepEqual([wattmill.price_version, wattmill.cost_usd], [4, '0.000000175'], '3 in and 2 out at half the price')
  const standard = await post('/v1/chat/completions', chatBody())
  assert.equal(standard.headers.get('x-wattmill-cost-usd'), '0.00000035')
  const flex = await post('/v1/chat/completions', chatBody({ service_tier: 'flex' }))
  assert.equal(flex.headers.get('x-wattmill-cost-usd'), '0.000000175')
  assert.deepEqual(
    journal.closes.map(({ price_version }) => price_version),
    [4, 3, 4],
  )
})

test('a batch that expires answers what is under way, and names in its error file what it did not come to', async (t) => {
  const held: (() => void)[] = []
  const up = await fakeUpstream(t, (response, seen) => void held.push(() => whole(response, said(seen))))
  const { url, gateway } = await bench(t, { engines: [{ url: up.url, concurrency: 2 }] })
  const { batches, files } = gateway.state
  const lines = ['a', 'b', 'c'].map((word) => askLine(word, word))
  const { id: first, ...made } = (await handIn(url, lines, { completion_window: '1h' })).json
  await until(() => up.seen.length === 1)
  await call(`${url}/v1/batches/${first}/cancel`, 'POST')
  const [record] = [await batches.find('acme' as TenantId, first)]
  assert(record)
  await after(600)
  const soon = Date.now() + 700
  const short = { ...record, id: newBatchId(soon), state: 'validating' as const, expires_ms: soon, total: 0 }
  held.splice(0).forEach((answer) => void answer())
  await batchWhen(url, first, isOver)
  await batches.create(short, files.path(record.tenant, made.input_file_id))
  await until(() => up.seen.length === 2)
  await after(900)
  held.splice(0).forEach((answer) => void answer())
  const batch = await batchWhen(url, short.id, isOver)
  assert.deepEqual([batch.status, batch.request_counts], ['expired', { total: 3, completed: 1, failed: 2 }])
  assert(batch.expired_at)
  const missed = await linesIn(url, batch.error_file_id)
  assert.deepEqual(
    missed.map(({ custom_id, response, error }) => [custom_id, response, error.code]),
    [
      ['b', null, 'batch_expired'],
      ['c', null, 'batch_expired'],
    ],
  )
})

test('lines are bound by the budgets of who handed the batch in; while nobody grants them they wait', async (t) => {
  const up = await fakeUpstream(t, (response, seen) => whole(response, said(seen)))
  const { url, gateway, journal } = await bench(t, { engines: [{ url: up.url }] })
  const { state } = gateway
  assert(state.snapshot)
  const two = allowance({ scope: 'tenant', of: 'acme', unit: 'requests', renews: 'never', amount: 2n })
  state.snapshot = { ...state.snapshot, allowances: indexed([two]) }
  const { purses } = state.policy.admitter
  const lines = Array.from({ length: 5 }, (_, n) => askLine(`l${n}`, 'x'))
  const { id } = (await handIn(url, lines)).json
  await until(() => purses.alone)
  await after(1_500)
  assert.deepEqual((await call(`${url}/v1/batches/${id}`, 'GET')).json.request_counts, {
    total: 5,
    completed: 0,
    failed: 0,
  })

  purses.setAlone(false)
  purses.setAlone = () => undefined // from here on the test is the keeper of allowances
  let left = 2n
  const keeper = setInterval(() => {
    const now = state.now()
    const grants = purses.ask(now).map(({ allowance, period, want }) => {
      const amount = want < left ? want : left
      left -= amount
      return { allowance, period, amount, left, exhausted: left === 0n, retry_ms: null }
    })
    purses.granted(grants, now)
  }, 20)
  t.after(() => clearInterval(keeper))
  const batch = await batchWhen(url, id, isOver)
  assert.deepEqual(batch.request_counts, { total: 5, completed: 2, failed: 3 })
  for (const { response } of await linesIn(url, batch.error_file_id))
    assert.deepEqual([response.status_code, response.body.error.code], [429, 'budget_exhausted'])
  assert.equal(journal.closes.length, 2)
})

test('guard rails bind the lines of a batch: a denied prompt costs nothing, a denied answer is withheld and billed', async (t) => {
  const up = await fakeUpstream(t, (response, seen) => whole(response, said(seen) === 'ask' ? 'the secret' : 'fine'))
  const rules = { input: { words: ['forbidden'] }, output: { words: ['secret'] } }
  const rail = { name: 'r', scope: 'factory' as const, of: '', ...rules }
  const { url, journal } = await bench(t, { engines: [{ url: up.url }], rails: [rail] })
  const made = await handIn(url, [askLine('a', 'forbidden'), askLine('b', 'ask'), askLine('c', 'hello')])
  const batch = await batchWhen(url, made.json.id, isOver)
  const [good, ...more] = await linesIn(url, batch.output_file_id)
  assert.deepEqual([good.custom_id, good.response.body.choices[0].message.content, more], ['c', 'fine', []])
  const wrong = (await linesIn(url, batch.error_file_id)).sort((x, y) => (x.custom_id < y.custom_id ? -1 : 1))
  assert.deepEqual(
    wrong.map(({ custom_id, response }) => [custom_id, response.body.error.code]),
    [
      ['a', 'prompt_denied'],
      ['b', 'answer_denied'],
    ],
  )
  assert(!JSON.stringify(wrong).includes('the secret'))
  assert.deepEqual(journal.closes.map(({ outcome }) => outcome).sort(), ['complete', 'denied'])
})
