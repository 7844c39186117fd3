import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ledger } from './record.ts'

const top = join(import.meta.dirname, '..', '..')

/** Runs the tests that say of themselves what they ran, here and now: what they said, and whether all of them passed. */
export async function runTests(
  talk: (line: string) => void,
): Promise<{ readonly said: string; readonly passed: boolean }> {
  const deep = existsSync(join(top, 'deep', 'node_modules', 'openai'))
  if (!deep) talk('deep/ is not installed (cd deep && npm ci), so no real engine is asked.')
  const files = ['bench/**/*.test.ts', ...(deep ? ['deep/*.test.ts'] : [])]
    .flatMap((pattern) => globSync(pattern, { cwd: top }))
    .filter(
      (file) => readFileSync(join(top, file), 'utf8').includes('matrix/record.ts') || file.includes('bench/matrix/'),
    )
  talk(`Runs ${files.join(', ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'wattmill-matrix-'))
  const file = join(folder, 'ran.ndjson')
  writeFileSync(file, '')
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
  const said = readFileSync(file, 'utf8')
  rmSync(folder, { recursive: true, force: true })
  return { said, passed: code === 0 }
}
