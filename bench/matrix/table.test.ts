import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Parsed, type Ran, surfaces } from './record.ts'
import { legendOf, sdkTableOf, tableOf } from './table.ts'

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

test('of an SDK both ways are told, and a request it has no words for is in no row', () => {
  const parsed = (engine: string, streamed: boolean, how: Ran['how']): Parsed => ({
    engine,
    sdk: 'ai',
    api: 'messages',
    streamed,
    how,
    what: `${engine} 7`,
  })
  const cells = [parsed('a', false, 'real'), parsed('b', true, 'synthetic'), parsed('b', true, 'real')]
  const [head, ...rows] = sdkTableOf(cells)
  assert.match(head ?? '', /whole, streamed +a +b$/)
  assert.deepEqual(
    rows.map((row) => row.split(/\s+/)),
    [['ai', 'messages', 'R', '-', '-', 'R']],
  )
  assert.match(legendOf([], cells).join('\n'), /R .*a \(a 7\), b \(b 7\)/)
})
