/**
 * The console's files. A package has them in `dist/console`. A clone has the sources: they are built when they have changed,
 * into a cache whose folder is named after their hash, so that a factory that runs keeps the files it began with.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clock } from '../clock/clock.ts'
import { holdAlive } from '../files/alive.ts'

export interface ConsoleFiles {
  /** Where they are, or will be. */
  readonly folder: string
  /** Builds them when they are missing; resolves to why that cannot be, or to nothing. Never rejects. */
  build(): Promise<string | undefined>
}

/** `top` is the root of the clone or of the package. */
export function consoleFiles(top: string): ConsoleFiles {
  const sources = join(top, 'console')
  if (!existsSync(join(sources, 'src'))) {
    const folder = join(top, 'dist', 'console')
    return { folder, build: async () => (existsSync(folder) ? undefined : 'this package came without it') }
  }
  const cache = join(top, 'node_modules', '.cache', 'wattmill-console')
  const folder = join(cache, hashOf(sources))
  return {
    folder,
    build: () => buildOnce(sources, cache, folder).catch((cause: unknown) => oneLine(String(cause))),
  }
}

/** Of names and contents, in an order that every file system gives alike. */
function hashOf(sources: string): string {
  const hash = createHash('sha256')
  const files = globSync(['src/**', '*.{json,ts,html}'], { cwd: sources, exclude: ['**/*.test.ts'] })
    .filter((file) => statSync(join(sources, file)).isFile())
    .sort()
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(sources, file)))
      .update('\0')
  return hash.digest('hex').slice(0, 16)
}

/** A build takes seconds; somebody else's that takes longer than this hangs. */
const longestBuild_ms = 120_000

/** Several factories may start at once from one clone: one of them builds, the others wait for it. */
async function buildOnce(sources: string, cache: string, folder: string): Promise<string | undefined> {
  const tools = createRequire(join(sources, 'package.json'))
  for (const end = clock.ms() + longestBuild_ms; clock.ms() < end; await sleep(100)) {
    if (existsSync(folder)) return undefined
    if (!has(tools, 'vite') || !has(tools, 'svelte')) return notInstalled
    mkdirSync(cache, { recursive: true })
    const lock = holdAlive(join(cache, 'build.alive'))
    if (!lock) continue
    try {
      return existsSync(folder) ? undefined : await built(sources, cache, folder)
    } finally {
      lock.release()
    }
  }
  return 'another build of it does not end'
}

const notInstalled = 'its build tools are left out by --omit=dev; `npm ci` installs them, and the next start builds it'

const has = (tools: NodeJS.Require, name: string): boolean => {
  try {
    return Boolean(tools.resolve(name))
  } catch {
    return false
  }
}

/** Into a folder beside it, renamed when whole. What other sources made before is kept only while it may be in use: a day. */
async function built(sources: string, cache: string, folder: string): Promise<string | undefined> {
  const beside = `${folder}.${process.pid}.tmp`
  const child = spawn(process.execPath, [join(sources, 'build.ts'), beside], { stdio: ['ignore', 'ignore', 'pipe'] })
  // The factory's own processes start at the same time, and they are what people wait for.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
  })
  const code = await new Promise((resolve) => {
    child.once('error', (cause) => resolve(cause.message))
    child.once('close', resolve)
  })
  if (code !== 0) {
    rmSync(beside, { recursive: true, force: true })
    return `building it failed: ${oneLine(said) || String(code)}`
  }
  renameSync(beside, folder)
  for (const other of globSync('*', { cwd: cache }).map((name) => join(cache, name)))
    if (other !== folder && clock.ms() - statSync(other).mtimeMs > day_ms)
      rmSync(other, { recursive: true, force: true })
  return undefined
}

const day_ms = 86_400_000

const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ').slice(0, 300)
