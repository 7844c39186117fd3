/** An answer with tool calls in it, taken apart while it comes: content for the reader, calls for the caller. */
import type { CallDelta } from '../protocol.ts'
import type { ToolFormat } from './format.ts'
import { CallScanner } from './scanner.ts'

export interface Parted {
  readonly text: string
  readonly calls: readonly CallDelta[]
}

/** Llama's mark before a call; in the others it does not occur. */
const PYTHON = '<|python_tag|>'
const BLANK = /^([\s,;]|<\|python_tag\|>)*/

type Place = 'content' | 'before' | 'call' | 'after'

/**
 * Text that may begin a call is held until it is certain. What turns out to be no call, or one of a tool that nobody
 * offered, is content, letter for letter; once the name of a call has been told it stays a call, finished or not.
 */
export class ToolCalls {
  readonly #format: ToolFormat
  readonly #names: ReadonlySet<string>
  readonly #newId: () => string
  #place: Place
  /** Not told yet: it may be the beginning of a call. */
  #held = ''
  /** The end of what came, when it may be the beginning of a mark. */
  #unsure = ''
  #scanner = new CallScanner()
  #index = -1
  #open = false
  #finished = 0
  /** Blanks after a call are nobody's. */
  #gap = false

  constructor(format: ToolFormat, names: ReadonlySet<string>, newId: () => string) {
    this.#format = format
    this.#names = names
    this.#newId = newId
    this.#place = format.open === '' ? 'before' : 'content'
  }

  /** A call is being written: from its opening mark to its closing one. */
  get inCall(): boolean {
    return this.#place !== 'content' && this.#format.open !== ''
  }

  /** Calls that were written to their end. */
  get finished(): number {
    return this.#finished
  }

  push(piece: string): Parted {
    const parted = { text: '', calls: [] as CallDelta[] }
    for (let left: string | undefined = piece; left !== undefined; ) left = this.#step(left, parted)
    return parted
  }

  /** The answer is over: what was held was content, unless it was blanks around calls. */
  end(): Parted {
    const held = this.#index >= 0 && this.#place !== 'content' ? '' : this.#held + this.#unsure
    this.#unsure = ''
    this.#held = ''
    return { text: held, calls: [] }
  }

  /** Handles a part of the text; gives what is left of it, undefined when nothing is. */
  #step(piece: string, parted: { text: string; calls: CallDelta[] }): string | undefined {
    switch (this.#place) {
      case 'content':
        return this.#content(piece, parted)
      case 'before':
        return this.#before(piece, parted)
      case 'call':
        return this.#call(piece, parted)
      case 'after':
        return this.#after(piece)
    }
  }

  #content(piece: string, parted: { text: string }): string | undefined {
    const { open } = this.#format
    const text = this.#held + (this.#gap ? piece.trimStart() : piece)
    if (text === '') return undefined
    this.#gap = false
    const at = open === '' ? -1 : text.indexOf(open)
    const keep = at === -1 ? beginning(text, open) : 0
    parted.text += text.slice(0, at === -1 ? text.length - keep : at)
    this.#held = at === -1 ? text.slice(text.length - keep) : open
    if (at === -1) return undefined
    this.#place = 'before'
    return text.slice(at + open.length)
  }

  /** Between the opening mark, or the beginning of the answer, and the first brace. */
  #before(piece: string, parted: { text: string }): string | undefined {
    const text = this.#unsure + piece
    const blank = BLANK.exec(text)?.[0] ?? ''
    this.#held += blank
    const rest = text.slice(blank.length)
    this.#unsure = rest !== '' && PYTHON.startsWith(rest) ? rest : ''
    if (rest === '' || this.#unsure !== '') return undefined
    if (this.#format.list && rest.startsWith('[')) {
      this.#held += '['
      return rest.slice(1)
    }
    if (this.#format.list && rest.startsWith(']') && this.#index >= 0) {
      this.#held = ''
      this.#place = 'content'
      return rest.slice(1)
    }
    if (rest.startsWith('{')) {
      this.#place = 'call'
      this.#scanner = new CallScanner()
      return rest
    }
    return this.#noCall(rest, parted)
  }

  #call(piece: string, parted: { text: string; calls: CallDelta[] }): string | undefined {
    const scanned = this.#scanner.push(piece)
    this.#held += piece.slice(0, piece.length - scanned.rest.length)
    const stranger = scanned.name !== undefined && !this.#names.has(scanned.name)
    if (!this.#open && (scanned.state === 'broken' || stranger)) return this.#noCall(scanned.rest, parted)
    if (scanned.name !== undefined) {
      this.#open = true
      parted.calls.push({ index: ++this.#index, id: this.#newId(), name: scanned.name, arguments: scanned.arguments })
    } else if (this.#open && scanned.arguments !== '')
      parted.calls.push({ index: this.#index, arguments: scanned.arguments })
    if (scanned.state === 'open') return undefined
    this.#open = false
    this.#finished++
    this.#held = ''
    this.#place = this.#format.close === '' ? 'before' : 'after'
    return scanned.rest
  }

  /** Between a call and its closing mark, or the next opening one. */
  #after(piece: string): string | undefined {
    const text = this.#held + piece
    const at = text.indexOf(this.#format.close)
    this.#held = at === -1 ? text : ''
    if (at === -1) return undefined
    this.#place = 'content'
    this.#gap = true
    return text.slice(at + this.#format.close.length)
  }

  #noCall(rest: string, parted: { text: string }): string {
    parted.text += this.#held
    this.#held = ''
    this.#place = 'content'
    return rest
  }
}

/** Length of the longest end of `text` that is the beginning of `mark`. */
function beginning(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--)
    if (text.endsWith(mark.slice(0, length))) return length
  return 0
}
