import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms, hourOf } from '../../books/cost-hour.ts'
import type { RestRule } from '../../plant/energy/levels.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { millijoules } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { receipt } from './answers.ts'
import { check } from './check.ts'
import { closeIntervals } from './close-intervals.ts'
import { closeLevels } from './close-levels.ts'
import { closeHours } from './costs/close-hours.ts'
import { declare } from './costs/declarations.ts'
import { ingestJournal, journalReadTo } from './ingest.ts'
import { insertInterval } from './intervals.ts'
import { levelSums } from './level-sums.ts'
import { meterFindings } from './meter-quality.ts'
import { allBig, one } from './query.ts'
import { placeMeter } from './registry/places.ts'
import { rollUp } from './rollup.ts'
import type { Store } from './store.ts'
import { closeRow, dice, gateway, journaled, lateTurn, measuredStore, testHome } from './testing.ts'

const day_ms = 86_400_000
const begin_ms = 500_016 * hour_ms
const end_ms = begin_ms + 2 * hour_ms
const now_ms = end_ms + hour_ms

interface Shape {
  readonly rule?: RestRule
  /** Shares of the meters below that an upper meter shows; below 1 it contradicts them. */
  readonly more?: number
  readonly gap?: boolean
}

/** A counter of a load that goes up and down within a quarter of an hour, between 200 and 600 W; mJ. */
const drawn = (at_ms: number, times: number): bigint => {
  const turn_ms = 900_000 / (2 * Math.PI)
  const past_ms = at_ms - begin_ms
  return BigInt(Math.round(times * (400 * past_ms - 200 * turn_ms * (Math.cos(past_ms / turn_ms) - 1))))
}

/** Two hours: two boards of an engine, a host above them and a hall above the host, each read at moments of its own. */
function factory(home: ReturnType<typeof testHome>, seed: number, { rule = 'energy', more = 1.3, gap = false }: Shape) {
  const store = measuredStore(home)
  store.database.exec(`
    insert into meter (name, source, created_ms) values ('board-b', '{}', 0);
    insert into engine_meter (engine, meter, from_ms) values ('gpu', 'board-b', 0)`)
  const source = { kind: 'watts', idle: 0, full: 1 } as const
  placeMeter(store, { name: 'host', source }, { level: 'host', rule, below: ['board', 'board-b'] }, 1)
  placeMeter(store, { name: 'hall', source }, { level: 'facility', rule: 'overhead', below: ['host'] }, 1)
  const roll = dice(seed)
  const rows = Array.from({ length: 40 }, (_, number) => {
    const at_ms = begin_ms + roll(2 * hour_ms - 30_000)
    const base = closeRow(number + 1, { at_ms, closed_ms: at_ms + 500 + roll(20_000), tenant: id(`t${roll(3)}`) })
    return { ...base, attempts: base.attempts.map((attempt) => ({ ...attempt, replica: id<never>('gpu') })) }
  })
  ingestJournal(store, gateway, journaled(rows))
  const readings = new Map<string, bigint>()
  const write = (meter: string, every_ms: number, times: number, odd = false): void => {
    let sequence = 1
    for (let from_ms = begin_ms; from_ms < end_ms; sequence++) {
      const to_ms = Math.min(end_ms, from_ms + every_ms + (odd ? roll(every_ms) : 0))
      const energy = drawn(to_ms, times) - drawn(from_ms, times)
      const missed = gap && meter === 'board-b' && sequence === 20
      if (!missed) readings.set(meter, (readings.get(meter) ?? 0n) + energy)
      const [shown, idle] = missed ? [0n, 0n] : [energy, energy / 4n]
      const interval = { meter, sequence, from_ms, to_ms, energy: millijoules(shown), idle: millijoules(idle) }
      insertInterval(store, { ...interval, grade: 'measured' as Grade, reset: missed })
      from_ms = to_ms
    }
  }
  store.transaction(() => {
    write('board', 60_000, 1)
    write('board-b', 47_000, 1, true)
    write('host', 61_000, 2 * more, true)
    write('hall', 300_000, 2 * more * 1.2)
  })
  journalReadTo(store, gateway, now_ms)
  return { store, rows, readings }
}

/** As the keeper does, until there is nothing left to do. */
function close(store: Store): void {
  for (let more = true; more; ) more = [closeIntervals(store, now_ms), closeLevels(store, now_ms)].includes(true)
  for (let turn = 0; turn < 50 && closeHours(store, now_ms); turn++);
}

const meters = (store: Store): Map<string, bigint> =>
  new Map(
    allBig<{ debit: string; amount: bigint }>(
      store.database,
      "select debit, sum(amount) as amount from transfer where unit = 'mJ' group by debit",
    ).map(({ debit, amount }) => [debit, BigInt(amount)]),
  )

