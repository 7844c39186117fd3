/**
 * `pattern` of a JSON Schema → GBNF of the characters between the quotes.
 *
 * Regular expressions without look-around, back references, lazy marks and word borders; anchored or not. A character
 * that JSON must escape (quote, backslash, control) is never written, though the pattern might match it.
 */

export type Made = { readonly rule: string } | { readonly wrong: string }

/** What a class or a dot that excludes things must exclude besides. */
const NEVER = '"\\\\\\x00-\\x1F\\x7F'
/** Code points from … to, both included. */
type Span = readonly [from: number, to: number]
const SHORTHANDS: Readonly<Record<string, readonly Span[]>> = {
  d: [[0x30, 0x39]],
  w: [
    [0x61, 0x7a],
    [0x41, 0x5a],
    [0x30, 0x39],
    [0x5f, 0x5f],
  ],
  s: [[0x20, 0x20]],
}
/** What a string of JSON holds only escaped. */
const ESCAPED: readonly Span[] = [
  [0x00, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x7f, 0x7f],
]
const LONGEST = 1000

export function patternRule(pattern: string): Made {
  if (pattern.length > LONGEST) return { wrong: `a pattern of more than ${LONGEST} characters is not supported` }
  try {
    new RegExp(pattern, 'u')
  } catch (error) {
    return { wrong: `the pattern is not a regular expression: ${(error as Error).message}`.slice(0, 200) }
  }
  try {
    return { rule: new Reader(pattern).whole() }
  } catch (error) {
    return { wrong: `this pattern is not supported: ${(error as Error).message}` }
  }
}

class Reader {
  readonly #text: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#text = [...text]
  }

  /** A pattern looks anywhere in a text unless it is anchored, branch by branch. */
  whole(): string {
    const rule = this.#branches(true)
    if (this.#at < this.#text.length) throw new Error('a ")" too many')
    return rule
  }

  #branches(top: boolean): string {
    const branches = [this.#branch(top)]
    while (this.#take('|')) branches.push(this.#branch(top))
    return branches.join(' | ')
  }

  #branch(top: boolean): string {
    const anything = `[^${NEVER}]*`
    const parts: string[] = []
    if (!this.#take('^') && top) parts.push(anything)
    let ended = false
    while (this.#at < this.#text.length && this.#peek() !== '|' && this.#peek() !== ')') {
      if (ended) throw new Error('"$" within it')
      if (this.#take('$')) ended = true
      else parts.push(this.#repeat(this.#atom()))
    }
    if (!top && ended) throw new Error('"$" within a group')
    if (top && !ended) parts.push(anything)
    return parts.length === 0 ? '""' : parts.join(' ')
  }

  #repeat(atom: string): string {
    const mark = this.#peek()
    if (mark === '*' || mark === '+' || mark === '?') {
      this.#at++
      return this.#greedy(`${atom}${mark}`)
    }
    const counted =
      mark === '{' ? /^\{\d+(,\d*)?\}/.exec(this.#text.slice(this.#at, this.#at + 20).join(''))?.[0] : undefined
    if (!counted) return atom
    this.#at += counted.length
    if (counted.match(/\d+/g)?.some((count) => Number(count) > LONGEST)) throw new Error('more than 1000 repetitions')
    return this.#greedy(`${atom}${counted}`)
  }

  #greedy(repeated: string): string {
    if (this.#peek() === '?' || this.#peek() === '+' || this.#peek() === '*') throw new Error('a mark on a mark')
    return repeated
  }

  #atom(): string {
    const one = this.#next()
    if (one === '(') return this.#group()
    if (one === '[') return this.#class()
    if (one === '.') return `[^${NEVER}]`
    if (one === '^') throw new Error('"^" within it')
    if (one !== '\\') return character(one)
    const escaped = this.#next()
    const shorthand = SHORTHANDS[escaped]
    if (shorthand) return `[${shorthand.map(span).join('')}]`
    const opposite = /[DWS]/.test(escaped) ? SHORTHANDS[escaped.toLowerCase()] : undefined
    if (opposite) return `[^${opposite.map(span).join('')}${NEVER}]`
    return character(this.#escaped(escaped))
  }

  #group(): string {
    if (this.#take('?') && !this.#take(':')) throw new Error('look-around and named groups')
    const inner = this.#branches(false)
    if (!this.#take(')')) throw new Error('a "(" without its ")"')
    return `( ${inner} )`
  }

  #class(): string {
    const negated = this.#take('^')
    const ranges: Span[] = []
    while (!this.#take(']')) ranges.push(...this.#classItem())
    if (ranges.length === 0) throw new Error('an empty class')
    if (negated) return `[^${ranges.map(span).join('')}${NEVER}]`
    const writable = without(ranges)
    if (writable.length === 0) throw new Error('a class of nothing but what JSON must escape')
    return `[${writable.map(span).join('')}]`
  }

  #classItem(): Span[] {
    const from = this.#classPoint()
    if (typeof from !== 'number') return [...from]
    if (this.#peek() !== '-' || this.#text[this.#at + 1] === ']') return [[from, from]]
    this.#at++
    const to = this.#classPoint()
    if (typeof to !== 'number') throw new Error('a range that ends in a class')
    return [[from, to]]
  }

  #classPoint(): number | readonly Span[] {
    const one = this.#next()
    if (one !== '\\') return one.codePointAt(0) ?? 0
    const escaped = this.#next()
    if (/[DWS]/.test(escaped)) throw new Error(`"\\${escaped}" in a class`)
    return SHORTHANDS[escaped] ?? this.#escaped(escaped).codePointAt(0) ?? 0
  }

  /** A character that was escaped because it means something else, or by its number. */
  #escaped(one: string): string {
    if (/[\\^$.*+?()[\]{}|/-]/.test(one)) return one
    if (one !== 'u' && one !== 'x') throw new Error(`"\\${one}"`)
    const digits = this.#text.slice(this.#at, this.#at + (one === 'u' ? 4 : 2)).join('')
    if (!/^[0-9a-fA-F]+$/.test(digits)) throw new Error(`"\\${one}${digits}"`)
    this.#at += digits.length
    return String.fromCodePoint(Number.parseInt(digits, 16))
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }

  #next(): string {
    const one = this.#text[this.#at++]
    if (one === undefined) throw new Error('it ends too early')
    return one
  }

  #take(one: string): boolean {
    if (this.#peek() !== one) return false
    this.#at++
    return true
  }
}

function character(one: string): string {
  const code = one.codePointAt(0) ?? 0
  if (without([[code, code]]).length === 0) throw new Error('a character that JSON must escape')
  return `[${point(code)}]`
}

/** The ranges less what JSON must escape. */
const without = (ranges: readonly Span[]): Span[] =>
  ESCAPED.reduce<Span[]>(
    (left, [from, to]) =>
      left.flatMap(([low, high]) => {
        if (to < low || from > high) return [[low, high] as Span]
        const parts: Span[] = []
        if (low < from) parts.push([low, from - 1])
        if (high > to) parts.push([to + 1, high])
        return parts
      }),
    [...ranges],
  )

const span = ([from, to]: Span): string => (from === to ? point(from) : `${point(from)}-${point(to)}`)

/** By its number: so none can mean something else in a GBNF class. */
const point = (code: number): string =>
  code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
