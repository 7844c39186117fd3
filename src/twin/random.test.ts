import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exp, log, power } from '../units/arithmetic.ts'
import { Random, randomFrom } from './random.ts'

test('our exp and log agree with those of the machine to 1e-14', () => {
  const random = new Random(1, 'arithmetic')
  for (let n = 0; n < 20_000; n++) {
    const x = (random.share() - 0.5) * 1300
    assert(Math.abs(exp(x) / Math.exp(x) - 1) < 1e-13, `exp ${x}`)
    const y = exp((random.share() - 0.5) * 600)
    assert(Math.abs(log(y) - Math.log(y)) <= 1e-14 * Math.max(1, Math.abs(Math.log(y))), `log ${y}`)
  }
  assert.deepEqual([log(1), exp(0), power(3, 5), power(0.5, 0)], [0, 1, 243, 1])
})

test('a stream depends on seed and name alone', () => {
  const draws = (random: Random): number[] => Array.from({ length: 5 }, () => random.bits())
  const [one, other] = [randomFrom(7), randomFrom(7)]
  other('lengths').bits()
  assert.deepEqual(draws(one('arrivals')), draws(other('arrivals')))
  const streams = [
    [7, 'arrivals'],
    [8, 'arrivals'],
    [7, 'lengths'],
    [7 + 2 ** 32, 'arrivals'],
  ] as const
  assert.equal(new Set(streams.map(([seed, name]) => draws(new Random(seed, name)).join())).size, streams.length)
})

test('the first draws of a seed are what they were: a recorded run can be run again', () => {
  const random = new Random(42, 'arrivals')
  assert.deepEqual([random.bits(), random.bits(), random.bits()], [3_896_583_494, 3_344_680_628, 2_850_885_130])
})

test('draws have the moments of their distributions', () => {
  const random = new Random(3, 'moments')
  const moments = (draw: () => number): { mean: number; variance: number } => {
    const draws = Array.from({ length: 60_000 }, draw)
    const mean = draws.reduce((sum, one) => sum + one, 0) / draws.length
    return { mean, variance: draws.reduce((sum, one) => sum + (one - mean) ** 2, 0) / draws.length }
  }
  const cases = [
    ['share', () => random.share(), 0.5, 1 / 12],
    ['exponential', () => random.exponential(3), 3, 9],
    ['normal', () => random.normal(), 0, 1],
    ['gamma 0.25', () => random.gamma(0.25, 4), 1, 4],
    ['gamma 5', () => random.gamma(5, 0.2), 1, 0.2],
    ['whole', () => random.whole(1, 6), 3.5, 35 / 12],
  ] as const
  for (const [name, draw, mean, variance] of cases) {
    const seen = moments(draw)
    // Five standard errors: one in a million.
    assert(Math.abs(seen.mean - mean) < 5 * Math.sqrt(variance / 60_000), `${name}: mean ${seen.mean}`)
    assert(Math.abs(seen.variance / variance - 1) < 0.12, `${name}: variance ${seen.variance}`)
  }
})
