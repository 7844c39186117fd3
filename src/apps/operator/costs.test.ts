import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { closeHours } from '../../adapters/sqlite/costs/close-hours.ts'
import { ingestJournal, journalReadTo } from '../../adapters/sqlite/ingest.ts'
import { closeRow, gateway, journaled, setTestPrice } from '../../adapters/sqlite/testing.ts'
import type { CostAnswer } from '../../books/cost-answer.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import type { MakingAnswer } from '../../books/making-answer.ts'
import type { UtilisationAnswer } from '../../books/utilisation.ts'
import { id } from '../../units/ids.ts'
import { costView } from '../cli/cost-view.ts'
import { utilisationView } from '../cli/utilisation-view.ts'
import { cardKwh, costCurve } from './cost-file.ts'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import type { Operator } from './start.ts'
import { fakeUpstream, lonelyOperator, temporary } from './testing.ts'

let operator: Operator
let factory: Reached
const post = (body: object): Promise<Record<string, unknown>> =>
  factory.json('POST', '/api/costs', body) as Promise<Record<string, unknown>>
const get = (url: string): Promise<Record<string, unknown>> =>
  factory.json('GET', url) as Promise<Record<string, unknown>>

/** The whole hour before this one. */
const begin_ms = (Math.floor(Date.now() / hour_ms) - 1) * hour_ms
const from = new Date(begin_ms).toISOString()

before(async () => {
  operator = await lonelyOperator()
  factory = await reach(operator.factory.home.root, () => undefined)
  await post({ kind: 'staff', per_month: '730', from })
  await factory.json('POST', '/api/engines', { name: 'gpu', url: await fakeUpstream(['m']) })
})

test('before an hour is over nothing is posted, and the answer says what to do', async () => {
  const lonely = await lonelyOperator()
  const other = await reach(lonely.factory.home.root, () => undefined)
  await assert.rejects(other.json('GET', '/api/books/cost'), (error) => {
    assert(error instanceof ControlError)
    assert.deepEqual([error.code, /costs set/.test(error.next)], ['not_found', true])
    return true
  })
})

test('costs are declared, listed, and kept as they were', async () => {
  const bought = await post({ kind: 'capacity', name: 'gpu', capex_usd: 30_000, years: 4, rate: 0.08, from })
  assert.deepEqual([bought.terms, bought.in_force, bought.version], ['1.033975358 USD/h', true, 2])
  const rented = await post({ kind: 'capacity', name: 'gpu', per_hour: '3.6', from, note: 'rented after all' })
  assert.equal(rented.in_force, true)
  const tariff = await post({
    kind: 'tariff',
    value: '0.08',
    rules: [{ hours: [22, 6], value: '0.04' }],
    offset_min: 60,
  })
  assert.deepEqual([tariff.name, tariff.terms], ['all', '0.08 USD/kWh, 1 rules'])
  assert.match(String(tariff.from), /:00:00\.000Z$/, 'the hour under way has it already')
  const list = await post({ kind: 'list', name: 'gpu', model: 'm', input: '0.1', output: '0.4' })
  assert.deepEqual([list.name, list.model], ['gpu', 'm'])
  const { costs } = await get('/api/costs/capacity')
  assert.deepEqual(
    (costs as { terms: string; in_force: boolean }[]).map(({ terms, in_force }) => [terms, in_force]),
    [
      ['1.033975358 USD/h', false],
      ['3.6 USD/h', true],
    ],
  )
  assert.equal(((await get('/api/costs')).costs as unknown[]).length, 4)
})

