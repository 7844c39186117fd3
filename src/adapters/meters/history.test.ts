import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watts } from '../../units/quantity.ts'
import type { StepValue } from '../prometheus/history.ts'
import { openMeter } from '../sqlite/meter.ts'
import { meterFindings, qualitySince } from '../sqlite/meter-quality.ts'
import { allBig } from '../sqlite/query.ts'
import { openStore } from '../sqlite/store.ts'
import { dice, testHome } from '../sqlite/testing.ts'
import { HistoryMeter } from './history.ts'

const start_ms = 20_000 * 86_400_000
const hour_ms = 3_600_000

/** What the history holds at a step; undefined: nothing. */
type Past = (second: number) => number | undefined

interface Lived {
  /** Seconds in which nobody asks, from and until. */
  readonly away?: readonly (readonly [from: number, until: number])[]
  /** Seconds at which the operator is started anew. */
  readonly restarts?: readonly number[]
}

/** The intervals that an operator books who looks once a second for so long, and then until nothing is left. */
function live(unit: 'watts' | 'joules', seconds: number, past: Past, { away = [], restarts = [] }: Lived, step_s = 1) {
  using home = testHome()
  const store = openStore(home)
  const open = () => {
    const reader = new HistoryMeter('hall', watts(500_000), unit, step_s)
    return { reader, meter: openMeter(store, home.meters, reader) }
  }
  let { reader, meter } = open()
  const turn = (second: number, until: number): void => {
    const now_ms = start_ms + second * 1000
    const steps = away.some(([from, to]) => second >= from && second < to) ? undefined : reader.wanted(now_ms)
    if (steps) {
      const values: StepValue[] = []
      for (let at_ms = steps.first_ms; at_ms <= steps.last_ms; at_ms += step_s * 1000) {
        const value = at_ms > start_ms + until * 1000 ? undefined : past((at_ms - start_ms) / 1000)
        if (value !== undefined) values.push({ at_ms, value })
      }
      reader.take(values, steps)
    }
    meter.sample(now_ms)
  }
  for (let second = 0; second < seconds + 40; second++) {
    if (restarts.includes(second)) {
      meter.close()
      ;({ reader, meter } = open())
    }
    turn(second, seconds)
  }
  meter.close()
  const rows = 'select from_ms, to_ms, energy_mj, grade, reset from meter_interval order by sequence'
  const found = {
    intervals: allBig(store.database, rows),
    quality: qualitySince(store, 'hall', start_ms, start_ms + seconds * 1000),
    findings: meterFindings(store, start_ms, 10),
  }
  store.close()
  return found
}

const power: Past = (second) => 400 + 100 * Math.sin(second / 7)
const counter: Past = (second) => 1e6 + 450 * second

test('who was away or started anew books the same intervals as who looked all the time, to the millijoule', () => {
  for (const unit of ['watts', 'joules'] as const) {
    const past = unit === 'watts' ? power : counter
    const always = live(unit, 120, past, {})
    assert.equal(always.intervals.length, 119)
    for (let seed = 0; seed < 3; seed++) {
      const roll = dice(seed)
      const from = 10 + roll(40)
      const lived = {
        away: [[from, from + 1 + roll(60)]],
        restarts: Array.from({ length: 3 }, () => 8 + roll(112)),
      } as const
      const now_and_then = live(unit, 120, past, lived)
      assert.deepEqual(now_and_then.intervals, always.intervals, `seed ${seed}, ${unit}: ${JSON.stringify(lived)}`)
    }
  }
})

test('hours without us are taken from the history, without a gap', () => {
  const { quality, findings } = live('joules', 2 * 3600 + 60, counter, { away: [[60, 2 * 3600]] }, 5)
  assert.deepEqual([quality.state, quality.unmetered_s, findings], ['good', 0, []])
  assert.equal(quality.energy_j, 450 * (2 * 3600 + 60 - 5), 'from the first step on')
})

test('what the history lacks is said: power is not made up, a counter goes on, and one that began anew is a reset', () => {
  const missing =
    (past: Past): Past =>
    (second) =>
      second > 100 && second < 200 ? undefined : past(second)
  const gap = live(
    'watts',
    300,
    missing(() => 500),
    {},
  )
  assert.deepEqual(
    gap.findings.map(({ kind, from_ms, to_ms }) => [kind, (from_ms - start_ms) / 1000, (to_ms - start_ms) / 1000]),
    [['unmetered', 100, 200]],
  )
  assert.deepEqual([gap.quality.unmetered_s, gap.quality.energy_j], [100, 500 * 199])
  const bridged = live('joules', 300, missing(counter), {})
  assert.deepEqual([bridged.findings, bridged.quality.energy_j], [[], 450 * 299])
  const anew = live('joules', 300, (second) => (second < 150 ? 1e6 + 450 * second : 450 * (second - 150)), {})
  assert.deepEqual(
    anew.findings.map(({ kind, to_ms }) => [kind, (to_ms - start_ms) / 1000]),
    [['unmetered', 150]],
  )
  assert.equal(anew.quality.energy_j, 450 * (148 + 150))
})

test('more than a day ago is a gap', () => {
  const reader = new HistoryMeter('hall', watts(1000), 'watts', 5)
  assert.equal(reader.wanted(start_ms), undefined, 'it is not known yet where to go on')
  reader.resume(start_ms)
  const steps = reader.wanted(start_ms + 30 * hour_ms)
  assert.equal(steps?.first_ms, start_ms + 6 * hour_ms)
  reader.take([{ at_ms: start_ms + 6 * hour_ms, value: 5 }], steps)
  assert.equal(reader.wanted(start_ms + 30 * hour_ms), undefined, 'what was found is booked first')
})

test('a counter that has not moved is no new reading, and what nothing can draw is none', () => {
  const reader = new HistoryMeter('hall', watts(1000), 'joules', 5)
  const steps = { first_ms: 5000, last_ms: 20_000 }
  reader.take(
    [5, 10, 15, 20].map((second) => ({ at_ms: second * 1000, value: second < 20 ? 7.5 : 8 })),
    steps,
  )
  assert.deepEqual([reader.read()?.at_ms, reader.read()?.at_ms, reader.more], [5000, 20_000, false])
  const power = new HistoryMeter('hall', watts(1000), 'watts', 5)
  power.take(
    [
      { at_ms: 5000, value: 1001 },
      { at_ms: 10_000, value: 1000 },
    ],
    steps,
  )
  assert.deepEqual([power.read()?.at_ms, power.more], [10_000, false])
})
