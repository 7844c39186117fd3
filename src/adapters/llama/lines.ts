/**
 * Bytes to lines, for both ends of the engine socket. A line longer than the bound is reported once and skipped to its
 * newline, so that one mad line costs neither memory nor the connection.
 */

/** A prompt is text: 16 MiB of it is thousands of contexts. Longer is a mistake or an attack. */
export const LONGEST_LINE = 16 * 1024 * 1024

export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too_long' }

const NEWLINE = 0x0a

export class LineSplitter {
  private readonly longest: number
  private parts: Buffer[] = []
  private size = 0
  private skipping = false

  constructor(longest = LONGEST_LINE) {
    this.longest = longest
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.keep(chunk.subarray(from, at), lines)
      if (!this.skipping) lines.push({ kind: 'line', text: this.take() })
      this.skipping = false
      from = at + 1
    }
    this.keep(chunk.subarray(from), lines)
    return lines
  }

  private keep(part: Buffer, lines: Line[]): void {
    if (this.skipping || part.length === 0) return
    this.size += part.length
    if (this.size <= this.longest) {
      this.parts.push(part)
      return
    }
    this.take()
    this.skipping = true
    lines.push({ kind: 'too_long' })
  }

  private take(): string {
    const [only] = this.parts
    const line = this.parts.length === 1 && only ? only.toString() : Buffer.concat(this.parts).toString()
    this.parts = []
    this.size = 0
    return line
  }
}