test('what cannot be is refused, by field', async () => {
  const wrong: readonly (readonly [object, string, string])[] = [
    [{ kind: 'rent' }, 'invalid_value', 'kind'],
    [{ kind: 'capacity', per_hour: '1' }, 'invalid_value', 'name'],
    [{ kind: 'capacity', name: 'gpx', per_hour: '1' }, 'not_found', 'name'],
    [{ kind: 'staff' }, 'invalid_value', 'per_hour'],
    [{ kind: 'staff', per_hour: '1', per_year: '1' }, 'invalid_value', 'per_hour'],
    [{ kind: 'staff', per_hour: '-1' }, 'invalid_value', 'per_hour'],
    [{ kind: 'staff', per_hour: '0.0000000001' }, 'invalid_value', 'per_hour'],
    [{ kind: 'staff', per_hour: '1000001' }, 'invalid_value', 'per_hour'],
    [{ kind: 'staff', per_hour: '1', from: '2020-01-01' }, 'invalid_value', 'from'],
    [{ kind: 'capacity', name: 'gpu', capex_usd: 10 }, 'invalid_value', 'years'],
    [{ kind: 'capacity', name: 'gpu', capex_usd: 1, salvage_usd: 2, years: 1 }, 'invalid_value', 'salvage_usd'],
    [{ kind: 'pue', value: '1.2', from: `${from.slice(0, 13)}:30:00Z` }, 'invalid_value', 'from'],
    [{ kind: 'pue', value: '0.9' }, 'invalid_value', 'value'],
    [{ kind: 'tariff', value: '0.1', rules: [{ months: [13], value: '1' }] }, 'invalid_value', 'rules'],
    [{ kind: 'tariff', value: '0.1', points: [{ at: 'noon', value: '1' }] }, 'invalid_value', 'points'],
    [{ kind: 'list', name: 'gpu', input: '1', output: '1' }, 'invalid_value', 'model'],
    [{ kind: 'training', name: 'm', usd: '1' }, 'invalid_value', 'over_tokens'],
    [{ kind: 'training', name: 'm', usd: '1', over_months: 1, over_tokens: 1 }, 'invalid_value', 'over_months'],
    [{ kind: 'training', name: 'm', over_months: 1 }, 'invalid_value', 'usd'],
    [{ kind: 'training', name: 'm', usd_per_kwh: '1', over_months: 1 }, 'invalid_value', 'kwh'],
    [{ kind: 'training', usd: '1', over_months: 1 }, 'invalid_value', 'name'],
    [{ kind: 'evaluation', name: 'mm', usd: '1', over_months: 1 }, 'not_found', 'name'],
    [{ kind: 'demand' }, 'invalid_value', 'per_kw'],
    [{ kind: 'demand', per_kw: '1', interval_min: 7 }, 'invalid_value', 'interval_min'],
    [{ kind: 'demand', per_kw: '1', borne: 'never' }, 'invalid_value', 'borne'],
    [{ kind: 'demand', per_kw: '1', from: '2027-01-02' }, 'invalid_value', 'from'],
  ]
  for (const [body, code, param] of wrong)
    await assert.rejects(post(body), (error) => {
      assert(error instanceof ControlError, String(error))
      assert.deepEqual([error.code, error.param], [code, param], JSON.stringify(body))
      assert(error.next.length > 0)
      return true
    })
})

test('a demand charge holds from the month under way, and its peak is shown', async () => {
  const lonely = await lonelyOperator()
  const other = await reach(lonely.factory.home.root, () => undefined)
  const made = (await other.json('POST', '/api/costs', { kind: 'demand', per_kw: '14.2' })) as Record<string, unknown>
  assert.equal(made.terms, "14.2 USD/kW of the month's highest 15 min, even")
  assert.match(String(made.from), /-01T00:00:00\.000Z$/)
  const { store } = lonely.factory
  for (let turn = 0; turn < 800 && closeHours(store, Date.now()); turn++);
  const { months } = (await other.json('GET', '/api/books/demand')) as { months: Record<string, unknown>[] }
  assert(months.length > 0 || new Date().getUTCDate() === 1, 'its hours are closed back to the first')
  for (const month of months) assert.deepEqual([month.usd_per_kw, month.charge_usd], ['14.2', '0'])
})

