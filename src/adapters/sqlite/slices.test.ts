import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloseRow } from '../../books/row.ts'
import { usageFrom } from '../../books/usage.ts'
import { smsOfProfile } from '../../plant/chips/mig/tables.ts'
import type { MeterInterval } from '../../plant/energy/meter.ts'
import { millijoules } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { receipt, statement } from './answers.ts'
import { check } from './check.ts'
import { closeIntervals } from './close-intervals.ts'
import { closeHours } from './costs/close-hours.ts'
import { declare } from './costs/declarations.ts'
import { explain } from './explain.ts'
import { ingestJournal, journalReadTo, noteJournal } from './ingest.ts'
import { insertInterval } from './intervals.ts'
import { meterFindings } from './meter-quality.ts'
import { allBig, one } from './query.ts'
import { addEngine, drainEngine, removeEngine } from './registry/engines.ts'
import { idleClaims, setIdleRule } from './registry/meters.ts'
import { rollUp } from './rollup.ts'
import { openStore, type Store } from './store.ts'
import { closeRow, gateway, journaled, openRow, setTestPrice, testHome } from './testing.ts'

const start_ms = 20_000 * 86_400_000

/** An engine elsewhere on a slice of the board; without a profile on all of it. */
function engine(store: Store, name: string, profile?: string, instance: string | null = null, at_ms = 0): void {
  const sms = smsOfProfile('h200', profile ?? '')
  addEngine(
    store,
    {
      name,
      vendor: 'openai',
      product: 'vllm',
      url: 'http://127.0.0.1:1',
      key_from: null,
      metrics_url: null,
      chips: 'h200:1',
      concurrency: 4,
      models: {},
      created_ms: at_ms,
    },
    {
      costPerHour: undefined,
      meters: [
        {
          name: 'board',
          source: { kind: 'dcgm', url: 'http://127.0.0.1:1/metrics', uuid: 'board' },
          ...(profile && sms && { slice: { name: `h200/${profile}`, sms, board_sms: 132, instance } }),
        },
      ],
    },
  )
}

function served(number: number, replica: string, from_s: number, until_s: number): CloseRow {
  const at_ms = start_ms + from_s * 1000
  const usage = usageFrom('provider', { input_uncached: 200, cache_read: 0, output_visible: 100 })
  return closeRow(number, {
    at_ms,
    closed_ms: start_ms + until_s * 1000,
    ttft_ms: 400,
    stream: true,
    tenant: id(`of-${replica}`),
    attempts: [{ number: 1, replica: id(replica), usage }],
  })
}

/** A board that draws 500 J a second, 100 J of it at rest. */
const draw = (store: Store, sequence: number, instances?: MeterInterval['instances'], seconds = 1): void =>
  insertInterval(store, {
    meter: 'board',
    sequence,
    from_ms: start_ms + (sequence - 1) * seconds * 1000,
    to_ms: start_ms + sequence * seconds * 1000,
    energy: millijoules(500_000n * BigInt(seconds)),
    idle: millijoules(100_000n * BigInt(seconds)),
    grade: 'measured',
    reset: false,
    claims: idleClaims(store, 'board'),
    ...(instances && { instances }),
  })

const busy = (profile: string, share: number) => ({ profile, busy_us: share * 1e6 })
const both = (large: number, small: number) => ({ '1': busy('3g.71gb', large), '2': busy('1g.18gb', small) })

function inSlices(home: ReturnType<typeof testHome>, rows: readonly CloseRow[]): Store {
  const store = openStore(home)
  setTestPrice(store)
  noteJournal(store, gateway)
  engine(store, 'large', '3g.71gb', '1')
  engine(store, 'small', '1g.18gb', '2')
  const of = (row: CloseRow) => [
    openRow(Number.parseInt(row.id.split('-').at(-1) ?? '', 36), { at_ms: row.at_ms }),
    row,
  ]
  ingestJournal(store, gateway, journaled(rows.flatMap(of)))
  journalReadTo(store, gateway, start_ms + 60_000)
  return store
}

const sumTo = (store: Store): Record<string, number> =>
  Object.fromEntries(
    allBig<{ credit: string; amount: bigint }>(
      store.database,
      "select credit, sum(amount) as amount from transfer where unit = 'mJ' group by credit order by credit",
    ).map(({ credit, amount }) => [credit, Number(amount)]),
  )

