import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast, meant } from './forecast.ts'

/** A day with a quiet night and a busy noon, and quieter weekends. */
const shape = (hour: number): number => {
  const weekend = Math.floor(hour / 24) % 7 >= 5 ? 0.4 : 1
  return weekend * (10 + 9 * Math.sin(((hour % 24) / 24 - 0.25) * 2 * Math.PI))
}
const made = (hours: number, of: (hour: number) => number): number[] => Array.from({ length: hours }, (_, at) => of(at))

/** Standard normal enough, the same for the same seed. */
function noise(seed: number): () => number {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return () => next() + next() + next() + next() - 2
}

test('what repeats itself exactly is foretold exactly, by the week or, before there are three, by the day', () => {
  for (const [history, ahead] of [
    [5 * 168, 200],
    [3 * 168, 30],
  ] as const) {
    const found = forecast(made(history, shape), ahead)
    assert(found.verdict === 'forecast')
    const truth = made(ahead, (hour) => shape(history + hour)).reduce((a, b) => a + b)
    assert(Math.abs(found.total / truth - 1) < 1e-9, `${found.total} for ${truth}`)
    assert(found.low <= found.total + 1e-6 && found.high >= found.total - 1e-6)
    assert.equal(found.season_h, 168)
  }
  const days = forecast(
    made(5 * 24, (hour) => hour % 24),
    24,
  )
  assert(days.verdict === 'forecast' && days.season_h === 24 && Math.abs(days.total - 276) < 1e-9)
})

test('a level that doubled is followed', () => {
  const found = forecast(
    made(6 * 168, (hour) => shape(hour) * (hour >= 5 * 168 ? 2 : 1)),
    168,
  )
  assert(found.verdict === 'forecast')
  const week = made(168, shape).reduce((a, b) => a + b)
  assert(Math.abs(found.total / (2 * week) - 1) < 0.01, String(found.total / week))
})

test('the interval holds what came about as often as it is meant to', () => {
  let [held, all, told] = [0, 0, 0]
  for (let seed = 1; seed <= 200; seed++) {
    const random = noise(seed)
    let level = 1
    const hours = made(7 * 168, (hour) => {
      level *= Math.exp(0.01 * random())
      return Math.max(0, shape(hour) * level * (1 + 0.3 * random()))
    })
    const found = forecast(hours.slice(0, 6 * 168), 168)
    assert(found.verdict === 'forecast')
    const came = hours.slice(6 * 168).reduce((a, b) => a + b)
    if (came >= found.low && came <= found.high) held++
    told += found.coverage ?? assert.fail('nothing was tested')
    all++
  }
  assert(held / all > meant - 0.15 && held / all < 0.98, `${held} of ${all}`)
  assert(Math.abs(told / all - meant) < 0.15, `it said ${told / all}`)
})

test('too little to go by is said, with how much is needed; nothing at all is no forecast', () => {
  assert.deepEqual(forecast(made(30, shape), 24), { verdict: 'too_little', have_h: 30, need_h: 72 })
  assert.equal(forecast([], 24).verdict, 'too_little')
  assert.equal(
    forecast(
      made(1000, () => 0),
      24,
    ).verdict,
    'too_little',
  )
})
