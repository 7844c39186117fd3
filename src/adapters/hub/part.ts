/** A file on its way: its beginning under another name, and beside it what it is the beginning of. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { writeWhole } from '../files/home.ts'

export interface PartOf {
  readonly url: string
  readonly bytes: number
  readonly identity: string | undefined
}

/** Where a part lies; `path` is where the whole file will. */
export const partPath = (path: string): string => `${path}.part`
const notePath = (path: string): string => `${path}.part.json`

/** Bytes of it that are here, if it is the beginning of this very file; else what is there is thrown away. */
export function begunPart(path: string, of: PartOf): number {
  const size = statSync(partPath(path), { throwIfNoEntry: false })?.size ?? 0
  const same = of.identity !== undefined && JSON.stringify(noted(path)) === JSON.stringify(noteOf(of))
  if (same && size <= of.bytes) return size
  dropPart(path)
  return 0
}

/** There is a part, of whatever. */
export const hasPart = (path: string): boolean => existsSync(partPath(path))

export function dropPart(path: string): void {
  rmSync(partPath(path), { force: true })
  rmSync(notePath(path), { force: true })
}

const noteOf = ({ url, bytes, identity }: PartOf): object => ({ url, bytes, identity: identity ?? null })

function noted(path: string): unknown {
  try {
    return JSON.parse(readFileSync(notePath(path), 'utf8'))
  } catch {
    return undefined
  }
}

/** A part that is being written: appended to, hashed on the way. */
export class Part {
  readonly #path: string
  readonly #file: FileHandle
  #hash: Hash
  #bytes: number

  private constructor(path: string, file: FileHandle, hash: Hash, bytes: number) {
    this.#path = path
    this.#file = file
    this.#hash = hash
    this.#bytes = bytes
  }

  /** What is there already is read once for the hash; `seen` is told how far that is. */
  static async open(path: string, of: PartOf, seen: (bytes: number) => void): Promise<Part> {
    const begun = begunPart(path, of)
    writeWhole(notePath(path), `${JSON.stringify(noteOf(of))}\n`)
    const hash = createHash('sha256')
    let bytes = 0
    if (begun > 0)
      for await (const chunk of createReadStream(partPath(path), { end: begun - 1, highWaterMark: 1024 * 1024 })) {
        hash.update(chunk as Buffer)
        bytes += (chunk as Buffer).length
        seen(bytes)
      }
    const file = await open(partPath(path), begun > 0 ? 'r+' : 'w', 0o600)
    return new Part(path, file, hash, bytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, this.#bytes + done)
      done += bytesWritten
    }
    this.#hash.update(chunk)
    this.#bytes += chunk.length
  }

  /** The source begins anew: so do we. */
  async restart(): Promise<void> {
    await this.#file.truncate(0)
    this.#hash = createHash('sha256')
    this.#bytes = 0
  }

  /** What is written is on the disk, and can be gone on with. */
  async close(): Promise<void> {
    try {
      await this.#file.sync()
    } finally {
      await this.#file.close()
    }
  }

  /** After `close`: the hash of all of it. */
  sha256(): string {
    return this.#hash.digest('hex')
  }

  /** After `close`: the file gets its name. */
  finish(): void {
    renameSync(partPath(this.#path), this.#path)
    rmSync(notePath(this.#path), { force: true })
  }
}
