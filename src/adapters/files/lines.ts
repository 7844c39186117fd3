import { createReadStream } from 'node:fs'

/** A line of a file, by number from 1; its bytes are missing where it is longer than may be. */
export interface NumberedLine {
  readonly number: number
  readonly bytes: Buffer | undefined
  /** Where the next line begins; a line without its end is the last, and torn. */
  readonly end: number
  readonly whole: boolean
}

const newline = 10

/** The lines of a file one after the other, never more than one of them in memory. Empty lines are passed over. */
export async function* linesOf(path: string, longest: number): AsyncGenerator<NumberedLine> {
  let parts: Buffer[] = []
  let [size, number, end] = [0, 0, 0]
  const take = (part: Buffer): void => {
    size += part.length
    if (size <= longest) parts.push(part)
    else parts = []
  }
  const line = (whole: boolean): NumberedLine | undefined => {
    number++
    const bytes = size > longest ? undefined : Buffer.concat(parts)
    parts = []
    size = 0
    const blank = bytes?.every((byte) => byte === 32 || byte === 13 || byte === 9)
    return blank ? undefined : { number, bytes, end, whole }
  }
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, at))
      end += at + 1 - from
      from = at + 1
      const found = line(true)
      if (found) yield found
    }
    take(chunk.subarray(from))
    end += chunk.length - from
  }
  const rest = size > 0 ? line(false) : undefined
  if (rest) yield rest
}
