import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../dice.ts'
import { answerOf } from './answer.ts'
import { drawn_mj } from './energy.ts'
import { faults } from './faults.ts'
import { audit } from './join.ts'
import { charged, checkMoney, owed } from './money.ts'
import type { ClientRecord, Sample, TransferRecord } from './records.ts'
import { syntheticRecords } from './synthetic.ts'

test('records that agree give no finding', () => {
  let [answered, requests] = [0, 0]
  for (let seed = 0; seed < 300; seed++) {
    const result = audit(syntheticRecords(seed))
    assert.deepEqual(result.findings, [], `seed ${seed}`)
    assert.equal(result.summary.energy_difference_mj, '0', `seed ${seed}`)
    answered += result.summary.answered
    requests += result.summary.requests
  }
  assert(answered > 500 && requests > answered, 'the generator makes answers and broken requests')
})

for (const [name, plant] of Object.entries(faults))
  test(`a planted fault is found and named: ${name}`, () => {
    let planted = 0
    for (let seed = 0; seed < 200; seed++) {
      const spoiled = plant(syntheticRecords(seed), dice(seed))
      if (!spoiled) continue
      planted++
      const { findings } = audit(spoiled.records)
      const named = findings.some(
        (one) => one.subject.split(' ').includes(spoiled.subject) || one.subject === spoiled.subject,
      )
      assert(named, `seed ${seed}: ${spoiled.subject} is not among ${JSON.stringify(findings)}`)
    }
    assert(planted > 150, `planted in only ${planted} of 200`)
  })

