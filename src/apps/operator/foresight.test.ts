import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { listNotices } from '../../adapters/sqlite/notices.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { closeRow, embeddedUsage, gateway, journaled, setTestPrice, testHome } from '../../adapters/sqlite/testing.ts'
import { id } from '../../units/ids.ts'
import { owner } from './auth.ts'
import type { Factory } from './factory.ts'
import { noticeAnomalies } from './notify.ts'
import { dispatch } from './router.ts'
import { routes } from './routes/all.ts'

const hour_ms = 3_600_000
/** Tokens of the first hour of a day; that costs some cents. */
const base = 100_000
/** Ten days into a month, UTC. */
const now_ms = Date.UTC(2026, 9, 11) + 6 * 60_000

/** Days of traffic that repeats itself by the hour of the day; `last` is what comes in the hour before now. */
function withDays(days: number, last: number): { factory: Factory } & Disposable {
  const home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const end = Math.floor(now_ms / hour_ms)
  const rows = Array.from({ length: days * 24 }, (_, index) => {
    const hour = end - days * 24 + index
    const tokens = index === days * 24 - 1 ? last : base * (1 + (hour % 24))
    return closeRow(index + 1, {
      at_ms: hour * hour_ms + 500,
      closed_ms: hour * hour_ms + 1000,
      attempts: [{ number: 1, replica: id('hosted'), usage: embeddedUsage(tokens, 0, tokens) }],
    })
  })
  ingestJournal(store, gateway, journaled(rows))
  const factory: Factory = {
    home,
    store,
    pepper: new Uint8Array(),
    prometheus: undefined,
    live: undefined,
    now: () => now_ms,
    log: () => undefined,
  }
  return {
    factory,
    [Symbol.dispose]() {
      store.close()
      home[Symbol.dispose]()
    },
  }
}

async function ask(factory: Factory, url: string) {
  const reply = await dispatch(routes, factory, { method: 'GET', url }, () => owner)
  assert('json' in reply.body)
  return reply.body.json as { [name: string]: unknown; lines: Line[]; error?: { code: string } }
}
interface Line {
  readonly measure: string
  readonly verdict: string
  readonly so_far: number
  readonly expected: number
  readonly low: number
  readonly high: number
  readonly hours_needed?: number
}

const usual = base * (1 + ((Math.floor(now_ms / hour_ms) - 1) % 24))

test('a month is foretold from what is over and from the shape of its days, of the factory, a tenant, a model', async () => {
  using made = withDays(25, usual)
  const { factory } = made
  const found = await ask(factory, '/api/books/forecast')
  assert.equal(found.hours_left, 21 * 24)
  const tokens = found.lines.find(({ measure }) => measure === 'tokens')
  assert(tokens)
  const day = 2 * base * (24 * 25) * 0.5
  assert.equal(tokens.so_far, 10 * day)
  assert(Math.abs(tokens.expected / (31 * day) - 1) < 1e-9, `${tokens.expected} for ${31 * day}`)
  assert(tokens.low <= tokens.expected && tokens.expected <= tokens.high)
  for (const whose of ['tenant=acme', 'model=m']) {
    const part = await ask(factory, `/api/books/forecast?${whose}`)
    const usd = part.lines.find(({ measure }) => measure === 'usd')
    assert(Math.abs((usd?.expected ?? 0) / (found.lines[0]?.expected ?? 1) - 1) < 1e-9, whose)
  }
  const stranger = await ask(factory, '/api/books/forecast?tenant=acm')
  assert.deepEqual(
    stranger.lines.map(({ verdict, hours_needed }) => [verdict, hours_needed]),
    [
      ['too_little', 72],
      ['too_little', 72],
      ['too_little', 72],
    ],
  )
  for (const wrong of ['from=2026-01-01', 'to=2026-10-01', 'to=2030-01-01', 'tenant=acme&model=m', 'to=soon'])
    assert.equal((await ask(factory, `/api/books/forecast?${wrong}`)).error?.code, 'invalid_value', wrong)
})

const anomalies = ({ store }: Factory) =>
  listNotices(store, 100).map(({ notice }) => [notice.type, notice.data.dimension, notice.data.name, notice.data.more])

test('an hour that is unlike the same hour of other days is told once, with the money at risk', () => {
  using made = withDays(16, usual * 40)
  for (let again = 0; again < 2; again++) noticeAnomalies(made.factory)
  assert.deepEqual(
    anomalies(made.factory).sort(),
    [
      ['spend.anomaly', 'application', 'acme/support', true],
      ['spend.anomaly', 'factory', '', true],
      ['spend.anomaly', 'key', 'k1', true],
      ['spend.anomaly', 'model', 'm', true],
    ].sort(),
  )
  const [{ notice } = assert.fail()] = listNotices(made.factory.store, 1)
  assert.equal(Number(notice.data.at_risk_usd).toFixed(3), (39 * Number(notice.data.usual_usd)).toFixed(3))
})

test('traffic that stopped is told too; traffic as usual, and a factory a few days old, are not', () => {
  using stopped = withDays(16, 0)
  noticeAnomalies(stopped.factory)
  assert(anomalies(stopped.factory).length === 4 && anomalies(stopped.factory).every(([, , , more]) => more === false))
  for (const [days, last] of [
    [16, usual],
    [16, usual * 1.2],
    [3, usual * 40],
  ] as const) {
    using made = withDays(days, last)
    noticeAnomalies(made.factory)
    assert.deepEqual(anomalies(made.factory), [], `${days} days, ${last}`)
  }
})
