/** `npm run pains`: the tests that are named after what users of other gateways suffer from, wherever they stand. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const top = join(import.meta.dirname, '..')
const named = globSync('src/**/*.test.ts', { cwd: top }).filter((file) =>
  /\btest\(\s*['`]pain \d/.test(readFileSync(join(top, file), 'utf8')),
)
const args = ['--test', '--test-timeout=120000', '--test-reporter=spec', '--test-name-pattern=^pain ', ...named]
process.exitCode = spawnSync(process.execPath, args, { cwd: top, stdio: 'inherit' }).status ?? 1
