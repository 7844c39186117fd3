import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { linesOf } from './lines.ts'

/**
 * Answers as they come, a line each, at the end of a file. What a crash tore off is cut off when it is opened again. A line
 * that could not be written stays, and is written by the next sync: nothing that was appended is lost while the process lives.
 */
export class ResultLog {
  readonly #file: FileHandle
  #at: number
  #pending: string[] = []

  private constructor(file: FileHandle, at: number) {
    this.#file = file
    this.#at = at
  }

  /** `seen` is told of each line that is there already. */
  static async open(path: string, longest: number, seen: (line: Buffer) => void): Promise<ResultLog> {
    const file = await open(path, 'a+', 0o600)
    await file.close() // it exists now
    let at = 0
    for await (const { bytes, end, whole } of linesOf(path, longest)) {
      if (!whole) break
      if (bytes) seen(bytes)
      at = end
    }
    const log = new ResultLog(await open(path, 'r+', 0o600), at)
    await log.#file.truncate(at)
    return log
  }

  /** Bytes of whole lines that were written. */
  get bytes(): number {
    return this.#at
  }

  append(line: string): void {
    this.#pending.push(`${line}\n`)
  }

  /** What was appended is on the disk. One at a time. */
  async sync(): Promise<void> {
    const count = this.#pending.length
    if (count === 0) return
    const bytes = Buffer.from(this.#pending.join(''))
    for (let at = 0; at < bytes.length; )
      at += (await this.#file.write(bytes, at, bytes.length - at, this.#at + at)).bytesWritten
    await this.#file.datasync()
    this.#at += bytes.length
    this.#pending.splice(0, count)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