for (const rule of ['energy', 'chips', 'overhead'] as const)
  test(`what meters show is booked once, from the boards to the hall, by the rule of ${rule}`, () => {
    for (let seed = 1; seed <= 2; seed++) {
      using home = testHome()
      const { store, readings } = factory(home, seed, { rule })
      close(store)
      const audit = check(store)
      assert.equal(audit.first_broken, undefined, `seed ${seed}`)
      assert.deepEqual([audit.levels.residual, audit.levels.owed_mj], ['0', '0'])
      const booked = meters(store)
      const sum = (...names: string[]) => names.reduce((total, name) => total + (booked.get(`meter/${name}`) ?? 0n), 0n)
      assert.equal(sum('board', 'board-b', 'host', 'hall'), readings.get('hall'), 'all that the hall showed, once')
      assert.equal(sum('board', 'board-b', 'host'), readings.get('host'))
      const beside = one(store.database, "select 1 from transfer where credit = 'overhead/host' limit 1")
      assert.equal(beside !== undefined, rule === 'overhead')
      store.close()
    }
  })

test('a receipt has what the host shows beyond the boards, and is final when that is booked', () => {
  using home = testHome()
  const { store, rows } = factory(home, 1, {})
  for (let more = true; more; ) more = closeIntervals(store, now_ms)
  const energy = () => {
    const found = receipt(store, rows[0]?.id ?? '')
    assert(found?.state === 'settled')
    return found.energy
  }
  const before = energy()
  assert.equal(before.final, false)
  close(store)
  const after = energy()
  assert.equal(after.final, true)
  assert.match(after.attribution.how, /what the meters above show beyond them/)
  const ratio = Number(after.energy_mj) / Number(before.energy_mj)
  assert(ratio > 1.2 && ratio < 1.4, `${ratio}`)
  store.close()
})

test('meters that contradict each other are told, and nothing is made up', () => {
  using home = testHome()
  const { store, readings } = factory(home, 2, { more: 0.9 })
  close(store)
  const { levels, first_broken } = check(store)
  assert.equal(first_broken, undefined)
  assert(levels.negative > 50, `${levels.negative} intervals`)
  const boards = (readings.get('board') ?? 0n) + (readings.get('board-b') ?? 0n)
  assert.equal(BigInt(levels.owed_mj), boards - (readings.get('host') ?? 0n))
  const [found] = meterFindings(store, 0, 500).filter(({ meter }) => meter === 'host')
  assert.equal(found?.kind, 'negative rest')
  assert(found.energy_j < 0)
  const host = levelSums(store, 0, now_ms).find(({ meter }) => meter === 'host')
  assert(host && Math.abs(host.below_j + host.rest_j - host.owed_j - host.shown_j) < 0.01)
  store.close()
})

test('what cannot be told from a meter that was not seen is nobody’s', () => {
  using home = testHome()
  const { store } = factory(home, 3, { gap: true })
  close(store)
  assert.equal(check(store).first_broken, undefined)
  const unseen = allBig<{ n: bigint }>(
    store.database,
    "select count(*) as n from upper_interval where meter = 'host' and state = 'below unseen'",
  )
  const booked = allBig<{ n: bigint }>(
    store.database,
    "select count(*) as n from transfer where credit = 'overhead/unseen' and debit = 'meter/host'",
  )
  assert(Number(unseen[0]?.n) > 0)
  assert.deepEqual(booked, unseen)
  store.close()
})

test('a meter below is waited for, and then told to be unseen; what comes later changes nothing that is booked', () => {
  using home = testHome()
  const { store } = factory(home, 4, {})
  store.database.exec(`delete from meter_interval where meter = 'board-b' and to_ms > ${end_ms - 600_000}`)
  for (let more = true; more; ) more = [closeIntervals(store, now_ms), closeLevels(store, end_ms)].includes(true)
  const open = (): number =>
    one<{ n: number }>(store.database, 'select count(*) as n from upper_interval where closed_ms is null')?.n ?? 0
  assert(open() > 0, 'it is waited for')
  close(store)
  assert.equal(open(), 0)
  const last = one<{ s: number; t: number }>(
    store.database,
    "select max(sequence) as s, max(to_ms) as t from meter_interval where meter = 'board-b'",
  )
  const late = { meter: 'board-b', sequence: (last?.s ?? 0) + 1, from_ms: last?.t ?? 0, to_ms: end_ms, reset: false }
  const energy = { energy: millijoules(60_000_000n), idle: millijoules(0n), grade: 'measured' as Grade }
  insertInterval(store, { ...late, ...energy })
  for (let more = true; more; ) more = closeIntervals(store, now_ms + 1)
  assert.equal(check(store).first_broken, undefined)
  const found = meterFindings(store, 0, 500)
  assert.deepEqual(
    found.flatMap(({ kind, meter, sequence }) => (kind === 'late' ? [[meter, sequence]] : [])),
    [['board-b', late.sequence]],
  )
  assert(found.some(({ kind, meter }) => kind === 'below unseen' && meter === 'host'))
  store.close()
})

