/**
 * `npm run matrix`: which surface has run with which engine, and how. Made from tests that run now and pass; nothing of it is kept.
 * `-o json` prints what each cell rests on. Exits 1 when a test failed.
 */
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { presets } from '../../src/adapters/openai/presets/table.ts'
import { ledger, type Ran } from './record.ts'
import { legendOf, tableOf } from './table.ts'

const top = join(import.meta.dirname, '..', '..')
const deep = existsSync(join(top, 'deep', 'node_modules', 'openai'))
const talk = (line: string): void => void process.stderr.write(`${line}\n`)

/** Tests that say of themselves what they ran. */
const files = ['bench/**/*.test.ts', ...(deep ? ['deep/*.test.ts'] : [])]
  .flatMap((pattern) => globSync(pattern, { cwd: top }))
  .filter(
    (file) => readFileSync(join(top, file), 'utf8').includes('matrix/record.ts') || file.includes('bench/matrix/'),
  )
if (!deep) talk('deep/ is not installed (cd deep && npm ci), so no real engine is asked.')

const folder = mkdtempSync(join(tmpdir(), 'wattmill-matrix-'))
const file = join(folder, 'ran.ndjson')
writeFileSync(file, '')
talk(`Runs ${files.join(', ')}`)
const code = await new Promise<number>((done) => {
  // The reports of tests are talk here: standard output holds the matrix alone.
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-timeout=300000', ...files], {
    cwd: top,
    env: { ...process.env, [ledger]: file },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.pipe(process.stderr)
  child.on('close', (status) => done(status ?? 1))
})
const cells = readFileSync(file, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Ran)
rmSync(folder, { recursive: true, force: true })

const engines = ['embedded', ...presets.map(({ id }) => id)]
if (process.argv.includes('json')) console.log(JSON.stringify({ engines, cells, failed: code !== 0 }, null, 2))
else for (const line of [...tableOf(engines, cells), '', ...legendOf(cells)]) console.log(line)
if (code !== 0) talk('A test failed: what it would have shown is missing above.')
process.exitCode = code === 0 ? 0 : 1
