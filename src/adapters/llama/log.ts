/**
 * The engine's own append-only log: `<folder>/<incarnation>.0000.ndjson`, `.0001` and so on, each beginning with a `host` line.
 *
 * One synchronous write per call, because whoever is told of a step may act on it: the line must be with the kernel first. It
 * survives the death of this process, not of the machine (no fsync: a step takes a millisecond and a flush several, and after a
 * power cut no gateway is left that was told more). Nothing here deletes a file: the reader does when it has settled it.
 */

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { clock } from '../clock/clock.ts'
import type { EngineLogLine } from './protocol.ts'

/** Small enough to ship and delete in pieces, large enough that a busy hour is a handful of files. */
const ROTATE_AT = 16 * 1024 * 1024

export interface EngineLog {
  readonly incarnation: string
  /** Throws when the lines could not be written whole: then none of what they say may be told. */
  write(lines: readonly EngineLogLine[]): void
  close(): void
}

export function openEngineLog(folder: string, incarnation: string, rotateAt = ROTATE_AT): EngineLog {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let number = 0
  let file: number | undefined
  let size = 0

  const append = (lines: readonly EngineLogLine[]): void => {
    if (file === undefined) throw new Error('the engine log is closed')
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    size += bytes.length
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
  }
  const open = (): void => {
    file = openSync(join(folder, `${incarnation}.${String(number).padStart(4, '0')}.ndjson`), 'ax', 0o600)
    number++
    size = 0
    append([{ log: 'host', incarnation, pid: process.pid, at_ms: clock.ms() }])
  }
  const shut = (): void => {
    if (file !== undefined) closeSync(file)
    file = undefined
  }

  const write = (lines: readonly EngineLogLine[]): void => {
    if (lines.length === 0) return
    try {
      if (size >= rotateAt) shut()
      if (file === undefined) open()
      append(lines)
    } catch (error) {
      shut() // a torn line must stay the last of its file: the next write begins a new one
      throw error
    }
  }
  const close = (): void => {
    write([{ log: 'close', at_ms: clock.ms() }])
    shut()
  }

  open()
  return { incarnation, write, close }
}
