/**
 * What a guard rail's bound costs: patterns that are hard to search with, on texts as long as they may search, of letters that
 * keep many ways alive. The first search makes states, later ones may find them.
 *
 *     npm run bench:rails -- [--times 5]
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { RE2JS } from 're2js'
import { asSearched, compiled } from '../src/adapters/rails/compiled.ts'
import { median } from './load/figures.ts'

const { values } = parseArgs({ options: { times: { type: 'string', default: '5' } } })

const latin = 'abcdefghijklmnopqrstuvwxyz'
const many = (count: number, length: number): string[] =>
  Array.from({ length: count }, (_, at) => `[a-m][a-z]{${length}}[${at % 10}${(at + 1) % 10}]`)
/** What they end with may begin anywhere, so that each letter makes another set of places to be at. */
const hard: readonly (readonly [name: string, patterns: readonly string[], letters: string])[] = [
  ...['[ac][ab]{100}[0-9]', '[ac][ab]{400}[0-9]', '(?:a|b)*a(?:a|b){60}[0-9]'].map(
    (pattern) => [pattern, [pattern], 'ab'] as const,
  ),
  ...['[a-m][a-z]{100}[0-9]', '[a-m][a-z]{490}[0-9]', '(?:[aeiou][a-z]{60}|[b-d][a-z]{50})[0-9]'].map(
    (pattern) => [pattern, [pattern], latin] as const,
  ),
  ['[à-é][à-ü]{200}[0-9]', ['[à-é][à-ü]{200}[0-9]'], 'àáâãäåæçèéêëìíîïðñòóôõö'],
  ['25 of [a-m][a-z]{12}', many(25, 12), latin],
  ['10 of [a-m][a-z]{40}', many(10, 40), latin],
  ['100 of [a-m][a-z]{100}', many(100, 100), latin],
  ['10 of [a-m][a-z]{490}', many(10, 490), latin],
]

const row = (...cells: (string | number)[]): void =>
  console.log(cells.map((cell, at) => (at === 0 ? String(cell).padEnd(40) : String(cell).padStart(11))).join(''))
console.log('measured; ms of one search at the bound')
row('pattern', 'steps', 'letters', 'bytes', 'first', 'later', '  ns/step·byte')
let worst = 0
for (const [name, patterns, letters] of hard) {
  const [firsts, laters] = [[] as number[], [] as number[]]
  const steps = patterns.reduce((sum, pattern) => sum + RE2JS.compile(pattern).programSize(), 0)
  let bytes = 0
  for (let time = 0; time < Number(values.times); time++) {
    const { input } = compiled({ name: 'hard', scope: 'factory', of: '', input: { patterns } })
    if (!input) throw new Error('a rail of patterns has a finder')
    bytes = Math.min(input.mostBytes, input.mostSearched)
    const length = bytes / Buffer.byteLength(letters[0] ?? '')
    const text = asSearched(Array.from({ length }, () => letters[randomInt(letters.length)]).join(''))
    for (const into of [firsts, laters]) {
      const began = performance.now()
      input(text)
      into.push(performance.now() - began)
    }
  }
  worst = Math.max(worst, ...firsts, ...laters)
  const [first, later] = [median(firsts), median(laters)]
  row(
    name,
    steps,
    letters.length,
    bytes,
    first.toFixed(0),
    later.toFixed(0),
    ((later * 1e6) / (steps * bytes)).toFixed(1),
  )
}
console.log(`worst of all: ${worst.toFixed(0)} ms, in which a gateway answers nobody else`)
