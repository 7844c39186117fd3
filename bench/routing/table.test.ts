import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ruled, rowsOf } from './table.ts'
import { type Figure, figureNames } from './trial.ts'

/** Runs that differ in one figure alone. */
const ruled = (rule: string, name: Figure, values: readonly number[]): Ruled => ({
  rule,
  runs: values.map(
    (value) =>
      Object.fromEntries(figureNames.map((each) => [each, each === name ? value : 1])) as Ruled['runs'][number],
  ),
})
const verdict = (name: Figure, own: readonly number[], ...others: readonly (readonly number[])[]): string => {
  const rows = rowsOf([ruled('ours', name, own), ...others.map((values, at) => ruled(`other-${at}`, name, values))])
  return rows.at(-1)?.[1 + figureNames.indexOf(name)] ?? ''
}

test('a difference beyond its interval is better or worse by what its figure means; within, the rules are equal', () => {
  assert.equal(verdict('TTFT mean s', [2, 3, 4], [1, 2.1, 2.9]), '+1.0 ± 0.25 WORSE (other-0)')
  assert.equal(verdict('goodput %', [2, 3, 4], [1, 2.1, 2.9]), '+1.0 ± 0.25 better (other-0)')
  assert.match(verdict('TTFT p99 s', [2, 3, 4], [1, 3, 5]), /equal \(other-0\)$/)
})

test('it is compared with the best of the others, and runs with runs of the same arrivals', () => {
  assert.match(verdict('TTFT mean s', [10, 20, 30], [11, 21, 31.1], [50, 5, 1000]), /^−1\.0 ± .* better \(other-0\)$/)
})

test('the best of a figure is in bold', () => {
  const rows = rowsOf([ruled('ours', 'hit %', [5]), ruled('theirs', 'hit %', [7])])
  assert.equal(rows.length, 2, 'of one run there is no interval')
  const column = 1 + figureNames.indexOf('hit %')
  assert.deepEqual(
    rows.map((row) => row[column]),
    ['5.000', '**7.000**'],
  )
})
