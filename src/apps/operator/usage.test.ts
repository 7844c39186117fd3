import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { insertInterval } from '../../adapters/sqlite/intervals.ts'
import { closeRow, gateway, journaled, setTestPrice } from '../../adapters/sqlite/testing.ts'
import { ranges } from '../../books/range.ts'
import type { CloseRow } from '../../books/row.ts'
import { millijoules } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'

interface Figure {
  readonly value: number | null
  readonly source: string | null
}
interface Answer {
  readonly figures: Readonly<Record<string, Figure>>
  readonly rows: readonly { readonly name: string; readonly figures: Readonly<Record<string, Figure>> }[]
  readonly lines: Readonly<Record<string, readonly (number | null)[]>>
  readonly flows: readonly { readonly model: string; readonly output_tokens_per_s: number }[]
  readonly meters: readonly { readonly meter: string; readonly figures: Readonly<Record<string, Figure>> }[]
  readonly step_s: number
}

let operator: Operator
let factory: Reached
const ask = (url: string): Promise<Answer> => factory.json('GET', url) as Promise<Answer>

before(async () => {
  operator = await lonelyOperator()
  factory = await reach(operator.factory.home.root, () => undefined)
})

test('an empty factory has no figure that it could not know, and no zero in place of one', async () => {
  const { figures, flows, meters } = await ask('/api/floor')
  assert.equal(figures.output_tokens_per_s?.value, 0)
  for (const name of ['ttft_p50_ms', 'revenue_usd_per_mtoken', 'margin_usd_per_h', 'failed_share'])
    assert.deepEqual([figures[name]?.value, figures[name]?.source], [null, null], name)
  assert.deepEqual([flows, meters.filter(({ meter }) => meter !== 'cpu')], [[], []])
  for (const [range, { slots, span }] of Object.entries(ranges)) {
    const { lines, step_s } = await ask(`/api/series?range=${range}`)
    assert.deepEqual([lines.output_tokens_per_s?.length, lines.ttft_p50_ms?.[0], step_s], [slots, null, span])
  }
})

/** Ten requests of the last seconds for each of two models; one of them failed, of one a count was taken from sizes. */
function traffic(): CloseRow[] {
  const now = Date.now()
  return Array.from({ length: 20 }, (_, number) => {
    const row = closeRow(number + 1, {
      model: id(`m${number % 2}`),
      at_ms: now - 1500,
      closed_ms: now - 1000,
      outcome: number === 3 ? 'timeout' : 'complete',
    })
    if (number !== 5) return row
    const [attempt] = row.attempts
    assert(attempt)
    const output_visible = { tokens: 30 as never, source: 'estimated' as const }
    return { ...row, attempts: [{ ...attempt, usage: { ...attempt.usage, output_visible } }] }
  })
}

test('what was booked a moment ago is on every page, by every dimension, with its source', async () => {
  const { store } = operator.factory
  setTestPrice(store)
  ingestJournal(store, gateway, journaled(traffic()))
  const [from_ms, to_ms] = [Date.now() - 3000, Date.now() - 2000]
  const board = { meter: 'board', sequence: 1, from_ms, to_ms, reset: false } as const
  insertInterval(store, { ...board, energy: millijoules(500_000n), idle: millijoules(100_000n), grade: 'measured' })

  const { figures, flows, meters } = await ask('/api/floor')
  assert((figures.output_tokens_per_s?.value ?? 0) > 9, JSON.stringify(figures.output_tokens_per_s))
  assert.equal(figures.output_tokens_per_s?.source, 'estimated', 'one count of a guess makes the sum one')
  assert.equal(figures.failed_share?.value, 1 / 20)
  assert.deepEqual(flows.map(({ model }) => model).toSorted(), ['m0', 'm1'])
  const measured = meters.find(({ meter }) => meter === 'board')?.figures
  assert.deepEqual(measured?.power_w, { value: 500, unit: 'W', source: 'measured' })

  const models = (await ask('/api/usage?dimension=model&range=1h')).rows
  const served = models.reduce((sum, { figures }) => sum + (figures.output_tokens?.value ?? 0), 0)
  assert.equal(served, 19 * 30, 'what failed was not served')
  assert.equal(models.find(({ name }) => name === 'm0')?.figures.output_tokens?.source, 'measured')
  const outcomes = (await ask('/api/usage?dimension=outcome&range=24h')).rows
  assert.deepEqual(outcomes.map(({ name, figures }) => [name, figures.requests?.value]).toSorted(), [
    ['complete', 19],
    ['timeout', 1],
  ])
  const went = (await ask('/api/waste?range=15m')).rows
  assert.equal(went.find(({ name }) => name === 'timeout')?.figures.tokens?.value, 150)
  assert.equal(((await factory.json('GET', '/api/status')) as { requests: number }).requests, 20)
})

test('capacity that costs something is a margin; taken back it is unknown again', async () => {
  const margin = async (): Promise<Figure | undefined> => (await ask('/api/floor')).figures.margin_usd_per_h
  await factory.json('POST', '/api/engines/embedded/cost', { per_hour: '3600' })
  const declared = await margin()
  assert((declared?.value ?? 0) < 0 && declared?.source === 'estimated')
  await assert.rejects(
    factory.json('POST', '/api/engines/embedded/cost', { per_hour: '-1' }),
    (error) => error instanceof ControlError && error.param === 'per_hour',
  )
  await factory.json('POST', '/api/engines/embedded/cost', { per_hour: '0' })
  const { engines } = (await factory.json('GET', '/api/engines')) as { engines: { cost_per_hour_usd: string | null }[] }
  assert.equal(engines[0]?.cost_per_hour_usd, null)
})

test('a range or a dimension that there is not is refused with those that there are', async () => {
  for (const url of ['/api/series?range=2h', '/api/usage?dimension=colour', '/api/requests?outcome=bad'])
    await assert.rejects(
      ask(url),
      (error) => error instanceof ControlError && /15m|factory|timeout/.test(error.message),
    )
})
