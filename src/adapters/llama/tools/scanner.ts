/** One tool call as a model writes it, `{"name": …, "arguments": …}`, read while it is written. */

export interface Scanned {
  /** Told once, when it is known. */
  readonly name?: string
  /** Text of the arguments that has come since; never before the name. */
  readonly arguments: string
  readonly state: 'open' | 'done' | 'broken'
  /** What was pushed beyond the end of the call. */
  readonly rest: string
}

type Place = 'start' | 'between' | 'key' | 'colon' | 'value' | 'inside' | 'done' | 'broken'

const BLANK = /\s/

/** Characters in, the parts of the call out. The keys may come in any order, and others beside them. */
export class CallScanner {
  #place: Place = 'start'
  #key = ''
  /** The value that is being read, and how deep in it we are. */
  #value = ''
  #depth = 0
  #quoted = false
  #escaped = false
  #name: string | undefined
  #nameTold = false
  #told = 0
  #arguments = ''
  #hasArguments = false

  push(text: string): Scanned {
    const letters = [...text]
    let at = 0
    while (at < letters.length && this.#place !== 'done' && this.#place !== 'broken')
      if (this.#take(letters[at] ?? '')) at++
    return this.#tell(letters.slice(at).join(''))
  }

  #tell(rest: string): Scanned {
    const { done, broken } = { done: this.#place === 'done', broken: this.#place === 'broken' }
    if (done && !this.#hasArguments) this.#arguments = '{}'
    const state = broken || (done && this.#name === undefined) ? 'broken' : done ? 'done' : 'open'
    if (state === 'broken' || this.#name === undefined) return { arguments: '', state, rest }
    const name = this.#nameTold ? {} : { name: this.#name }
    this.#nameTold = true
    const fresh = this.#arguments.slice(this.#told)
    this.#told = this.#arguments.length
    return { ...name, arguments: fresh, state, rest }
  }

  /** False when the character belongs to what comes next. */
  #take(one: string): boolean {
    switch (this.#place) {
      case 'start':
        if (one === '{') this.#place = 'between'
        else if (!BLANK.test(one)) this.#place = 'broken'
        return true
      case 'between':
        if (one === '}') this.#place = 'done'
        else if (one === '"') this.#begin('key', one)
        else if (!BLANK.test(one) && one !== ',') this.#place = 'broken'
        return true
      case 'key':
        this.#value += one
        if (this.#closes(one)) this.#keyEnds()
        return true
      case 'colon':
        if (one === ':') this.#place = 'value'
        else if (!BLANK.test(one)) this.#place = 'broken'
        return true
      case 'value':
        if (BLANK.test(one)) return true
        this.#begin('inside', '')
        return false
      default:
        return this.#inside(one)
    }
  }

  #begin(place: Place, first: string): void {
    this.#place = place
    this.#value = first
    this.#depth = 0
    this.#quoted = place === 'key'
    this.#escaped = false
  }

  #keyEnds(): void {
    const key = parsed(this.#value)
    this.#key = typeof key === 'string' ? key : ''
    this.#place = 'colon'
  }

  /** Within a value; its end is where its brackets and quotes are closed. */
  #inside(one: string): boolean {
    if (!this.#quoted && this.#depth === 0 && this.#value !== '' && /[,}\s]/.test(one)) {
      this.#valueEnds()
      return false
    }
    this.#value += one
    if (this.#quoted) this.#closes(one)
    else if (one === '"') this.#quoted = true
    else if (one === '{' || one === '[') this.#depth++
    else if (one === '}' || one === ']') this.#depth--
    if (this.#depth < 0) this.#place = 'broken'
    // An object's text goes out as it comes; a string's only whole, since what counts is what it says.
    if (this.#isArguments && this.#value.startsWith('{')) this.#arguments = this.#value
    if (this.#depth === 0 && !this.#quoted && /[}\]"]/.test(one)) this.#valueEnds()
    return true
  }

  get #isArguments(): boolean {
    return this.#key === 'arguments' || this.#key === 'parameters'
  }

  /** Follows escapes; true at the quote that ends the string. */
  #closes(one: string): boolean {
    if (this.#escaped) this.#escaped = false
    else if (one === '\\') this.#escaped = true
    else if (one === '"') {
      this.#quoted = false
      return true
    }
    return false
  }

  #valueEnds(): void {
    this.#place = 'between'
    const value = parsed(this.#value)
    if (this.#key === 'name' && typeof value === 'string') this.#name = value
    if (!this.#isArguments) return
    this.#hasArguments = true
    // Some models write the arguments as a string of JSON, as the API does.
    this.#arguments = typeof value === 'string' ? value : value === null ? '{}' : this.#value
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
