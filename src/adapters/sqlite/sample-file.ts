/**
 * Raw meter samples, one per line, in `<meter>.ndjson`: what was read, before anything was made of it. An audit can redo
 * every interval from them.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { MeterSample } from '../../plant/energy/meter.ts'

/** With a sample per second some 16 MB a day: eight files are a week and more. */
const rotateAt = 16 * 1024 * 1024
const filesKept = 8
/** Samples looked back at after a start: far more than can be without their interval. */
const tailBytes = 64 * 1024

export interface SampleFile {
  /** The newest samples that were there when it was opened, oldest first. */
  readonly tail: readonly MeterSample[]
  append(sample: MeterSample): void
  close(): void
}

/** Opens it for appending; a torn last line is cut off, since its sample was never used. */
export function openSamples(folder: string, meter: string, limit = rotateAt): SampleFile {
  const path = join(folder, `${meter}.ndjson`)
  let { file, size, tail } = opened(path)
  if (tail.length < 2) tail = [...lastArchived(folder, meter), ...tail]
  return {
    tail,
    append(sample) {
      const line = Buffer.from(`${JSON.stringify(sample)}\n`)
      writeLine(file, line, size)
      size += line.length
      if (size < limit) return
      closeSync(file)
      renameSync(path, join(folder, `${meter}.${String(sample.sequence).padStart(12, '0')}.ndjson`))
      dropOldest(folder, meter)
      ;({ file, size } = opened(path))
    },
    close: () => closeSync(file),
  }
}

/** The whole line or none of it: half a line in the middle of the file would take the next one with it. */
function writeLine(file: number, line: Buffer, at: number): void {
  try {
    for (let done = 0; done < line.length; ) done += writeSync(file, line, done, line.length - done, at + done)
  } catch (cause) {
    ftruncateSync(file, at)
    throw cause
  }
}

function opened(path: string): { file: number; size: number; tail: MeterSample[] } {
  const file = openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600)
  const end = fstatSync(file).size
  const bytes = Buffer.alloc(Math.min(end, tailBytes))
  readSync(file, bytes, 0, bytes.length, end - bytes.length)
  const whole = bytes.lastIndexOf(0x0a) + 1
  const size = end - bytes.length + whole
  if (size < end) ftruncateSync(file, size)
  return { file, size, tail: samplesIn(bytes.subarray(0, whole).toString()) }
}

/** Lines that are samples; the first may be cut by where reading began. */
const samplesIn = (text: string): MeterSample[] => text.split('\n').flatMap((line) => parseSample(line) ?? [])

function parseSample(line: string): MeterSample | undefined {
  try {
    const value = JSON.parse(line) as MeterSample
    return typeof value.sequence === 'number' && typeof value.at_ms === 'number' ? value : undefined
  } catch {
    return undefined
  }
}

/** Full files of a meter, oldest first: named by the sequence of their last sample. */
function archived(folder: string, meter: string): string[] {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${meter}.`) && /\.\d{12}\.ndjson$/.test(name))
  return names.filter((name) => name.length === meter.length + 20).sort()
}

function lastArchived(folder: string, meter: string): MeterSample[] {
  const name = archived(folder, meter).at(-1)
  if (!name) return []
  const { file, tail } = opened(join(folder, name))
  closeSync(file)
  return tail
}

function dropOldest(folder: string, meter: string): void {
  for (const name of archived(folder, meter).slice(0, -filesKept)) rmSync(join(folder, name), { force: true })
}

/** Every sample that is still there, oldest first. */
export function* readSamples(folder: string, meter: string): Generator<MeterSample> {
  for (const name of [...archived(folder, meter), `${meter}.ndjson`]) yield* samplesOf(join(folder, name))
}

function* samplesOf(path: string): Generator<MeterSample> {
  if (!existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(tailBytes)
    const next = (from: number): number => readSync(file, bytes, 0, bytes.length, from)
    let rest = ''
    let at = 0
    for (let read = next(0); read > 0; read = next(at)) {
      at += read
      const text = rest + bytes.toString('latin1', 0, read) // samples are ASCII: no letter is cut in two
      const whole = text.lastIndexOf('\n') + 1
      rest = text.slice(whole)
      yield* samplesIn(text.slice(0, whole))
    }
  } finally {
    closeSync(file)
  }
}
