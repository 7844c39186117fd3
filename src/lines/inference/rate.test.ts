import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alikeRate, SharedRate } from './rate.ts'

/** Of two samples one is a little above and one a little below. */
function say(rate: SharedRate, middle: number, samples: number): void {
  for (let n = 0; n < samples; n++) rate.learn(n % 2 === 0 ? 1.1 * middle : middle / 1.1)
}

const near = (value: number, wanted: number): void =>
  assert(value > 0.8 * wanted && value < 1.25 * wanted, `${value}, not about ${wanted}`)

test('a guess that is far off is soon forgotten: upwards at once, downwards when it has been heard of often enough', () => {
  for (const [wanted, samples] of [
    [50_000, 16],
    [500, 240],
  ] as const) {
    const rate = new SharedRate(alikeRate(5000))
    say(rate, wanted, samples)
    near(rate.value, wanted)
  }
})

test('what one says holds for all that are declared alike', () => {
  const alike = alikeRate(5000)
  const [one, silent] = [new SharedRate(alike), new SharedRate(alike)]
  say(one, 40_000, 60)
  assert.equal(silent.value, one.value)
})

test('one that is really slower is told apart, one that seems so by chance is not', () => {
  const alike = alikeRate(5000)
  const [one, slow, other] = [new SharedRate(alike), new SharedRate(alike), new SharedRate(alike)]
  for (let n = 0; n < 100; n++) {
    say(one, 40_000, 4)
    say(slow, 15_000, 2)
    say(other, 36_000, 2)
  }
  near(slow.value, 15_000)
  assert.equal(other.value, one.value)
  assert(one.value > 2 * slow.value)
})

test('who was taken for slow and is asked no more is tried again', () => {
  const alike = alikeRate(5000)
  const [one, slow] = [new SharedRate(alike), new SharedRate(alike)]
  say(one, 40_000, 300)
  say(slow, 10_000, 80)
  assert(slow.value < 0.7 * one.value)
  say(one, 40_000, 40)
  assert(slow.value < 0.7 * one.value, 'not at once')
  say(one, 40_000, 40)
  assert.equal(slow.value, one.value)
  say(slow, 10_000, 10)
  assert.equal(slow.value, one.value, 'it begins anew')
  say(slow, 10_000, 60)
  assert(slow.value < 0.7 * one.value, 'and is told apart again')
})

test('a few slow answers at the start are not believed, or nothing else would ever be heard', () => {
  const rate = new SharedRate(alikeRate(5000))
  for (let n = 0; n < 60; n++) rate.learn(50)
  assert.equal(rate.value, 5000)
})
