/** One event is a chunk of some tokens; an upstream that sends a line without end is broken or hostile. */
export const longestEvent = 8 * 1024 * 1024

/**
 * Bytes of an event stream → the data of its events, however the network cut them: inside a line, a CRLF, a character.
 *
 * Comments and the other fields are skipped; several data lines of one event are joined by newlines; an event that was
 * not ended by an empty line when the stream ends is none, as the standard says.
 */
export class EventParser {
  readonly #decoder = new TextDecoder()
  readonly #longest: number
  #rest = ''
  #data: string | undefined
  #size = 0
  #skipNewline = false

  constructor(longest = longestEvent) {
    this.#longest = longest
  }

  /** Throws when an event grows beyond the bound. */
  push(bytes: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }))
  }

  #take(text: string): string[] {
    const events: string[] = []
    const all = this.#rest + text
    let from = 0
    for (let at = this.#rest.length; at < all.length; at++) {
      const code = all.charCodeAt(at)
      if (code !== 10 && code !== 13) {
        this.#skipNewline = false
        continue
      }
      if (code === 10 && this.#skipNewline) {
        this.#skipNewline = false
        from = at + 1
        continue
      }
      this.#skipNewline = code === 13
      this.#line(all.slice(from, at), events)
      from = at + 1
    }
    this.#rest = all.slice(from)
    if (this.#rest.length + this.#size > this.#longest) throw new Error('an event is longer than the bound')
    return events
  }

  #line(line: string, events: string[]): void {
    if (line === '') {
      if (this.#data !== undefined) events.push(this.#data)
      this.#data = undefined
      this.#size = 0
      return
    }
    if (!line.startsWith('data')) return
    const value = line.startsWith('data:') ? line.slice(5).replace(/^ /, '') : line === 'data' ? '' : undefined
    if (value === undefined) return
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    this.#size += value.length
  }
}
