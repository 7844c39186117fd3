import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { closeHours } from '../../adapters/sqlite/costs/close-hours.ts'
import { ingestJournal, journalReadTo } from '../../adapters/sqlite/ingest.ts'
import { closeRow, gateway, journaled, setTestPrice } from '../../adapters/sqlite/testing.ts'
import type { TransferPage } from '../../adapters/sqlite/transfers.ts'
import type { FlowsAnswer } from '../../books/cost-flows.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import type { PnlAnswer } from '../../books/pnl.ts'
import { id } from '../../units/ids.ts'
import { flowsView, pnlView, transfersView } from '../cli/pnl-view.ts'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import type { Operator } from './start.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'

let operator: Operator
let factory: Reached
const get = <T>(url: string): Promise<T> => factory.json('GET', url) as Promise<T>
const begin_ms = (Math.floor(Date.now() / hour_ms) - 2) * hour_ms
const iso = (at_ms: number): string => new Date(at_ms).toISOString()
const period = `from=${iso(begin_ms)}&to=${iso(begin_ms + 2 * hour_ms)}`
const request = closeRow(1, { at_ms: begin_ms + 10_000, closed_ms: begin_ms + 18_999 })

before(async () => {
  operator = await lonelyOperator()
  factory = await reach(operator.factory.home.root, () => undefined)
  await factory.json('POST', '/api/engines', { name: 'gpu', url: await fakeUpstream(['m']) })
})

const refused = (url: string, code: string, param: string | undefined) =>
  assert.rejects(get(url), (error) => {
    assert(error instanceof ControlError, String(error))
    assert.deepEqual([error.code, error.param], [code, param], url)
    assert(error.next.length > 0)
    return true
  })

test('before an hour is closed, it is told what to declare; what cannot be is refused by field', async () => {
  for (const path of ['pnl', 'flows']) await refused(`/api/books/${path}?${period}`, 'not_found', undefined)
  await refused('/api/books/pnl?step=minute', 'invalid_value', 'step')
  await refused('/api/books/flows?unit=joule', 'invalid_value', 'unit')
  await refused('/api/books/transfers?what=everything', 'invalid_value', 'what')
  await refused('/api/books/transfers?what=revenue&after=cost/1', 'invalid_value', 'after')
  await refused('/api/books/transfers?from=2027-13-01', 'invalid_value', 'from')
})

test('profit and loss, its flows, and from each number down to the request that it is of', async () => {
  const { store } = operator.factory
  setTestPrice(store)
  for (const cost of [
    { kind: 'capacity', name: 'gpu', per_hour: '3.6' },
    { kind: 'staff', per_month: '730' },
  ])
    await factory.json('POST', '/api/costs', { ...cost, from: iso(begin_ms) })
  const [attempt] = request.attempts
  assert(attempt)
  ingestJournal(store, gateway, journaled([{ ...request, attempts: [{ ...attempt, replica: id('gpu') }] }]))
  journalReadTo(store, gateway, Date.now())
  for (let turn = 0; turn < 50 && closeHours(store, Date.now()); turn++);

  const pnl = await get<PnlAnswer>(`/api/books/pnl?${period}`)
  assert.deepEqual(
    [pnl.total_usd, pnl.usage_usd, pnl.idle_usd, pnl.overhead_usd, pnl.waste_usd, pnl.residual_usd],
    ['9.2', '0.009', '7.191', '2', '0', '0'],
  )
  assert.deepEqual([pnl.step, pnl.slots.length], ['hour', 2])
  const [first, second] = pnl.slots
  assert.deepEqual(first?.usd, { electricity: '0', capacity: '3.6', hosted: '0', overhead: '1', making: '0' })
  assert.equal(first?.usd_per_mtoken.capacity, (3.6 / first.tokens) * 1e6)
  assert.deepEqual([second?.tokens, second?.usd_per_mtoken.capacity], [0, null], 'no token has no cost per token')
  assert.equal(pnl.tenants.rows[0]?.loaded_usd, '9.2')
  assert(pnlView(pnl).some((line) => /^acme +/.test(line)))

  const { flows, residuals } = await get<FlowsAnswer>(`/api/books/flows?${period}`)
  assert.deepEqual(Object.values(residuals), ['0', '0'])
  assert.deepEqual(
    flows.map(({ from, to, amount }) => `${from} ${to} ${amount}`),
    [
      'capacity/gpu idle 7.191',
      'capacity/gpu usage 0.009',
      'overhead/staff/staff overhead 2',
      'usage tenant/acme 0.009',
      'idle idle/shared-pool 7.191',
      'overhead overhead/staff 2',
    ],
  )
  assert(flowsView({ flows, residuals } as FlowsAnswer).some((line) => line.includes('cost/usage/acme')))

  const used = await get<TransferPage>(`/api/books/transfers?${period}&into=cost/usage/acme`)
  assert.deepEqual([used.sum, used.next, used.transfers.length > 0], ['9000000', null, true])
  const charged = await get<TransferPage>(`/api/books/transfers?what=revenue&${period}&out=tenant/acme`)
  assert.equal(Number(charged.sum) / 1e9, pnl.figures.revenue_usd.value)
  assert(charged.transfers.length > 0 && charged.transfers.every((each) => each.request === request.id))
  assert(transfersView(charged).some((line) => line.includes(request.id)))
  await get(`/api/receipts/${charged.transfers[0]?.request}`)
})

test('a time that no chart has room for, or nobody closes, is refused', async () => {
  await factory.json('POST', '/api/costs', { kind: 'floor', per_month: '1', from: iso(begin_ms - 33 * 24 * hour_ms) })
  for (let turn = 0; turn < 2000 && closeHours(operator.factory.store, Date.now()); turn++);
  const long = `from=${iso(begin_ms - 33 * 24 * hour_ms)}`
  await refused(`/api/books/pnl?${long}&step=hour`, 'invalid_value', 'step')
  const { step, slots, residual_usd } = await get<PnlAnswer>(`/api/books/pnl?${long}`)
  assert.deepEqual([step, slots.length >= 33, residual_usd], ['day', true, '0'])
})
