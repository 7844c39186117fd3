/**
 * `npm run matrix`: which surface has run with which engine, and which SDK has parsed what of it, whole and streamed. Made from tests
 * that run now and pass; nothing of it is kept. `-o json` prints what each cell rests on. Exits 1 when a test failed.
 *
 *     npm run matrix -- --from FILE    what tests said that ran just before with WATTMILL_MATRIX=FILE: they are not run again
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { presets } from '../../src/adapters/openai/presets/table.ts'
import type { Parsed, Ran } from './record.ts'
import { runTests } from './run.ts'
import { legendOf, sdkTableOf, tableOf } from './table.ts'

const { values } = parseArgs({
  options: { from: { type: 'string' }, output: { type: 'string', short: 'o', default: 'table' } },
})
const talk = (line: string): void => void process.stderr.write(`${line}\n`)
const { said, passed } =
  values.from === undefined ? await runTests(talk) : { said: readFileSync(values.from, 'utf8'), passed: true }

const all = said
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Ran | Parsed)
const cells = all.filter((one) => 'surface' in one)
const parsed = all.filter((one) => 'sdk' in one)

const engines = ['embedded', ...presets.map(({ id }) => id)]
if (values.output === 'json') console.log(JSON.stringify({ engines, cells, parsed, failed: !passed }, null, 2))
else
  for (const line of [...tableOf(engines, cells), '', ...sdkTableOf(parsed), '', ...legendOf(cells, parsed)])
    console.log(line)
if (!passed) talk('A test failed: what it would have shown is missing above.')
process.exitCode = passed ? 0 : 1
