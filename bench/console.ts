/**
 * `npm run bench:console`: a day's worth of traffic in the books, and how long every question that the console asks takes
 * then. The bar is 200 ms for each. Requests, applications, models and seconds of meters are booked by the bookkeeper's own
 * code; only their journal is made up.
 *
 *     node bench/console.ts [--requests 200000] [--applications 60] [--models 8]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeHome } from '../src/adapters/files/home.ts'
import { closeIntervals } from '../src/adapters/sqlite/close-intervals.ts'
import { closeHours, postWorked } from '../src/adapters/sqlite/costs/close-hours.ts'
import { declare } from '../src/adapters/sqlite/costs/declarations.ts'
import type { WorkedHour } from '../src/adapters/sqlite/costs/work-out.ts'
import { ingestJournal, journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { insertInterval } from '../src/adapters/sqlite/intervals.ts'
import { openStore } from '../src/adapters/sqlite/store.ts'
import { closeRow, embeddedUsage, gateway, journaled, setTestPrice } from '../src/adapters/sqlite/testing.ts'
import type { Factory } from '../src/apps/operator/factory.ts'
import { dispatch, toJson } from '../src/apps/operator/router.ts'
import { routes } from '../src/apps/operator/routes/all.ts'
import { type Account, accounts } from '../src/books/account.ts'
import { type BorneHour, hour_ms } from '../src/books/cost-hour.ts'
import type { CloseRow, Outcome } from '../src/books/row.ts'
import { millijoules, nanoDollars } from '../src/units/amount.ts'
import { id } from '../src/units/ids.ts'
import { dice } from './dice.ts'

const bar_ms = 200
const day_ms = 86_400_000
const month_h = 30 * 24
const engines = ['engine-0', 'engine-1', 'engine-2', 'engine-3']
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    applications: { type: 'string', default: '60' },
    models: { type: 'string', default: '8' },
  },
})
const [requests, applications, models] = [Number(values.requests), Number(values.applications), Number(values.models)]
const { next: roll, pick } = dice(20_261_125)
const outcomes: readonly Outcome[] = ['complete', 'complete', 'complete', 'client_closed', 'upstream_error', 'timeout']

const root = mkdtempSync(join(tmpdir(), 'wattmill-bench-console-'))
const home = makeHome(root)
const store = openStore(home)
try {
  const now = Math.floor(Date.now() / 10_000) * 10_000
  book(now - day_ms, now)
  cost(now)
  const pepper = new Uint8Array()
  const factory: Factory = {
    home,
    store,
    pepper,
    prometheus: undefined,
    live: undefined,
    now: () => now,
    log: console.error,
  }
  await ask(factory)
} finally {
  store.close()
  rmSync(root, { recursive: true, force: true })
}

function book(from_ms: number, to_ms: number): void {
  const began = performance.now()
  setTestPrice(store)
  const batch = 1000
  for (let seq = 1; seq <= requests; seq += batch) {
    const rows = Array.from({ length: Math.min(batch, requests - seq + 1) }, (_, index) =>
      settled(seq + index, from_ms + ((seq + index) / requests) * (to_ms - from_ms)),
    )
    ingestJournal(store, gateway, journaled(rows, seq))
  }
  const booked_s = (performance.now() - began) / 1000
  for (let second = 0; second < day_ms / 1000; second += 600)
    store.transaction(() => {
      for (let each = second; each < second + 600; each++) meter(each + 1, from_ms + each * 1000)
    })
  console.log(
    `${requests} requests of ${applications} applications and ${models} models in a day, booked at ${Math.round(requests / booked_s)} a second`,
  )
}

function settled(number: number, at: number): CloseRow {
  const application = Math.floor(roll() ** 2 * applications)
  const closed_ms = Math.floor(at)
  return closeRow(number, {
    tenant: id(`tenant-${application % 20}`),
    application: id(`app-${application}`),
    key: id(`key-${application}`),
    model: id(`model-${Math.floor(roll() ** 2 * models)}`),
    at_ms: closed_ms - 900,
    closed_ms,
    ttft_ms: Math.floor(40 + roll() ** 4 * 2000),
    outcome: pick(outcomes),
    attempts: [
      {
        number: 1,
        replica: id(`engine-${Math.floor(roll() * 4)}`),
        usage: embeddedUsage(Math.floor(roll() * 900), Math.floor(roll() * 200), Math.floor(1 + roll() * 200)),
      },
    ],
  })
}

function meter(sequence: number, from_ms: number): void {
  const [energy, idle] = [millijoules(BigInt(Math.floor(4_000_000 + roll() * 1_000_000))), millijoules(600_000n)]
  insertInterval(store, {
    meter: 'board',
    sequence,
    from_ms,
    to_ms: from_ms + 1000,
    energy,
    idle,
    grade: 'measured',
    reset: false,
  })
}

/** A month of hours: the last day worked out from its traffic, those before it made up, with as many accounts. */
function cost(now: number): void {
  const began = performance.now()
  const end = Math.floor(now / hour_ms)
  const from_ms = (end - month_h) * hour_ms
  const perHour = { per: 'hour', amount: nanoDollars(2_500_000_000n) } as const
  for (const [kind, name] of [...engines.map((engine) => ['capacity', engine] as const), ['staff', 'ops'] as const])
    declare(store, { kind, name, from_ms, terms: perHour, note: '' }, now)
  const series = { usual: 80_000_000n, rules: [] }
  declare(store, { kind: 'tariff', name: 'all', from_ms, terms: { per: 'time', series }, note: '' }, now)
  for (let hour = end - month_h; hour < end - 24; hour++) store.transaction(() => postWorked(store, madeUp(hour), now))
  journalReadTo(store, gateway, now)
  while (closeIntervals(store, now));
  let closed = 0
  while (closeHours(store, now)) closed++
  console.log(
    `${month_h} hours of cost, ${closed} of them worked out from their traffic, in ${Math.round((performance.now() - began) / 1000)} s`,
  )
}