test('two slices share a board by busy time × SMs, measured where their counters speak; grades say estimated; the audit holds', () => {
  using home = testHome()
  const rows = [served(1, 'large', 0, 3), served(2, 'small', 0, 3), served(3, 'small', 1, 3)]
  const store = inSlices(home, rows)
  draw(store, 1, both(0.8, 0.8))
  draw(store, 2, both(0.5, 1))
  draw(store, 3)
  draw(store, 4, both(0, 0))
  closeIntervals(store, start_ms + 90_000)

  const large = [(0.8 * 60) / (0.8 * 76), (0.5 * 60) / (0.5 * 60 + 16), 60 / 76].map((part) => 400_000 * part)
  const expected = large.reduce((sum, part) => sum + part, 0)
  const sums = sumTo(store)
  assert(
    Math.abs((sums['tenant/of-large/support'] ?? 0) - expected) <= 3,
    `${sums['tenant/of-large/support']}: ${expected}`,
  )
  assert.equal(
    Object.values(sums).reduce((sum, one) => sum + one, 0),
    2_000_000,
    'the meter, to the millijoule',
  )
  const [fragment, idle] = [sums['idle/stranded/fragment'] ?? 0, sums['idle/shared-pool'] ?? 0]
  assert.equal(fragment + idle, 3 * 100_000 + 500_000, 'the floor, and the second without work')
  assert(Math.abs(fragment - (800_000 * 56) / 132) <= 4, `${fragment}: 56 of 132 SMs are in no slice`)

  const explained = explain(store, 'board/2')
  assert(explained?.kind === 'interval')
  assert.deepEqual(
    explained.interval.slices.map(({ engine, sms, busy_us, source }) => [engine, sms, busy_us, source]),
    [
      ['large', 60, 500_000, 'measured'],
      ['small', 16, 1_000_000, 'measured'],
    ],
  )
  const found = receipt(store, rows[0]?.id ?? '')
  assert(found?.state === 'settled')
  assert.deepEqual([found.energy.grade, found.energy.final], ['estimated', true])
  assert.match(found.energy.attribution.how, /the board shared by slices \(time busy × SMs\)/)
  const page = statement(store, id('of-large'), start_ms, start_ms + 86_400_000)
  assert.deepEqual(
    page.energy.map(({ grade }) => grade),
    ['estimated'],
  )
  assert.equal(check(store).first_broken, undefined)

  store.database.exec(`update meter_interval set slices = replace(slices, '"sms":60', '"sms":61') where sequence = 2`)
  assert.match(check(store).first_broken?.id ?? '', /^board\/2\//, 'the first transfer that does not follow is named')
  store.close()
})

test('a request whose second belongs to the next interval bears its slice’s part of the one in which its instance was busy', () => {
  using home = testHome()
  const rows = [served(1, 'large', 0, 4), served(2, 'small', 1.6, 1.9)]
  const store = inSlices(home, rows)
  // Intervals begin at .55: the second [1, 2) belongs to the first of them, and all of the request is in the second.
  const cut = (sequence: number, instances: MeterInterval['instances']): void =>
    insertInterval(store, {
      meter: 'board',
      sequence,
      from_ms: start_ms + 550 + (sequence - 1) * 1000,
      to_ms: start_ms + 550 + sequence * 1000,
      energy: millijoules(400_000n),
      idle: millijoules(0n),
      grade: 'measured',
      reset: false,
      ...(instances && { instances }),
    })
  cut(1, both(1, 0))
  cut(2, both(1, 0.3))
  closeIntervals(store, start_ms + 90_000)
  const small = allBig<{ id: string; amount: bigint }>(
    store.database,
    "select id, amount from transfer where unit = 'mJ' and request = ? and amount > 100",
    rows[1]?.id ?? '',
  )
  assert.deepEqual(
    small.map(({ id: name, amount }) => [name.split('/')[1], Number(amount)]),
    [['2', Math.round((400_000 * 0.3 * 16) / (60 + 0.3 * 16))]],
  )
  assert.equal(sumTo(store)['waste/foreign'], undefined)
  assert.equal(check(store).first_broken, undefined)
  assert.deepEqual(allBig(store.database, 'select * from step_observation where sequence = 2'), [])
  store.close()
})

test('an instance of nobody’s is found, and its part is foreign; one whose SMs nobody knows makes the joules nobody’s', () => {
  using home = testHome()
  const store = inSlices(home, [served(1, 'large', 0, 2)])
  draw(store, 1, { ...both(1, 0), '9': busy('1g.18gb', 1) })
  draw(store, 2, { ...both(1, 0), '9': busy('6g.1gb', 1) })
  closeIntervals(store, start_ms + 90_000)
  const sums = sumTo(store)
  assert.deepEqual(
    [sums['waste/foreign'], sums['overhead/unseen'], sums['tenant/of-large/support']],
    [Math.round((400_000 * 16) / 76), 400_000, Math.round((400_000 * 60) / 76)],
  )
  assert.deepEqual(
    meterFindings(store, start_ms, 10).map(({ sequence, kind, detail }) => [sequence, kind, detail]),
    [
      [2, 'unknown slice', 'GPU instance 9 (6g.1gb) was busy, and is no engine’s: its SMs are not known'],
      [1, 'unknown slice', 'GPU instance 9 (1g.18gb) was busy, and is no engine’s'],
    ],
  )
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('what is foreign or nobody’s of a board in slices is paid for as such: the hour’s electricity adds up', () => {
  using home = testHome()
  const store = inSlices(home, [served(1, 'large', 0, 2)])
  const series = { usual: 100_000_000n }
  const tariff = { kind: 'tariff', name: 'all', from_ms: start_ms, terms: { per: 'time', series }, note: '' } as const
  declare(store, tariff, start_ms)
  draw(store, 1, { ...both(1, 0), '9': busy('1g.18gb', 1) })
  draw(store, 2, { ...both(1, 0), '9': busy('6g.1gb', 1) })
  const now_ms = start_ms + 2 * 3_600_000
  journalReadTo(store, gateway, now_ms)
  closeIntervals(store, now_ms)
  for (let turn = 0; turn < 9 && closeHours(store, now_ms); turn++);
  const costs = allBig<{ credit: string; amount: bigint }>(
    store.database,
    "select credit, amount from transfer where id like 'cost/%' order by credit",
  ).map(({ credit, amount }) => [credit.split('/').slice(0, 3).join('/'), amount])
  const sum = costs.reduce((total, [, amount]) => total + BigInt(amount ?? 0), 0n)
  assert.equal(sum, 27_778n, '1 kJ at $0.1 a kWh, half up')
  const paid = new Set(costs.map(([to]) => to))
  for (const to of ['cost/waste/foreign', 'cost/usage/of-large', 'cost/idle/shared-pool']) assert(paid.has(to), to)
  assert(
    [...paid].some((to) => String(to).startsWith('cost/overhead/')),
    [...paid].join(),
  )
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('a board is cut anew within an interval: each engine for the time that it stood, and the parts are the whole', () => {
  using home = testHome()
  const store = inSlices(home, [served(1, 'large', 0, 3), served(2, 'small', 0, 3), served(3, 'all', 4, 10)])
  for (const name of ['large', 'small']) removeEngine(store, name, start_ms + 3000)
  engine(store, 'all', '7g.141gb', '0', start_ms + 4000)
  draw(store, 1, { '0': busy('7g.141gb', 6) }, 10)
  closeIntervals(store, start_ms + 90_000)
  const sums = sumTo(store)
  const weights = { large: 3 * 60, small: 3 * 16, all: 6 * 132 }
  const parts = Object.entries(weights).map(([name, weight]) => {
    const part = sums[`tenant/of-${name}/support`] ?? 0
    assert(Math.abs(part - (4_000_000 * weight) / (180 + 48 + 792)) < 1, `${name}: ${part}`)
    return part
  })
  assert.equal(
    parts.reduce((sum, part) => sum + part, 0),
    4_000_000,
  )
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('what cannot stand on a board together is refused, and nothing of it is kept', () => {
  using home = testHome()
  const store = inSlices(home, [])
  for (const [name, profile, instance, why] of [
    ['whole', undefined, null, /whole has all of the board, and large a slice/],
    ['again', '1g.18gb', '1', /GPU instance 1 is given to again and to large/],
    ['more', '4g.71gb', '5', /no h200 can be cut into/],
  ] as const) {
    assert.throws(() => engine(store, name, profile, instance, 5), why)
    assert.equal(one(store.database, 'select 1 from engine_meter where engine = ?', name), undefined)
  }
  engine(store, 'third', '2g.35gb', '7', 5)
  assert.equal(allBig(store.database, 'select 1 from engine_meter').length, 3)
  store.close()
})

test('idle by SMs: a drained slice strands its part, what no slice has is a fragment; or all is for whoever comes', () => {
  using home = testHome()
  const store = inSlices(home, [])
  drainEngine(store, 'large', true)
  const strands = () =>
    idleClaims(store, 'board').map((claim) => [claim.kept, 'cause' in claim && claim.cause, claim.share_ppm])
  assert.deepEqual(strands(), [
    ['stranded', 'drained', Math.round((60 * 1e6) / 132)],
    ['stranded', 'fragment', Math.round((56 * 1e6) / 132)],
  ])
  setIdleRule(store, 'board', 'pool')
  assert.deepEqual(strands(), [])
  store.close()
})

test('days that are rolled up keep the grade of what was shared by slices', () => {
  using home = testHome()
  const store = inSlices(home, [served(1, 'large', 0, 1)])
  draw(store, 1, both(1, 0))
  draw(store, 2)
  closeIntervals(store, start_ms + 90_000)
  const energy = () => statement(store, id('of-large'), start_ms, start_ms + 86_400_000).energy
  const before = energy()
  for (let turn = 0; turn < 20 && rollUp(store, start_ms + 86_400_000); turn++);
  assert.equal(allBig(store.database, 'select 1 from meter_interval').length, 1, 'the newest stays')
  assert.deepEqual(energy(), before)
  assert.equal(check(store).first_broken, undefined)
  store.close()
})