test('what a model cost is declared of it: dollars, and kWh at a price; and shown with what is borne', async () => {
  const lonely = await lonelyOperator()
  const other = await reach(lonely.factory.home.root, () => undefined)
  await other.json('POST', '/api/engines', { name: 'gpu', url: await fakeUpstream(['m']) })
  const job = { kind: 'training', name: 'm', job: 'second', usd: '100', kwh: '350.5', usd_per_kwh: '0.08' }
  const made = (await other.json('POST', '/api/costs', { ...job, over_tokens: 1_000_000_000, from })) as object
  const { name, terms, job: of } = made as Record<string, unknown>
  assert.deepEqual([name, of, terms], ['m', 'second', '128.04 USD, 350.5 kWh, over 1000000000 tokens'])
  await other.json('POST', '/api/costs', { kind: 'data', name: 'm', usd: '7.3', over_months: 10, from })
  for (let turn = 0; turn < 10 && closeHours(lonely.factory.store, Date.now()); turn++);
  const { jobs } = (await other.json('GET', '/api/books/making')) as { jobs: MakingAnswer[] }
  assert.deepEqual(
    jobs.map((one) => [one.kind, one.job, one.borne_usd, one.left_usd, one.served_tokens, one.usd_per_mtoken.value]),
    [
      ['training', 'second', '0', '128.04', 0, 0.12804],
      ['data', 'first', '0.001', '7.299', null, null],
    ],
  )
  const to = new Date(begin_ms + hour_ms).toISOString()
  const answer = (await other.json('GET', `/api/books/cost?from=${from}&to=${to}`)) as CostAnswer
  assert.deepEqual(
    [answer.total_usd, answer.making_usd, answer.making],
    ['0.001', '0.001', [{ name: 'm/data', usd: '0.001' }]],
  )
  assert(costView(answer).some((line) => /m\/data +0\.001/.test(line)))
  const card = fileURLToPath(new URL('../../../models/starter/card.json', import.meta.url))
  assert.equal(cardKwh(card), '0.002688')
  assert.throws(() => cardKwh(fileURLToPath(new URL('../../../package.json', import.meta.url))), /joules/)
})

test('an hour that is over: its parts are its total, as a table too; a receipt has its cost beside its charge', async () => {
  const { store } = operator.factory
  setTestPrice(store)
  const row = closeRow(1, { at_ms: begin_ms + 10_000, closed_ms: begin_ms + 18_999 })
  const [attempt] = row.attempts
  assert(attempt)
  ingestJournal(store, gateway, journaled([{ ...row, attempts: [{ ...attempt, replica: id('gpu') }] }]))
  journalReadTo(store, gateway, Date.now())
  for (let turn = 0; turn < 50 && closeHours(store, Date.now()); turn++);
  const to = new Date(begin_ms + hour_ms).toISOString()
  const answer = (await factory.json('GET', `/api/books/cost?from=${from}&to=${to}&by=tenant`)) as CostAnswer
  assert.deepEqual([answer.total_usd, answer.overhead_usd, answer.usage_usd], ['4.6', '1', '0.009'])
  const [acme, ...others] = answer.rows
  assert.deepEqual([acme?.name, acme?.usd, acme?.loaded_usd, others], ['acme', '0.009', '4.6', []])
  assert.equal(acme?.figures.fully_loaded_margin_usd.value, answer.figures.fully_loaded_margin_usd.value)
  assert.equal(answer.figures.busy_share.value, 9 / 3600)
  assert(
    costView(answer).some((line) => /idle usd +3\.591/.test(line)),
    costView(answer).join('\n'),
  )
  const used = async (by: string): Promise<UtilisationAnswer> =>
    (await factory.json('GET', `/api/books/utilisation?from=${from}&to=${to}&by=${by}`)) as UtilisationAnswer
  const [gpu] = (await used('replica')).rows
  assert.deepEqual([gpu?.name, gpu?.figures.busy_share.value, gpu?.figures.mfu.value], ['gpu', 9 / 3600, null])
  assert.deepEqual(gpu?.why, ['no chips are declared of gpu (engines add --chips)'])
  const byTenant = await used('tenant')
  assert.deepEqual([byTenant.rows[0]?.name, byTenant.rows[0]?.figures.busy_s.value], ['acme', 9])
  assert(byTenant.rows[0]?.why.some((reason) => /shape of m is not known/.test(reason)))
  store.database.exec("update engine set chips = 'h200:8' where name = 'gpu'")
  store.database.exec("update engine_model set upstream = 'meta-llama/Llama-3.1-8B-Instruct' where engine = 'gpu'")
  const [known] = (await used('chip')).rows
  assert.deepEqual([known?.name, known?.figures.chip_s.value, known?.why], ['h200', 72, []])
  const [mfu, mbu] = [known?.figures.mfu.value ?? 0, known?.figures.mbu.value ?? 0]
  assert(mfu > 0 && mfu < mbu && mbu < 0.01, `one request on eight chips: ${mfu}, ${mbu}`)
  const view = utilisationView(await used('tenant')).join('\n')
  assert.match(view, /acme +9 +72 +\d/)
  const cost = (await factory.json('GET', `/api/receipts/${row.id}/cost`)) as Record<string, unknown>
  assert.deepEqual([cost.capacity_usd, cost.usd, cost.final, cost.source], ['0.009', '0.009', true, 'estimated'])
  assert.equal(((await get('/api/books/check')) as { conserved: boolean }).conserved, true)
})

