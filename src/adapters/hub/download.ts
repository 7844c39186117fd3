/**
 * A download that goes on where it stopped, whatever stopped it: a connection that breaks, Ctrl-C, a full disk, a restart.
 *
 * Nothing bears the file's name before all its bytes are there and, where somebody says what their hash is, have that hash.
 */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Facts, refusedBy } from './facts.ts'
import { type Answer, type Asking, FetchError, failed, follow, header } from './follow.ts'
import { begunPart, dropPart, Part } from './part.ts'

export interface Progress {
  /** Bytes that are here, of so many. */
  readonly bytes: number
  readonly of: number
  readonly what: 'checking what is here' | 'downloading' | 'waiting to try again'
}

export interface Downloading extends Asking {
  /** The whole file's; overrides what the hub says. */
  readonly sha256: string | undefined
  /** Pause before another try, after so many that brought nothing. */
  readonly pauseMs?: (vain: number) => number
  progress(progress: Progress): void
}

/** The file that came is not the one that was meant. */
export class WrongHash extends Error {
  override readonly name = 'WrongHash'
}

/** The disk is too small, told before anything is fetched. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom'
}

/** Tries in a row that bring nothing; one that brings something begins the count anew. */
const mostVain = 5
const usualPauseMs = (vain: number): number => Math.min(10_000, 250 * 2 ** vain)

/** Gives the file's sha256. */
export async function download(facts: Facts, path: string, how: Downloading): Promise<string> {
  const of = { url: facts.url.href, bytes: facts.bytes, identity: facts.identity }
  roomFor(path, facts.bytes - begunPart(path, of))
  const part = await Part.open(path, of, (bytes) =>
    how.progress({ bytes, of: facts.bytes, what: 'checking what is here' }),
  )
  try {
    await fill(facts, part, how)
  } finally {
    await part.close()
  }
  const sha256 = part.sha256()
  const wanted = how.sha256 ?? facts.sha256
  if (wanted !== undefined && sha256 !== wanted) {
    dropPart(path)
    throw new WrongHash(`${facts.file} came with sha256 ${sha256}, and ${wanted} was expected: it was thrown away`)
  }
  part.finish()
  return sha256
}

function roomFor(path: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(path))
  if (bavail * bsize < bytes)
    throw new NoRoom(`${mib(bytes)} MiB are needed in ${dirname(path)} and ${mib(bavail * bsize)} MiB are free`)
}

const mib = (bytes: number): number => Math.floor(bytes / 1024 ** 2)

async function fill(facts: Facts, part: Part, how: Downloading): Promise<void> {
  for (let vain = 0; part.bytes < facts.bytes; ) {
    const before = part.bytes
    try {
      await someMore(facts, part, how)
      if (part.bytes < facts.bytes) throw new FetchError(`${facts.url.host} ended before the file did`)
    } catch (cause) {
      if (!(cause instanceof FetchError) || how.signal?.aborted) throw cause
      vain = part.bytes > before ? 0 : vain + 1
      if (vain >= mostVain) throw cause
      how.progress({ bytes: part.bytes, of: facts.bytes, what: 'waiting to try again' })
      const { pauseMs = usualPauseMs, signal } = how
      await sleep(pauseMs(vain), undefined, signal && { signal })
    }
  }
}

/** One request's worth: to the end, or to where it breaks. */
async function someMore(facts: Facts, part: Part, how: Downloading): Promise<void> {
  const answer = await follow(facts.url, { ...how, headers: rangeFrom(part.bytes, facts) })
  try {
    if (answer.status === 200 && part.bytes > 0) await part.restart()
    else if (answer.status !== 206 && answer.status !== 200) throw refusedBy(facts.url, answer.status)
    unchanged(answer, part.bytes, facts)
    for await (const chunk of guarded(answer, facts.url, how.signal)) {
      if (part.bytes + chunk.length > facts.bytes) throw new Changed(`${facts.file} is longer than it was said to be`)
      await part.append(chunk)
      how.progress({ bytes: part.bytes, of: facts.bytes, what: 'downloading' })
    }
  } finally {
    answer.close()
  }
}

/** From here on, if it is still the same file; a hub's address already names the content, and its store has other tags. */
function rangeFrom(bytes: number, { identity, sha256 }: Facts): Record<string, string> {
  if (bytes === 0) return {}
  return { range: `bytes=${bytes}-`, ...(identity !== undefined && sha256 === undefined && { 'if-range': identity }) }
}

/** The file may be replaced while it is being fetched: then what is here and what comes are of two files. */
function unchanged({ status, headers, first }: Answer, from: number, facts: Facts): void {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(header(headers, 'content-range') ?? '')
  const total = status === 206 ? Number(range?.[2]) : Number(header(headers, 'content-length') ?? facts.bytes)
  if (status === 206 && Number(range?.[1]) !== from)
    throw new FetchError(`${facts.url.host} sent another part than it was asked for`)
  const tag = facts.sha256 === undefined ? header(headers, 'etag') : undefined
  const linked = header(first, 'x-linked-etag')?.replaceAll('"', '').toLowerCase()
  const other =
    total !== facts.bytes ||
    (tag !== undefined && facts.identity?.startsWith('"') && tag !== facts.identity) ||
    (facts.sha256 !== undefined && linked !== undefined && linked !== facts.sha256)
  if (other) throw new Changed(`${facts.file} has changed at ${facts.url.host} since the download began`)
}

/** Begin again: what is at the address now is another file. */
export class Changed extends Error {
  override readonly name = 'Changed'
}

/** The body's chunks; a connection that breaks is the other side's failure, one that we broke is ours. */
async function* guarded({ body }: Answer, url: URL, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) yield chunk
  } catch (cause) {
    throw signal?.aborted ? cause : failed(url, cause)
  }
}
