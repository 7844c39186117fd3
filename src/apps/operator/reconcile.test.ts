import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { insertCounted, markExplained } from '../../adapters/sqlite/counted.ts'
import { all, one, run } from '../../adapters/sqlite/query.ts'
import { reconcile } from '../../adapters/sqlite/reconciled.ts'
import { dayEnd_ms, dayStart_ms } from '../../adapters/sqlite/testing-factory.ts'
import type { Reconciliation } from '../../books/reconciliation.ts'
import { id, type ReplicaId } from '../../units/ids.ts'
import { invoiceFile, invoiceLines } from '../cli/invoice-file.ts'
import { reconcileView } from '../cli/reconcile-view.ts'
import { ControlError } from './errors.ts'
import { reach } from './reach.ts'
import { lonelyOperator, temporary } from './testing.ts'
import { withBooks } from './testing-day.ts'

const hour_ms = 3_600_000
const [from, to] = [Math.floor(dayStart_ms / hour_ms), Math.ceil(dayEnd_ms / hour_ms) + 1]

test('what engines counted, what a provider and a utility billed, beside the books', () => {
  withBooks((store) => {
    const looked = { engine: id<ReplicaId>('vllm'), from_ms: dayStart_ms, to_ms: dayStart_ms + 5000, cached: false }
    insertCounted(store, { ...looked, prompt: 900, output: 100 })
    const balance = { prompt: 0, output: 0 }
    markExplained(store, looked.engine, looked.to_ms, { foreign: { prompt: 30, output: 2 }, balance })
    run(store.database, "insert into cost_hour values (?, 'hosted/hosted', 'nano-USD', 5000, 0, 0, 0)", from)
    run(store.database, "insert into cost_hour values (?, 'hosted/hosted', 'nano-USD', 7000, 0, 0, 0)", to)

    const hosted = { kind: 'engine', name: 'hosted', quantity: undefined, charged: 6000n } as const
    const bill = { kind: 'energy', name: 'all', quantity: 3_600_000_000n, charged: undefined } as const
    const unknown = { kind: 'engine', name: 'nobody', quantity: 1n, charged: 9n } as const
    const meters = all<{ meter: string }>(store.database, 'select distinct meter from meter_interval')
    const ofMeters = meters.map(({ meter }) => ({ ...bill, name: meter }))
    const made = reconcile(store, from, to, [hosted, bill, unknown, { ...bill, name: 'wal' }, ...ofMeters])
    const of = (name: string) => made.checks.find((check) => check.name === name) ?? assert.fail(name)
    assert.deepEqual([of('vllm').ours, of('vllm').theirs, of('vllm').difference], ['968', '1000', '32'])
    assert.match(of('vllm').at_risk_usd ?? '', /^0\.0*[1-9]/)
    assert.deepEqual(
      [of('hosted').ours_usd, of('hosted').at_risk_usd],
      ['0.000005', '0.000001'],
      'of these hours alone',
    )
    assert(Number(of('hosted').ours) > 0, 'tokens that were asked of it')
    assert.deepEqual([of('nobody').ours, of('nobody').at_risk_usd], ['0', '0.000000009'])

    const figure = (sql: string): number => one<{ n: number }>(store.database, sql)?.n ?? -1
    const drawn = 'select sum(energy_mj) as n from meter_interval where posted_ms is not null'
    const mj = figure(drawn)
    assert(mj > 0 && Math.abs(Number(of('all').ours) - mj / 3.6e9) <= 1e-6, `${of('all').ours} kWh of ${mj} mJ`)
    assert.match(of('all').note, /costs set tariff/)
    assert.deepEqual([of('wal').ours, of('wal').ours_usd], ['0', null], 'no meter has that name')
    assert.match(of('wal').note, /nothing of that name.*`all`/)
    assert(ofMeters.length > 0)
    const each = ofMeters.reduce((sum, { name }) => sum + Number(of(name).ours), 0)
    assert(Math.abs(each - Number(of('all').ours)) <= 1e-6 * ofMeters.length)
    const crashed = figure("select sum(tokens) as n from statement_part where cause = 'crash'")
    assert.equal(of('own engines').theirs, String(crashed))
    assert.deepEqual(reconcile(store, 1, 2, []).at_risk_usd, '0', 'an hour in which nothing was')
    const view = reconcileView(made)
    assert(view.some((line) => line.includes('vllm')) && view.some((line) => line.includes(made.at_risk_usd)))
  })
})

test('an invoice is read from a file; what is wrong in it is told with its line', () => {
  const file = join(temporary(), 'invoice.csv')
  writeFileSync(file, '\ufeffkind,name,quantity,usd\r\nengine,"groq, eu",1200345,1.25\r\nenergy,all,310.5,\r\n\r\n')
  assert.deepEqual(invoiceFile(file), [
    { kind: 'engine', name: 'groq, eu', quantity: '1200345', usd: '1.25' },
    { kind: 'energy', name: 'all', quantity: '310.5' },
  ])
  const head = 'kind,name,quantity,usd\n'
  for (const [text, what] of [
    ['engine,groq,1,1\n', /line 1: the columns/],
    [head, /no line/],
    [`${head}engine,groq,1\n`, /line 2: it has 3/],
    [`${head}engine,groq,1,1\nrent,x,1,1\n`, /line 3: rent is no kind/],
    [`${head}engine,,1,1\n`, /name is missing/],
    [`${head}engine,groq,,\n`, /neither/],
    [`${head}engine,groq,1,$5\n`, /usd \$5/],
    [`${head}engine,groq,NaN,5\n`, /quantity NaN/],
    [head + 'engine,groq,1,1\n'.repeat(1001), /more than 1000/],
  ] as const)
    assert.throws(() => invoiceLines(text), what)
  assert.throws(() => invoiceFile(join(temporary(), 'none.csv')), /no file/)
})

test('the route: by default this month, kWh and dollars exactly, and what cannot be is refused', async () => {
  const { factory } = await lonelyOperator()
  const reached = await reach(factory.home.root, () => undefined)
  const post = (body: object) => reached.json('POST', '/api/books/reconcile', body) as Promise<Reconciliation>
  const made = await post({ invoice: [{ kind: 'energy', name: 'all', quantity: '0.1', usd: '0.000000001' }] })
  const bill = made.checks.at(-1)
  assert.deepEqual([bill?.name, bill?.theirs, bill?.theirs_usd], ['all', '0.1', '0.000000001'])
  assert.equal(new Date(made.from_ms).getUTCDate(), 1)
  for (const invoice of [
    [{ kind: 'engine', name: 'x' }],
    [{ kind: 'engine', name: 'x', quantity: '1.5' }],
    [{ kind: 'engine', name: 'x', quantity: '-1' }],
    [{ kind: 'engine', name: 'x', usd: '1e99' }],
    [{ kind: 'rent', name: 'x', usd: '1' }],
    Array.from({ length: 1001 }, () => ({ kind: 'engine', name: 'x', usd: '1' })),
  ])
    await assert.rejects(post({ invoice }), (error) => error instanceof ControlError && error.code === 'invalid_value')
  reached.close()
})
