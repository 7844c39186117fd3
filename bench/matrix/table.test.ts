import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ran, surfaces } from './record.ts'
import { legendOf, tableOf } from './table.ts'

const cell = (engine: string, how: Ran['how']): Ran => ({ engine, surface: 'n', how, what: `${engine} 7` })

test('a cell says the best that was seen, and nothing is said of what was not', () => {
  const cells = [cell('aa', 'synthetic'), cell('aa', 'real'), cell('b', 'synthetic')]
  const [, ...rows] = tableOf(['aa', 'b', 'c'], cells)
  const marks = rows.map((row) => row.slice(2).trim().split(/\s+/))
  const at = surfaces.indexOf('n')
  assert.deepEqual(
    marks.map((row) => row[at]),
    ['R', 's', '-'],
  )
  assert(
    marks.every((row) => row.length === surfaces.length && row.every((mark, index) => index === at || mark === '-')),
  )
})

test('versions are told of real engines alone, and every surface has its number', () => {
  const legend = legendOf([cell('a', 'real'), cell('b', 'synthetic')]).join('\n')
  assert.match(legend, /R .*a \(a 7\)/)
  assert.doesNotMatch(legend, /b 7/)
  for (const [index, surface] of surfaces.entries()) assert(legend.includes(`${index + 1} ${surface}`), surface)
  assert.match(legendOf([]).join(), /none here/)
})
