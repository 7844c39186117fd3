/**
 * From `npm start` to the first 200 of /readyz, and from SIGTERM to the end: medians over rounds, each with a new home and
 * then with the same home again. The promise is 10 s.
 *
 *     npm run bench:start -- [--rounds 3] [--json]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { isDead } from '../src/adapters/files/alive.ts'
import { home as homeAt } from '../src/adapters/files/home.ts'
import { median } from './load/figures.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } },
})
const promised_ms = 10_000
const patience_ms = 120_000
const top = join(import.meta.dirname, '..')

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

interface Times {
  readonly ready_ms: number
  readonly stop_ms: number
}

async function startAndStop(home: string): Promise<Times> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn('npm', ['start', '--', '--home', home, '--port', String(port)], {
    cwd: top,
    stdio: 'ignore',
    detached: true, // a group of its own: what npm started gets the signal too, as from a terminal
  })
  try {
    await ready(`http://127.0.0.1:${port}/readyz`)
    const ready_ms = performance.now() - began
    const asked = performance.now()
    process.kill(-(child.pid ?? 0), 'SIGTERM')
    // npm itself ends at once; the launcher, when all that it started has.
    while (!isDead(homeAt(home).upLock)) await after(20)
    return { ready_ms, stop_ms: performance.now() - asked }
  } catch (error) {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    throw error
  }
}

async function ready(url: string): Promise<void> {
  for (const end = performance.now() + patience_ms; performance.now() < end; await after(20)) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.arrayBuffer().catch(() => undefined)
    if (answer?.status === 200) return
  }
  throw new Error(`${url} did not become ready within ${patience_ms / 1000} s`)
}

const first: Times[] = []
const again: Times[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  const home = mkdtempSync(join(tmpdir(), 'wattmill-start-'))
  first.push(await startAndStop(home))
  again.push(await startAndStop(home))
  rmSync(home, { recursive: true, force: true })
}
const row = (times: readonly Times[]) => {
  const ready = times.map(({ ready_ms }) => ready_ms)
  return {
    ready_ms: Math.round(median(ready)),
    slowest_ms: Math.round(Math.max(...ready)),
    stop_ms: Math.round(median(times.map(({ stop_ms }) => stop_ms))),
  }
}
const found = { 'new home': row(first), 'same home again': row(again) }
if (values.json) console.log(JSON.stringify({ rounds: first.length, promised_ms, ...found }, null, 2))
else {
  console.log(`npm start to /readyz 200, medians of ${first.length}; promised: ${promised_ms} ms`)
  console.table(found)
}
if (Math.max(...first.map((one) => one.ready_ms)) > promised_ms) process.exitCode = 1