test('the audit names an upper interval that was changed, and its hour', () => {
  const tamper: readonly (readonly [sql: string, what: RegExp])[] = [
    ["update upper_part set energy_mj = energy_mj + 1 where meter = 'host' and sequence = 9", /is another sum/],
    ["update upper_interval set energy_mj = energy_mj + 1 where meter = 'hall' and sequence = 3", /is another sum/],
    ["update upper_hour set booked_mj = booked_mj + 1 where meter = 'host'", /upper − below − booked \+ owed/],
    ["update upper_interval set state = 'below unseen' where meter = 'host' and sequence = 9", /by the meters below/],
  ]
  for (const [sql, what] of tamper) {
    using home = testHome()
    const { store } = factory(home, 5, {})
    close(store)
    store.database.exec(sql)
    const { conserved, first_broken } = check(store)
    assert.equal(conserved, false, sql)
    assert.match(first_broken?.why ?? '', what)
    store.close()
  }
})

test('rolled up, the sums of hours stay and everything adds up', () => {
  using home = testHome()
  const { store, readings } = factory(home, 6, {})
  close(store)
  const hours = () => allBig(store.database, 'select * from upper_hour order by meter, hour')
  const before = hours()
  for (let turn = 0; turn < 200 && rollUp(store, begin_ms + day_ms); turn++);
  const left = one<{ n: number }>(store.database, 'select count(*) as n from upper_interval')?.n ?? 0
  assert.equal(left, 2, 'the newest of each stays')
  assert.deepEqual(hours(), before)
  const audit = check(store)
  assert.equal(audit.first_broken, undefined)
  const hall = before as { meter: string; energy_mj: bigint }[]
  const sum = hall.filter(({ meter }) => meter === 'hall').reduce((total, { energy_mj }) => total + energy_mj, 0n)
  assert.equal(sum, readings.get('hall'))
  store.close()
})

test('a PUE is measured by the facility’s meter where it is declared so, and what it stands for is paid once', () => {
  const cost = (declared: 'none' | 'measured') => {
    using home = testHome()
    const { store } = factory(home, 7, {})
    const from_ms = hourOf(begin_ms) * hour_ms
    const tariff = { per: 'time', series: { usual: 100_000_000n } } as const
    declare(store, { kind: 'tariff', name: 'all', from_ms, note: '', terms: tariff }, now_ms)
    const pue = { per: 'time', series: { usual: 3_000_000n }, measured_by: 'hall' } as const
    if (declared === 'measured') declare(store, { kind: 'pue', name: 'all', from_ms, note: '', terms: pue }, now_ms)
    close(store)
    assert.equal(check(store).first_broken, undefined)
    const rows = allBig<{ source: string; amount: bigint }>(
      store.database,
      "select source, sum(amount) as amount from cost_hour where unit = 'nano-USD' group by source order by source",
    )
    store.close()
    return new Map(rows.map(({ source, amount }) => [source, BigInt(amount)]))
  }
  const [own, through] = [cost('none'), cost('measured')]
  const sum = (of: ReadonlyMap<string, bigint>) => [...of.values()].reduce((total, amount) => total + amount, 0n)
  assert(own.has('electricity/hall') && !through.has('electricity/hall'))
  const difference = Number(sum(own) - sum(through)) / Number(sum(own))
  assert(
    Math.abs(difference) < 2e-5,
    `${sum(own)} and ${sum(through)} nano-USD: only an interval at an edge tells them apart`,
  )
})

test('two operators cannot put two meters above each other', () => {
  using home = testHome()
  const store = measuredStore(home)
  const source = { kind: 'watts', idle: 0, full: 1 } as const
  const over = (own: Store, name: string, below: string): void =>
    placeMeter(own, { name, source }, { level: 'host', rule: 'energy', below: [below] }, 1)
  assert.throws(
    () =>
      over(
        lateTurn(store, () => over(store, 'b', 'a')),
        'a',
        'b',
      ),
    /a is below b/,
  )
  assert.equal(closeLevels(store, now_ms), false)
  store.close()
})

test('a large factory shows more joules than a number of millijoules holds', () => {
  using home = testHome()
  const { store } = factory(home, 3, {})
  store.database.exec(`
    insert into upper_hour (meter, hour, intervals, energy_mj, below_mj, booked_mj, owed_mj, unseen_mj, negative, whole_ms, whole_mj,
      whole_below_mj) values ('hall', 500000, 1, 9000000000000000, 6000000000000000, 3000000000000000, 0, 0, 0, 3600000, 9000000000000000,
      6000000000000000), ('hall', 500001, 1, 9000000000000000, 6000000000000000, 3000000000000000, 0, 0, 0, 3600000, 9000000000000000,
      6000000000000000)`)
  const hall = levelSums(store, 0, now_ms).find(({ meter }) => meter === 'hall')
  assert.deepEqual([hall?.shown_j, hall?.pue], [18e12, 1.5])
  store.close()
})
