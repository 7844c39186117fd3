import { isObject } from './json.ts'

/** A value in a file that cannot be: where, and what would do. */
export class FieldError extends Error {
  override readonly name: string = 'FieldError'
  /** Names and numbers that lead to the place. */
  readonly path: readonly (string | number)[]

  constructor(message: string, path: readonly (string | number)[] = []) {
    super(message)
    this.path = path
  }
}

interface Range {
  readonly from: number
  readonly to: number
  /** What it is when it is not said; without it, it must be. */
  readonly usually?: number
}

/** One group of a file: its entries are taken by name, each once checked, and none may be left over. */
export class Field {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #path: readonly (string | number)[]
  readonly #known = new Set<string>()

  constructor(value: unknown, path: readonly (string | number)[] = [], whole = 'the file') {
    this.#path = path
    if (value !== undefined && !isObject(value))
      throw new FieldError(`${placeOf(path) || whole} is no group of names and values`, path)
    this.#values = value ?? {}
  }

  has(name: string): boolean {
    return this.any(name) !== undefined
  }

  any(name: string): unknown {
    this.#known.add(name)
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined
  }

  text(name: string, usually?: string): string {
    const value = this.any(name) ?? usually
    if (typeof value === 'string' && value !== '') return value
    return this.fail(name, value === undefined ? 'is missing' : 'is no text')
  }

  number(name: string, { from, to, usually }: Range): number {
    const value = this.any(name) ?? usually
    if (typeof value === 'number' && value >= from && value <= to) return value
    return this.fail(
      name,
      value === undefined ? 'is missing' : `is ${told(value)}: a number from ${from} to ${to} is needed`,
    )
  }

  whole(name: string, range: Range): number {
    const value = this.number(name, range)
    return Number.isInteger(value) ? value : this.fail(name, `is ${value}: a whole number is needed`)
  }

  numbers(name: string, { from, to }: Range): number[] {
    const value = this.any(name)
    const isFit = (one: unknown): one is number => typeof one === 'number' && one >= from && one <= to
    if (Array.isArray(value) && value.length > 0 && value.every(isFit)) return value
    return this.fail(name, `is ${told(value)}: a list of numbers from ${from} to ${to} is needed`)
  }

  texts(name: string): string[] {
    const value = this.any(name)
    const isText = (one: unknown): one is string => typeof one === 'string' && one !== ''
    if (Array.isArray(value) && value.length > 0 && value.every(isText)) return value
    return this.fail(name, `is ${told(value)}: a list of names is needed`)
  }

  flag(name: string, usually: boolean): boolean {
    const value = this.any(name) ?? usually
    return typeof value === 'boolean' ? value : this.fail(name, `is ${told(value)}: true or false is needed`)
  }

  oneOf<Word extends string>(name: string, words: readonly Word[], usually?: Word): Word {
    const value = this.any(name) ?? usually
    const word = words.find((one) => one === value)
    if (word !== undefined) return word
    return this.fail(name, `${value === undefined ? 'is missing' : `is ${told(value)}`}: one of ${words.join(', ')}`)
  }

  /** A moment, as YAML or ISO 8601 text has it, in ms since 1970. */
  moment(name: string, usually: number): number {
    const value = this.any(name)
    if (value === undefined) return usually
    const at_ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN
    return Number.isFinite(at_ms) ? at_ms : this.fail(name, `is ${told(value)}: a moment such as 2026-03-02T08:00:00Z`)
  }

  group(name: string): Field {
    return new Field(this.any(name) ?? undefined, [...this.#path, name])
  }

  list(name: string): Field[] {
    const value = this.any(name)
    if (!Array.isArray(value) || value.length === 0) return this.fail(name, 'must be a list with at least one entry')
    return value.map((one, at) => new Field(one ?? 0, [...this.#path, name, at]))
  }

  /** Nothing is left that nobody asked for: a slip of the pen is told, not passed over. */
  done(): void {
    const stray = Object.keys(this.#values).find((name) => !this.#known.has(name))
    if (stray !== undefined) this.fail(stray, `is not known here; known are ${[...this.#known].sort().join(', ')}`)
  }

  fail(name: string, why: string): never {
    const path = [...this.#path, name]
    throw new FieldError(`${placeOf(path)} ${why}`, path)
  }
}

/** `pools[0].engine.kind` */
const placeOf = (path: readonly (string | number)[]): string =>
  path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('')

const told = (value: unknown): string => JSON.stringify(value) ?? String(value)
