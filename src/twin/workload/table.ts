import { countIn, WorkloadError } from './lines.ts'
import { objectIn, type Traced } from './mooncake.ts'
import { unique } from './prompt.ts'

/** Which column, or field, says what. */
export interface Columns {
  readonly time: string
  /** How the time is written. */
  readonly timeIn: 's' | 'ms' | 'timestamp'
  readonly prompt: string
  readonly answer: string
}

/** The Azure LLM inference traces (Splitwise, ISCA'24). */
export const azureColumns: Columns = {
  time: 'TIMESTAMP',
  timeIn: 'timestamp',
  prompt: 'ContextTokens',
  answer: 'GeneratedTokens',
}

export const usualColumns: Columns = {
  time: 'timestamp_s',
  timeIn: 's',
  prompt: 'input_tokens',
  answer: 'output_tokens',
}

/** Requests in a CSV with a head line, one a line; quotes are taken off, and no field may hold a comma. Nothing is known of beginnings. */
export function* csvTrace(lines: Iterable<string>, columns: Columns): Generator<Traced> {
  let number = 0
  let head: readonly string[] | undefined
  const clock = new Clock(columns.timeIn)
  for (const text of lines) {
    number++
    if (text.trim() === '') continue
    const cells = text.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    if (!head) {
      head = cells
      continue
    }
    const names = head
    if (cells.length !== names.length)
      throw new WorkloadError(number, `has ${cells.length} columns, the head has ${names.length}`)
    yield request((name) => cells[names.indexOf(name)], columns, clock, number)
  }
}

/** Requests in JSON, an object a line. */
export function* jsonTrace(lines: Iterable<string>, columns: Columns): Generator<Traced> {
  let number = 0
  const clock = new Clock(columns.timeIn)
  for (const text of lines) {
    number++
    if (text.trim() === '') continue
    const row = objectIn(text, number)
    yield request((name) => row[name], columns, clock, number)
  }
}

function request(field: (name: string) => unknown, columns: Columns, clock: Clock, line: number): Traced {
  const time = field(columns.time)
  if (time === undefined) throw new WorkloadError(line, `there is no column ${columns.time}`)
  return {
    at_ns: clock.read(time, columns.time, line),
    prompt: unique(countIn(field(columns.prompt), columns.prompt, line, 1)),
    // A trace may hold requests that ended before a token: the least that an engine makes is one.
    answer: Math.max(1, countIn(field(columns.answer), columns.answer, line)),
  }
}

/** Times of a trace, counted from its first. */
class Clock {
  readonly #unit: Columns['timeIn']
  #start: number | undefined
  #day = ''
  #day_ns = 0

  constructor(unit: Columns['timeIn']) {
    this.#unit = unit
  }

  read(value: unknown, column: string, line: number): number {
    const at_ns =
      this.#unit === 'timestamp' ? this.#stamp(String(value)) : Number(value) * (this.#unit === 's' ? 1e9 : 1e6)
    if (!Number.isFinite(at_ns)) throw new WorkloadError(line, `${column} is ${JSON.stringify(value)}: no time`)
    this.#start ??= at_ns
    return Math.max(0, Math.round(at_ns - this.#start))
  }

  /** `2023-11-16 18:17:03.9799600`, in UTC. Days are counted from the first, so that fractions of a second stay exact. */
  #stamp(text: string): number {
    const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)Z?$/.exec(text)
    if (!parts) return Number.NaN
    const [, day = '', hours, minutes, seconds] = parts
    if (this.#day === '') {
      this.#day = day
      this.#day_ns = Date.parse(`${day}T00:00:00Z`) * 1e6
    }
    const since = Date.parse(`${day}T00:00:00Z`) * 1e6 - this.#day_ns
    return since + Number(hours) * 3_600e9 + Number(minutes) * 60e9 + Math.round(Number(seconds) * 1e9)
  }
}
