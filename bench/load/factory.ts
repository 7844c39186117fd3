import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'

const wattmill = join(import.meta.dirname, '..', '..', 'bin', 'wattmill.mjs')

/** A factory that runs in a home of its own, started as its users start it. */
export interface Factory {
  readonly home: string
  /** `http://127.0.0.1:PORT` */
  readonly base: string
  /** Process id of the launcher. */
  readonly pid: number
  /** Runs `wattmill … --home HOME` and gives its standard output. */
  cli(...args: string[]): Promise<string>
  /** SIGTERM, then waits until it is gone; rejects when it does not go. */
  stop(): Promise<void>
  /** What it printed so far, both streams. */
  output(): string
}

export const temporaryHome = (): string => mkdtempSync(join(tmpdir(), 'wattmill-'))

const run = promisify(execFile)

/** One command of the CLI; rejects with its standard error when it fails. */
export async function cli(home: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [wattmill, ...args, '--home', home], {
    maxBuffer: 1024 ** 3,
    env: { ...process.env, NO_COLOR: '1' },
  })
  return stdout
}

/** Longest that a start, a stop and a catching up may take on a slow machine; a healthy one needs seconds. */
const patience_ms = 120_000

export async function startFactory(options: { home?: string; args?: readonly string[] } = {}): Promise<Factory> {
  const home = options.home ?? temporaryHome()
  const child = spawn(process.execPath, [wattmill, 'up', '--home', home, '--port', '0', ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
  try {
    const base = await until('it printed its address', async () => {
      if (child.exitCode !== null) throw new Error(`wattmill up ended with ${child.exitCode}`)
      return /API base\s+(https?:\/\/\S+)\/v1/.exec(output)?.[1]
    })
    await until('it was ready', async () => {
      if (child.exitCode !== null) throw new Error(`wattmill up ended with ${child.exitCode}`)
      const answer = await fetch(`${base}/readyz`).catch(() => undefined)
      await answer?.arrayBuffer()
      return answer?.status === 200 || undefined
    })
    return {
      home,
      base,
      pid: child.pid ?? 0,
      cli: (...args) => cli(home, ...args),
      stop: () => stop(child),
      output: () => output,
    }
  } catch (cause) {
    child.kill('SIGTERM')
    throw new Error(`the factory did not start; it said:\n${output}`, { cause })
  }
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await until('it stopped', async () => child.exitCode !== null || child.signalCode !== null || undefined)
}

/** Asks again every 100 ms until there is an answer. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, within_ms = patience_ms): Promise<T> {
  const deadline = performance.now() + within_ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`waited ${within_ms / 1000} s until ${what}`)
    await after(100)
  }
}

export type Role = 'gateway' | 'engine' | 'operator'

/** Process ids of the launcher's descendants that run a program. Linux: read from /proc. */
export const processesOf = (launcher: number, role: Role): number[] =>
  descendants(launcher).filter((pid) => commandOf(pid).some((word) => word.includes(`apps/${role}/`)))

/** One of them. */
export const findProcess = (launcher: number, role: Role): number | undefined => processesOf(launcher, role)[0]

const descendants = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...descendants(child)])

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return [] // it ended while we looked
  }
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