test('values by time come from YAML or CSV; what is wrong in it is told with its line', async () => {
  const file = (name: string, text: string): string => {
    const path = join(temporary(), name)
    writeFileSync(path, text)
    return path
  }
  const csv = costCurve(file('a.csv', `at,value\n${from},0.07\n${new Date(begin_ms + 900_000).toISOString()},0.09\n`))
  assert.match(String((await post({ kind: 'tariff', name: 'board', ...csv })).terms), /0\.07 USD\/kWh, 2 values/)
  const yaml = costCurve(
    file('a.yaml', 'value: 0.08\nrules:\n  - {months: [6, 7], weekdays: [1], hours: [8, 20], value: 0.2}\n'),
  )
  assert.match(String((await post({ kind: 'tariff', name: 'board', ...yaml })).terms), /1 rules/)
  const example = costCurve(fileURLToPath(new URL('../../../examples/costs/tariff.yaml', import.meta.url)))
  assert.match(String((await post({ kind: 'tariff', ...example })).terms), /0\.085 USD\/kWh, 2 rules/)
  for (const [name, text, says] of [
    ['a.csv', 'time,price\n', /line 1/],
    ['a.csv', 'at,value\n2027-01-01,x\n', /line 2/],
    [
      'a.csv',
      'at,value\n2027-01-01T00:00Z,1\n2027-01-01T01:00Z,1\n2027-01-01T04:00Z,1\n',
      /line 4: .* is 3 hours after/,
    ],
    ['a.csv', 'at,value\n2027-01-01T00:00,1\n2027-01-01T00:00Z,1\n', /line 3: .* not later/],
    ['a.csv', 'at,value\n2027-13-01,1\n', /line 2: .* no moment/],
    ['a.yaml', 'value: 1\nruls: []\n', /a\.yaml:2:\d+: ruls is not known/],
  ] as const)
    assert.throws(
      () => costCurve(file(name, text)),
      (error) => error instanceof ControlError && says.test(error.message),
    )
})

test('the operator closes hours by itself, beside its answers', async () => {
  const alone = await lonelyOperator()
  const other = await reach(alone.factory.home.root, () => undefined)
  await other.json('POST', '/api/costs', { kind: 'staff', per_hour: '2', from })
  const to = new Date(begin_ms + hour_ms).toISOString()
  let answer: CostAnswer | undefined
  for (let turn = 0; turn < 200 && !answer; turn++) {
    await wait(50)
    answer = (await other.json('GET', `/api/books/cost?from=${from}&to=${to}`).catch((error: unknown) => {
      assert(error instanceof ControlError && error.code === 'not_found', String(error))
    })) as CostAnswer | undefined
  }
  assert.deepEqual([answer?.total_usd, answer?.overhead_usd, answer?.not_allocated_usd], ['2', '2', '2'])
})