function madeUp(hour: number): WorkedHour {
  const usage = Array.from({ length: applications * 4 }, (_, each) =>
    accounts.usageCost(
      {
        tenant: id(`tenant-${(each >> 2) % 20}`),
        application: id(`app-${each >> 2}`),
        model: id(`model-${each % models}`),
        key: id(`key-${each >> 2}`),
      },
      each % 2 === 0 ? 'input_uncached' : 'output_visible',
    ),
  )
  const bearers = [...usage, accounts.idleCost(accounts.idle()), accounts.wasteCost('timeout')]
  const share = (to: Account): [Account, bigint] => [to, BigInt(1 + Math.floor(roll() * 20_000_000))]
  const cost = (source: Account, to: readonly Account[]): BorneHour => {
    const borne = new Map(to.map(share))
    const amount = [...borne.values()].reduce((sum, part) => sum + part, 0n)
    return { source, hour, unit: 'nano-USD', amount, borne, busy_s: 0, all_s: 0 }
  }
  const costs = [
    ...engines.map((engine) => cost(accounts.capacity(engine), bearers)),
    cost(accounts.electricity('board'), bearers),
    cost(accounts.overhead('staff', 'ops'), [accounts.overheadCost('staff')]),
  ]
  const known = { declared: 0, fit: 0, learned: 0, revision: 0 }
  return { hour, costs, peaks: [], served: new Map(), work: { busy: [], shares: [] }, ...known }
}

/** Every question of the console, as often as a median takes; the first time of each counts too. */
async function ask(factory: Factory): Promise<void> {
  const ranges = ['15m', '1h', '6h', '24h', '7d', '30d']
  const named = ['model', 'application', 'key', 'replica', 'outcome']
  const urls = [
    '/api/status',
    '/api/floor',
    ...ranges.map((range) => `/api/series?range=${range}`),
    ...ranges.map((range) => `/api/waste?range=${range}`),
    ...ranges.map((range) => `/api/series?dimension=application&name=tenant-1%2Fapp-1&range=${range}`),
    ...named.flatMap((dimension) => ['24h', '30d'].map((range) => `/api/usage?dimension=${dimension}&range=${range}`)),
    '/api/requests?limit=50',
    '/api/requests?limit=50&tenant=tenant-1&app=app-1',
    '/api/requests?limit=50&model=model-7&outcome=timeout',
    '/api/requests?limit=50&outcome=failed',
    '/api/requests?limit=50&key=key-1&model=none',
    '/api/books/state',
    ...[1, 7, 30].flatMap((days) => {
      const time = new URLSearchParams({ from: new Date(factory.now() - days * day_ms).toISOString() })
      return [
        ...['hour', 'day'].map((step) => `/api/books/pnl?${time}&step=${step}`),
        ...['', '&into=cost/usage/tenant-7', '&into=cost/usage/*/*/model-3', '&into=cost/idle'].map(
          (of) => `/api/books/transfers?${time}${of}`,
        ),
        ...['revenue&out=tenant/tenant-7', 'revenue&into=revenue/model-3', 'tokens&into=waste', 'energy'].map(
          (of) => `/api/books/transfers?${time}&what=${of}`,
        ),
        `/api/books/flows?${time}`,
      ]
    }),
    '/api/doctor',
  ]
  let slow = 0
  for (const url of urls) {
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < 9; round++) {
      const began = performance.now()
      const { status, body } = await dispatch(routes, factory, { method: 'GET', url }, () => undefined)
      if (status !== 200 || !('json' in body)) throw new Error(`${url}: ${status} ${JSON.stringify(body)}`)
      bytes = toJson(body.json).length
      times.push(performance.now() - began)
    }
    const first = times[0] ?? 0
    const median = times.toSorted((a, b) => a - b)[4] ?? 0
    if (Math.max(first, median) > bar_ms) slow++
    console.log(
      `${median.toFixed(1).padStart(7)} ms median ${first.toFixed(1).padStart(7)} ms first ${String(Math.ceil(bytes / 1024)).padStart(5)} KiB  ${url}`,
    )
  }
  console.log(`${urls.length - slow} of ${urls.length} questions within ${bar_ms} ms`)
  process.exitCode = slow > 0 ? 1 : 0
}
