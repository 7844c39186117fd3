/** What comes out of a form as its bytes come in. */
export type FormEvent =
  | { readonly kind: 'part'; readonly name: string; readonly filename: string | undefined }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }

/** A form that is none, or one beyond its bounds: said for people. */
export class FormError extends Error {
  override readonly name = 'FormError'
}

/** Name, file name and type of a part fit many times over. */
const mostHeaderBytes = 8 * 1024
/** A file and its few fields. */
const mostParts = 32

/** The boundary in `multipart/form-data; boundary=…`; undefined: another type, or a boundary that is none (RFC 2046: 1 to 70). */
export function boundaryIn(contentType: string | undefined): string | undefined {
  if (!/^multipart\/form-data\s*;/i.test(contentType ?? '')) return undefined
  const found = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70})(?=[\s;]|$))/i.exec(contentType ?? '')
  return found?.[1] ?? found?.[2]
}

/**
 * A form in multipart/form-data (RFC 7578), fed as it comes, however it is cut: the parts' bytes are handed on at once, and
 * never more than a boundary's length and one part's headers are held.
 */
export class MultipartForm {
  readonly #delimiter: Buffer
  #rest: Buffer = Buffer.from('\r\n') // the first boundary may stand at the very start
  #state: 'preamble' | 'boundary' | 'headers' | 'body' | 'over' = 'preamble'
  #parts = 0

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
  }

  /** The closing boundary has come. */
  get isWhole(): boolean {
    return this.#state === 'over'
  }

  feed(bytes: Uint8Array): FormEvent[] {
    if (this.#state === 'over') return []
    this.#rest = Buffer.concat([this.#rest, bytes])
    const events: FormEvent[] = []
    while (this.#step(events));
    return events
  }

  /** False: more bytes must come first. */
  #step(events: FormEvent[]): boolean {
    switch (this.#state) {
      case 'preamble':
        return this.#toDelimiter(
          () => undefined,
          () => undefined,
        )
      case 'boundary':
        return this.#boundary()
      case 'headers':
        return this.#headers(events)
      case 'body':
        return this.#toDelimiter(
          (bytes) => void (bytes.length > 0 && events.push({ kind: 'data', bytes })),
          () => void events.push({ kind: 'end' }),
        )
      case 'over':
        return false
    }
  }

  #toDelimiter(passed: (bytes: Buffer) => void, found: () => void): boolean {
    const at = this.#rest.indexOf(this.#delimiter)
    if (at >= 0) {
      passed(this.#rest.subarray(0, at))
      found()
      this.#rest = this.#rest.subarray(at + this.#delimiter.length)
      this.#state = 'boundary'
      return true
    }
    const sure = this.#rest.length - this.#delimiter.length + 1 // the rest may be the beginning of a boundary
    if (sure <= 0) return false
    passed(this.#rest.subarray(0, sure))
    this.#rest = this.#rest.subarray(sure)
    return false
  }

  #boundary(): boolean {
    if (this.#rest.length < 2) return false
    const two = this.#rest.toString('latin1', 0, 2)
    if (two === '--') {
      this.#state = 'over'
      this.#rest = Buffer.alloc(0)
      return false
    }
    if (two !== '\r\n') throw new FormError('a boundary is followed by something else than a line break')
    if (++this.#parts > mostParts) throw new FormError(`the form has more than ${mostParts} parts`)
    this.#state = 'headers' // the line break stays: headers may be none
    return true
  }

  #headers(events: FormEvent[]): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end > mostHeaderBytes || (end < 0 && this.#rest.length > mostHeaderBytes))
      throw new FormError(`the headers of a part are longer than ${mostHeaderBytes} bytes`)
    if (end < 0) return false
    events.push({ kind: 'part', ...disposition(this.#rest.toString('utf8', 0, end)) })
    this.#rest = this.#rest.subarray(end + 4)
    this.#state = 'body'
    return true
  }
}

function disposition(headers: string): { name: string; filename: string | undefined } {
  const line = headers.split('\r\n').find((one) => /^content-disposition:\s*form-data\b/i.test(one))
  const name = line && valueIn(line, 'name')
  if (name === undefined) throw new FormError('a part has no `content-disposition: form-data; name="…"`')
  return { name, filename: valueIn(line ?? '', 'filename') }
}

/** Quotes and line breaks in it are written as %22, %0D and %0A (RFC 7578, and the HTML standard). */
function valueIn(line: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(line)?.[1]
  return found?.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n')
}
