import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ScrapeError } from '../prometheus/scrape.ts'
import type { CsvColumns } from '../sqlite/registry/meters.ts'

export type CsvReading = { readonly at_ms: number } & ({ readonly energy_mj: number } | { readonly power_w: number })

/** The head's names must fit into the first, the last lines into the second. */
const [mostHead, mostTail] = [4096, 4096]
/** Clocks differ; a reading further ahead would keep out all that come before its moment. */
const ahead_ms = 60_000
/** A reading of long ago is not about now: who begins with it would book the time since in one piece. */
const behind_ms = 3_600_000

/** The newest whole line of a file that grows, or is replaced by another one with the same columns. Throws ScrapeError. */
export async function csvReading(path: string, columns: CsvColumns, now_ms: number): Promise<CsvReading> {
  const { head, last } = await endsOf(path)
  return readingOf(head, last, columns, now_ms, path)
}

async function endsOf(path: string): Promise<{ head: string; last: string }> {
  let file: FileHandle | undefined
  try {
    // A pipe without a writer must not hold us.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stat = await file.stat()
    if (!stat.isFile()) throw new ScrapeError('bad_reply', `${path} is no plain file`)
    const head = await part(file, 0, Math.min(mostHead, stat.size))
    const tail = await part(file, Math.max(0, stat.size - mostTail), Math.min(mostTail, stat.size))
    const whole = tail.slice(0, tail.lastIndexOf('\n') + 1).trimEnd() // a line that is being written has no end yet
    return { head: head.split(/\r?\n/, 1)[0] ?? '', last: whole.slice(whole.lastIndexOf('\n') + 1) }
  } catch (cause) {
    if (cause instanceof ScrapeError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new ScrapeError('unreachable', `${path} cannot be read (${code})`, cause)
  } finally {
    await file?.close()
  }
}

async function part(file: FileHandle, at: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
  return buffer.toString('utf8', 0, bytesRead)
}

/** What a line holds is not repeated in what is told: the file may be another one than was meant. */
export function readingOf(
  head: string,
  line: string,
  { time, value, unit }: CsvColumns,
  now_ms: number,
  path: string,
): CsvReading {
  const bad = (why: string): ScrapeError => new ScrapeError('bad_reply', `${path} ${why}`)
  const names = cells(head)
  const [timeAt, valueAt] = [names.indexOf(time), names.indexOf(value)]
  if (timeAt < 0) throw bad(`has no column ${time} in its first line`)
  if (valueAt < 0) throw bad(`has no column ${value} in its first line`)
  if (line === '' || line === head.trimEnd()) throw bad('has no whole line below its head yet')
  const row = cells(line)
  const at_ms = momentMs(row[timeAt] ?? '')
  if (at_ms === undefined) throw bad(`has no moment in column ${time} of its last line`)
  if (at_ms > now_ms + ahead_ms) throw bad('has a last line that is dated in the future')
  if (at_ms < now_ms - behind_ms)
    throw bad(`has a last line of ${new Date(at_ms).toISOString()}: nothing was added since`)
  const text = row[valueAt] ?? ''
  if (!/^\d+(\.\d+)?([eE][+-]?\d{1,2})?$/.test(text)) throw bad(`has no number in column ${value} of its last line`)
  return unit === 'watts' ? { at_ms, power_w: Number(text) } : { at_ms, energy_mj: Math.round(Number(text) * mj[unit]) }
}

const mj = { joules: 1e3, kwh: 3.6e9 } as const

const cells = (line: string): string[] => line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))

function momentMs(text: string): number | undefined {
  if (/^\d{9,13}(\.\d+)?$/.test(text)) return Math.round(Number(text) * (Number(text) < 1e11 ? 1000 : 1))
  const at_ms = /^\d{4}-\d\d-\d\d[T ].*(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at_ms) ? undefined : at_ms
}
