import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDecimal, parseDecimal } from '../../units/amount.ts'
import { nearestWhole, type PowerReading, powerWindow, type Ratio } from './power-window.ts'

const same = (a: Ratio, b: Ratio): boolean => a.over * b.under === b.over * a.under
const sum = (a: Ratio, b: Ratio): Ratio => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
})

const readings = fc
  .array(
    fc.record({ step: fc.bigInt({ min: 1n, max: 5_000_000n }), power_uw: fc.bigInt({ min: 0n, max: 10n ** 12n }) }),
    { minLength: 2, maxLength: 40 },
  )
  .map((steps) => {
    let at_us = 0n
    return steps.map(({ step, power_uw }): PowerReading => {
      at_us += step
      return { at_us, power_uw }
    })
  })
const moment = fc.bigInt({ min: -1_000_000n, max: 120_000_000n })

test('wherever a window is cut in two, its parts are the whole of it, exactly: energy, time and what is unmetered', () => {
  const length = (spans: readonly { from_us: bigint; to_us: bigint }[]): bigint =>
    spans.reduce((total, { from_us, to_us }) => total + to_us - from_us, 0n)
  fc.assert(
    fc.property(readings, fc.tuple(moment, moment, moment), (given, three) => {
      const [from_us = 0n, middle = 0n, to_us = 0n] = [...three].sort((a, b) => (a < b ? -1 : 1))
      const of = (from: bigint, to: bigint) => powerWindow(given, { from_us: from, to_us: to }, 'trapezoid', 3_000_000n)
      const [whole, left, right] = [of(from_us, to_us), of(from_us, middle), of(middle, to_us)]
      assert(same(whole.energy_pj, sum(left.energy_pj, right.energy_pj)))
      assert.equal(whole.covered_us, left.covered_us + right.covered_us)
      assert.equal(length(whole.unmetered), length(left.unmetered) + length(right.unmetered))
      assert.equal(whole.covered_us + length(whole.unmetered), to_us - from_us)
    }),
  )
})

test('constant power comes out as it went in, however it is read and cut, and gaps are listed and not filled', () => {
  fc.assert(
    fc.property(readings, fc.bigInt({ min: 0n, max: 10n ** 12n }), moment, (shape, power_uw, from_us) => {
      const given = shape.map(({ at_us }) => ({ at_us, power_uw }))
      const { mean_uw, energy_pj, covered_us } = powerWindow(
        given,
        { from_us, to_us: from_us + 20_000_000n },
        'trapezoid',
        3_000_000n,
      )
      assert(same(energy_pj, { over: power_uw * covered_us, under: 1n }))
      if (covered_us > 0n) assert(mean_uw && same(mean_uw, { over: power_uw, under: 1n }))
    }),
  )
})

test('a straight line is cut at the edges of the window, and between readings too far apart nothing is said', () => {
  const ramp = [0n, 1n, 2n, 8n, 9n].map((second) => ({ at_us: second * 1_000_000n, power_uw: second * 100_000_000n }))
  // 0.5 s … 1.5 s of a ramp of 100 W/s: 100 W on average.
  const inside = powerWindow(ramp, { from_us: 500_000n, to_us: 1_500_000n }, 'trapezoid', 3_000_000n)
  assert.deepEqual([nearestWhole(inside.energy_pj), inside.unmetered], [100n * 10n ** 12n, []])
  const gap = powerWindow(ramp, { from_us: 0n, to_us: 9_000_000n }, 'trapezoid', 3_000_000n)
  assert.deepEqual(gap.unmetered, [{ from_us: 2_000_000n, to_us: 8_000_000n }])
  assert.deepEqual([nearestWhole(gap.energy_pj), gap.covered_us], [(200n + 850n) * 10n ** 12n, 3_000_000n])
  const nothing = powerWindow([], { from_us: 0n, to_us: 1n }, 'samples', 1n)
  assert.deepEqual(
    [nothing.mean_uw, nothing.covered_us, nothing.unmetered],
    [undefined, 0n, [{ from_us: 0n, to_us: 1n }]],
  )
})

const folder = `${process.env.WATTMILL_DATA ?? '../shared/data'}/power`
const file = `${folder}/mlperf-v5.1-wall-power-8xB200`

test('MLPerf v5.1 wall power of 8 B200: the published watts, to every printed digit', {
  skip: !existsSync(`${file}.csv`) && `${file}.csv is not here`,
}, () => {
  const lines = readFileSync(`${file}.csv`, 'utf8').trim().split('\n').slice(1)
  const runs = JSON.parse(readFileSync(`${file}.meta.json`, 'utf8')) as {
    scenario: string
    window_end_s: number
    samples_in_window: number
    reported_watts: number
  }[]
  const micros = (text: string): bigint => parseDecimal(text, 6) ?? assert.fail(text)
  const found = runs.map(({ scenario, window_end_s, samples_in_window, reported_watts }) => {
    const given = lines
      .map((line) => line.split(','))
      .filter(([, of]) => of === scenario)
      .map(([, , at = '', power = '']) => ({ at_us: micros(at), power_uw: micros(power) }))
    const window = { from_us: 0n, to_us: micros(String(window_end_s)) }
    const { mean_uw, readings, unmetered } = powerWindow(given, window, 'samples', 3_000_000n)
    assert(mean_uw)
    assert.deepEqual([readings, unmetered], [samples_in_window, []])
    const digits = String(reported_watts).split('.')[1]?.length ?? 0
    const printed = nearestWhole({ over: mean_uw.over * 10n ** BigInt(digits), under: mean_uw.under * 1_000_000n })
    assert.equal(formatDecimal(printed, digits), String(reported_watts))
    return [scenario, formatDecimal(nearestWhole(mean_uw), 6)]
  })
  assert.deepEqual(found, [
    ['Offline', '10400.998879'],
    ['Server', '10434.706456'],
  ])
})