test('a fault leaves the records it was planted in untouched', () => {
  const records = syntheticRecords(1)
  const before = JSON.stringify(records, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  for (const plant of Object.values(faults)) plant(records, dice(1))
  assert.equal(
    JSON.stringify(records, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    before,
  )
})

test('more requests than clients without an id are unasked for, in a closed factory only', () => {
  const records = syntheticRecords(3)
  const clients = records.clients.filter((client) => client.id === null || client.id !== records.books.requests[0]?.id)
  const unasked = clients.filter((client) => client.id !== null)
  const kinds = (closed: boolean) => audit({ ...records, clients: unasked, closed }).findings.map((one) => one.kind)
  assert(kinds(true).includes('unknown'))
  assert.deepEqual(kinds(false), [])
})

test('a charge is rounded half up, however large', () => {
  assert.equal(charged(1, 499_999n), 0n)
  assert.equal(charged(1, 500_000n), 1n)
  assert.equal(charged(3, 1_500_000n), 5n)
  assert.equal(charged(9_007_199_254_740_991, 10n ** 12n), 9_007_199_254_740_991n * 10n ** 6n)
})

const cpu = (at_ms: number, busy_ms: number): Sample => ({
  meter: 'm',
  sequence: 1,
  at_ms,
  kind: 'cpu_time',
  busy_ms,
  cores: 2,
  idle_watts: 10,
  full_watts: 30,
})
const rapl = (energy_uj: number): Sample => ({
  meter: 'm',
  sequence: 1,
  at_ms: 0,
  kind: 'energy_counter',
  energy_uj,
  wraps_at_uj: 10_000_000,
})

test('energy between two samples', () => {
  assert.equal(drawn_mj(cpu(0, 0), cpu(1000, 0)), 10_000n)
  assert.equal(drawn_mj(cpu(0, 0), cpu(1000, 1000)), 20_000n)
  assert.equal(drawn_mj(cpu(0, 0), cpu(1000, 9000)), 30_000n, 'never above full power')
  assert.equal(drawn_mj(cpu(0, 900), cpu(1000, 500)), 15_000n, 'started anew: what is known since')
  assert.equal(drawn_mj(cpu(5, 0), cpu(5, 0)), 0n)
  assert.equal(drawn_mj(rapl(1_999), rapl(5_000)), 4n, 'whole millijoules at each end')
  assert.equal(drawn_mj(rapl(9_000_000), rapl(1_000_000)), 2_000n, 'a wrap')
  assert.equal(drawn_mj(rapl(2_000_000), rapl(1_000_000)), 1_000n, 'a reset')
  assert.equal(drawn_mj(rapl(0), cpu(1, 1)), 0n)
})

const got = (received: string, more: Partial<ClientRecord> = {}): ClientRecord => ({
  client: 1,
  id: 'gw-1',
  stream: true,
  status: 200,
  ended: 'end',
  bytes: received.length,
  chunks: 1,
  took_ms: 1,
  received,
  ...more,
})

test('what a client can know from its bytes', () => {
  const event = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
  const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
  const table: [string, ClientRecord, { complete: boolean; content: boolean; failed: boolean }][] = [
    ['whole', got(`${event}${usage}data: [DONE]\n\n`), { complete: true, content: true, failed: false }],
    ['without its end', got(`${event}${usage}`), { complete: false, content: true, failed: false }],
    ['DONE torn', got(`${event}data: [DON`), { complete: false, content: true, failed: false }],
    [
      'role only',
      got('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'),
      { complete: false, content: false, failed: false },
    ],
    ['error inside', got(`${event}data: {"error":{"code":"x"}}\n\n`), { complete: false, content: true, failed: true }],
    ['refused', got('{"error":{}}', { status: 429 }), { complete: false, content: false, failed: true }],
    ['never connected', got('', { status: null, ended: 'broken' }), { complete: false, content: false, failed: false }],
    [
      'body torn',
      got('{"choices":[{"mess', { stream: false, ended: 'broken' }),
      { complete: false, content: false, failed: false },
    ],
    [
      'body',
      got('{"choices":[{"message":{"content":""}}]}', { stream: false }),
      { complete: true, content: true, failed: false },
    ],
  ]
  for (const [name, client, expected] of table) {
    const { usage: _, ...rest } = answerOf(client)
    assert.deepEqual(rest, expected, name)
  }
  assert.deepEqual(answerOf(got(`${event}${usage}data: [DONE]\n\n`)).usage, {
    prompt_tokens: 3,
    cached_tokens: 0,
    completion_tokens: 2,
  })
})

test('what comes back for a late first token is worked out again, and a refund that is wrong or missing is found', () => {
  const records = syntheticRecords(5)
  const request = records.books.requests.find(
    ({ outcome, price_version, attempts }) => outcome === 'complete' && price_version !== null && attempts.length > 0,
  )
  assert(request)
  const late = { ...request, stream: true, ttft_ms: 900 }
  const books = { ...records.books, prices: records.books.prices.map((one) => ({ ...one, refund })) }
  const transfers = records.books.transfers.filter((one) => one.request === request.id)
  const due = [...(owed(late, books) ?? new Map()).values()].reduce((sum: bigint, amount: bigint) => sum + amount, 0n)
  assert(due > 0n)
  const payer = `tenant/${encodeURIComponent(request.tenant)}/${encodeURIComponent(request.application)}`
  const back = (amount: bigint): TransferRecord => ({
    id: `${request.id}/nano-USD/refund`,
    unit: 'nano-USD',
    debit: payer.replace('tenant', 'refund'),
    credit: payer,
    amount,
    request: request.id,
  })
  const right = (due * 50n + 50n) / 100n
  assert.deepEqual(checkMoney(late, [...transfers, back(right)], books), [])
  assert.equal(checkMoney(late, transfers, books).length, 1)
  assert.equal(checkMoney(late, [...transfers, back(right + 1n)], books).length, 1)
  assert.equal(checkMoney({ ...late, ttft_ms: 800 }, [...transfers, back(right)], books).length, 1)
})

test('what a hit owes is worked out again, and one that is booked wrongly, or not at all, is found', () => {
  const records = syntheticRecords(5)
  const request = records.books.requests.find(
    ({ outcome, price_version, attempts }) => outcome === 'complete' && price_version !== null && attempts.length > 0,
  )
  const usage = request?.attempts.at(-1)?.usage
  assert(request && usage)
  const hit = { ...request, attempts: [], cached: { usage } }
  const books = { ...records.books, prices: records.books.prices.map((one) => ({ ...one, hitPercent: 10n })) }
  const due = owed(hit, books) ?? assert.fail()
  const whole = owed(request, records.books) ?? assert.fail()
  assert(due.size > 0 && due.size === whole.size)
  const transfers = [...due].map(([credit, amount], index): TransferRecord => {
    assert.match(credit, /^revenue\/[^/]+\/cache_hit\/[a-z_]+$/)
    const debit = `tenant/${encodeURIComponent(request.tenant)}/${encodeURIComponent(request.application)}`
    return { id: `h/${index}`, unit: 'nano-USD', debit, credit, amount, request: request.id }
  })
  assert.deepEqual(checkMoney(hit, transfers, books), [])
  assert.equal(checkMoney(hit, transfers.slice(1), books).length, 1)
  assert.equal(checkMoney({ ...hit, outcome: 'journal_unavailable' }, transfers, books).length, transfers.length)
  assert.equal(checkMoney(hit, transfers, records.books).length, transfers.length, 'hits were free')
})

test('what an allowance had no room for is owed by nobody, and a bill for it is found', () => {
  const records = syntheticRecords(5)
  const request = records.books.requests.find(
    ({ outcome, price_version, attempts }) => outcome === 'complete' && price_version !== null && attempts.length > 0,
  )
  const [attempt] = request?.attempts ?? []
  const output = attempt?.usage.output_visible?.tokens ?? 0
  assert(request && attempt && output > 1)
  const none = { input_uncached: null, cache_read: null, cache_write: null, reasoning: null }
  const cut = (outcome: string, left: number) => ({
    ...request,
    outcome,
    attempts: [{ ...attempt, unbilled: { ...none, output_visible: { tokens: left } } }],
  })
  const revenue = `revenue/${encodeURIComponent(request.model)}/output_visible`
  const price =
    records.books.prices.find(({ version }) => version === request.price_version)?.perMillion.output_visible ?? 0n
  for (const outcome of ['complete', 'budget_exhausted', 'denied'])
    assert.equal(owed(cut(outcome, output - 1), records.books)?.get(revenue), charged(1, price), outcome)
  assert.equal(owed(cut('timeout', 1), records.books)?.size, 0)
  const paid = records.books.transfers.filter((one) => one.request === request.id)
  assert.deepEqual(checkMoney(request, paid, records.books), [])
  assert.equal(checkMoney(cut('budget_exhausted', output - 1), paid, records.books).length, 1, 'all of it was booked')
})

test('what was answered at one site and charged at the price of another is found', () => {
  const records = syntheticRecords(5)
  const request = records.books.requests.find(
    ({ outcome, price_version, attempts }) => outcome === 'complete' && price_version !== null && attempts.length > 0,
  )
  assert(request)
  const paid = records.books.transfers.filter((one) => one.request === request.id)
  const at = (site: string | undefined) => ({
    ...request,
    attempts: request.attempts.map((one) => ({ ...one, ...(site !== undefined && { site }) })),
  })
  const priced = (site: string) => ({
    ...records.books,
    prices: records.books.prices.map((one) => (one.version === request.price_version ? { ...one, site } : one)),
  })
  assert.deepEqual(checkMoney(at('eu-north'), paid, records.books), [], 'that price holds everywhere')
  assert.deepEqual(checkMoney(at('eu-north'), paid, priced('eu-north')), [])
  assert.deepEqual(checkMoney(at(undefined), paid, priced('main')), [])
  for (const wrong of [at(undefined), at('us-west')])
    assert.match(checkMoney(wrong, paid, priced('eu-north'))[0]?.message ?? '', /charged at the price of eu-north/)
  const { attempts: _, ...asked } = request
  const hit = {
    ...asked,
    attempts: [],
    cached: { site: 'us-west', usage: request.attempts[0]?.usage ?? assert.fail() },
  }
  assert.equal(checkMoney(hit, [], priced('us-west')).length, 0)
  assert.equal(checkMoney(hit, [], priced('eu-north')).length, 1)
})

const refund = { ttft_ms: 800, percent: 50n }
