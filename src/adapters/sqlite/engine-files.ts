/**
 * The files of an engine's log as they lie in the home: `<incarnation>.0000.ndjson`, `.0001`, …, read in pieces that end with
 * a line. A torn last line was told to nobody: it is waited for while the engine lives, and passed over when it is dead or
 * has begun its next file.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDead } from '../files/alive.ts'
import { alivePath } from './journal-file.ts'

/** One transaction's worth: some ten thousand steps. A longer line is no line of ours, and is passed over piece by piece. */
const pieceBytes = 1024 * 1024

const fileName = /^(.+)\.(\d{4,})\.ndjson$/

/** Incarnations that have a log here, oldest file first. */
export function listEngines(folder: string): string[] {
  const found = readdirSync(folder).flatMap((name) => fileName.exec(name)?.[1] ?? [])
  return [...new Set(found)].sort()
}

/** Only a lock that was held and is not any more says that an engine is dead: a log without one is left waiting. */
export function engineIsDead(folder: string, incarnation: string): boolean {
  const path = alivePath(folder, incarnation)
  return existsSync(path) && isDead(path)
}

export interface Place {
  readonly file: number
  readonly offset: number
}

export interface Piece {
  readonly lines: readonly string[]
  /** Where to go on. */
  readonly next: Place
  /** Nothing is left to read, but perhaps a torn line. */
  readonly end: boolean
}

const pathOf = (folder: string, incarnation: string, file: number): string =>
  join(folder, `${incarnation}.${String(file).padStart(4, '0')}.ndjson`)

export function readPiece(folder: string, incarnation: string, { file, offset }: Place): Piece {
  const followed = existsSync(pathOf(folder, incarnation, file + 1)) // asked first: what is in this file by now stays all of it
  const bytes = readFrom(pathOf(folder, incarnation, file), offset)
  const whole = bytes.lastIndexOf(0x0a) + 1
  const used = whole === 0 && bytes.length === pieceBytes ? pieceBytes : whole
  if (used > 0) {
    const lines = bytes.subarray(0, used).toString().split('\n')
    return { lines: lines.filter((line) => line !== ''), next: { file, offset: offset + used }, end: false }
  }
  if (followed) return { lines: [], next: { file: file + 1, offset: 0 }, end: false }
  return { lines: [], next: { file, offset }, end: true }
}

function readFrom(path: string, offset: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0)
  const file = openSync(path, 'r')
  try {
    const size = Math.max(0, Math.min(pieceBytes, fstatSync(file).size - offset))
    const bytes = Buffer.alloc(size)
    const read = size === 0 ? 0 : readSync(file, bytes, 0, size, offset)
    return bytes.subarray(0, read)
  } finally {
    closeSync(file)
  }
}

/** Bytes that were not read yet. */
export function unreadBytes(folder: string, incarnation: string, { file, offset }: Place): number {
  let bytes = -offset
  for (let number = file; existsSync(pathOf(folder, incarnation, number)); number++)
    bytes += size(pathOf(folder, incarnation, number))
  return Math.max(0, bytes)
}

function size(path: string): number {
  const file = openSync(path, 'r')
  try {
    return fstatSync(file).size
  } finally {
    closeSync(file)
  }
}

/** One file of an engine's log. */
export interface LogFile {
  readonly incarnation: string
  readonly number: number
  readonly path: string
  readonly bytes: number
  /** When its last line was written. */
  readonly written_ms: number
}

/** Of all engines, the longest unwritten first. */
export function listLogFiles(folder: string): LogFile[] {
  const files = readdirSync(folder).flatMap((name): LogFile[] => {
    const [, incarnation, number] = fileName.exec(name) ?? []
    const path = join(folder, name)
    const found = incarnation === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
    if (incarnation === undefined || !found) return []
    return [{ incarnation, number: Number(number), path, bytes: found.size, written_ms: found.mtimeMs }]
  })
  return files.sort((a, b) => a.written_ms - b.written_ms || a.number - b.number)
}

/** Deletes one; with the last of a dead engine its lock goes too. */
export function removeLogFile(folder: string, { path, incarnation }: LogFile, dead: boolean): void {
  rmSync(path, { force: true })
  if (dead && !listEngines(folder).includes(incarnation)) rmSync(alivePath(folder, incarnation), { force: true })
}
