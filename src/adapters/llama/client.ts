/**
 * The gateway's side of the engine socket: one connection, kept up; reports dispatched to the attempt they belong to.
 *
 * Told, not awaited: nothing here returns a promise, and nothing throws for what can be expected. When the connection drops,
 * the host cancels all that was asked through it, so every attempt under way hears `lost` once and then nothing more.
 */
import { connect, type Socket } from 'node:net'
import { assert } from '../../units/assert.ts'
import type { CountCommand, EmbedCommand, GenerateCommand } from './commands.ts'
import { LineSplitter } from './lines.ts'
import type { EngineCommand, EngineReport } from './protocol.ts'

export type HostStatus = Extract<EngineReport, { on: 'status' }>

/** What an attempt hears: its own reports, the last of which is `end`, `fail` or `lost`; a count hears `counted`. */
export type AttemptReport = Extract<EngineReport, { id: string }> | { readonly on: 'lost'; readonly id: string }

/** What is heard of the host itself. `status` comes on connecting, when a model changes, and when asked for. */
export type HostReport =
  | { readonly on: 'up' }
  | { readonly on: 'down' }
  | Extract<EngineReport, { on: 'status' | 'loaded' | 'load_failed' | 'unloaded' }>

export interface EngineHostClient {
  /** Text, vectors, or the size of a prompt. */
  generate(command: GenerateCommand | EmbedCommand | CountCommand, told: (report: AttemptReport) => void): void
  cancel(id: string): void
  /** Without a path: a model that the host knows. */
  load(model: string, path?: string): void
  unload(model: string): void
  remove(model: string): void
  askStatus(): void
  /** Connected, and at least one model can serve. */
  ready(): boolean
  /** The last status of this connection. */
  status(): HostStatus | undefined
  close(): void
}

/** First pause after a lost connection, doubled up to the longest; the real pause is between half of it and the whole. */
const PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

export function connectEngineHost(
  socketPath: string,
  listener: (report: HostReport) => void,
  random: () => number = Math.random,
): EngineHostClient {
  const attempts = new Map<string, (report: AttemptReport) => void>()
  let socket: Socket | undefined
  let up = false
  let closed = false
  let status: HostStatus | undefined
  let failures = 0
  let retry: NodeJS.Timeout | undefined

  const send = (command: EngineCommand): void => {
    if (up) socket?.write(`${JSON.stringify(command)}\n`)
  }

  const hear = (report: EngineReport): void => {
    if (report.on === 'status') status = report
    if (!('id' in report)) return listener(report)
    const told = attempts.get(report.id)
    if (report.on === 'end' || report.on === 'fail' || report.on === 'counted') attempts.delete(report.id)
    told?.(report)
  }

  const down = (): void => {
    const wasUp = up
    up = false
    status = undefined
    const lost = [...attempts]
    attempts.clear()
    if (wasUp) listener({ on: 'down' })
    for (const [id, told] of lost) told({ on: 'lost', id })
    if (!closed) retry = setTimeout(dial, pause(failures++, random()))
  }

  const dial = (): void => {
    const lines = new LineSplitter()
    const dialled = connect(socketPath)
    socket = dialled
    dialled.on('connect', () => {
      up = true
      failures = 0
      listener({ on: 'up' })
      send({ do: 'status' })
    })
    dialled.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        const report = line.kind === 'line' ? parseReport(line.text) : undefined
        if (!report) return void dialled.destroy() // not our host, or a broken one: begin again
        hear(report)
        if (dialled.destroyed) return
      }
    })
    dialled.on('error', () => dialled.destroy())
    dialled.on('close', down)
  }
  dial()

  return {
    generate(command, told) {
      assert(!attempts.has(command.id), 'an attempt id is used once')
      if (!up) return queueMicrotask(() => told({ on: 'lost', id: command.id }))
      attempts.set(command.id, told)
      send(command)
    },
    cancel(id) {
      if (attempts.has(id)) send({ do: 'cancel', id })
    },
    load: (model, path) => send({ do: 'load', model, ...(path !== undefined && { path }) }),
    unload: (model) => send({ do: 'unload', model }),
    remove: (model) => send({ do: 'remove', model }),
    askStatus: () => send({ do: 'status' }),
    ready: () => up && (status?.models.some((model) => model.state === 'ready') ?? false),
    status: () => status,
    close() {
      closed = true
      clearTimeout(retry)
      socket?.destroy()
    },
  }
}

/** Half of it is chance, so that gateways do not come back all at once. */
export function pause(failures: number, chance: number): number {
  const whole = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** Math.min(failures, 10))
  return whole / 2 + (whole / 2) * chance
}

function parseReport(line: string): EngineReport | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'on' in value ? (value as EngineReport) : undefined
  } catch {
    return undefined
  }
}
