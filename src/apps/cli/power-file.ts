import { readFileSync, statSync } from 'node:fs'
import type { PowerReading, Span } from '../../plant/energy/power-window.ts'
import { parseDecimal } from '../../units/amount.ts'
import { FieldError } from '../../units/field.ts'
import { told } from '../operator/yaml-file.ts'

/** Some five million readings: two months at one a second. */
const most_bytes = 256 * 1024 * 1024

/** Which columns of a file of power say what. */
export interface PowerColumns {
  readonly time: string
  readonly power: string
  /** How many microwatts its unit has. */
  readonly powerPlaces: number
  /** Column and value that a line must have. */
  readonly where: readonly (readonly [string, string])[]
}

const example = 'such as t_s,watts with 12.5,2884.0 below it: wattmill meters integrate FILE --time t_s --power watts'

/** Readings of a CSV file: a head with the names of its columns, then a line a reading, in order of time. */
export const powerFile = (file: string, columns: PowerColumns): PowerReading[] =>
  told(file, example, () => {
    const { size } = statSync(file)
    if (size > most_bytes) throw new FieldError(`it has ${size} bytes; ${most_bytes} are the most`)
    return readingsIn(readFileSync(file, 'utf8'), columns)
  })

function readingsIn(text: string, { time, power, powerPlaces, where }: PowerColumns): PowerReading[] {
  const [head = '', ...lines] = text.split(/\r?\n/)
  const names = cells(head)
  const column = (name: string): number => {
    const at = names.indexOf(name)
    if (at < 0) throw new FieldError(`line 1: there is no column ${name} among ${names.join(', ').slice(0, 200)}`)
    return at
  }
  const [timeAt, powerAt] = [column(time), column(power)]
  const wanted = where.map(([name, value]) => [column(name), value] as const)
  const readings: PowerReading[] = []
  for (const [index, line] of lines.entries()) {
    const row = cells(line)
    if (line.trim() === '' || wanted.some(([at, value]) => row[at] !== value)) continue
    const at_us = momentUs(row[timeAt] ?? '')
    const power_uw = parseDecimal(row[powerAt] ?? '', powerPlaces)
    const wrong = (why: string): FieldError => new FieldError(`line ${index + 2}: ${why}`)
    if (at_us === undefined) throw wrong(`${JSON.stringify(row[timeAt] ?? '')} is no number of seconds and no date`)
    if (power_uw === undefined || power_uw < 0n)
      throw wrong(`${JSON.stringify(row[powerAt] ?? '')} is no power: decimal, not below 0, to the microwatt`)
    const last = readings.at(-1)
    if (last && at_us <= last.at_us)
      throw wrong('its time is not after that of the reading before; --where COLUMN=VALUE takes one run of several')
    readings.push({ at_us, power_uw })
  }
  return readings
}

const cells = (line: string): string[] =>
  line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, (_, inside: string) => inside))

/** Seconds as a decimal to the microsecond, or a date such as 2027-01-31T13:00:00Z. */
export function momentUs(text: string): bigint | undefined {
  const seconds = parseDecimal(text, 6)
  if (seconds !== undefined) return seconds
  const at_ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at_ms) ? undefined : BigInt(at_ms) * 1000n
}

/** From the first reading to the last, where nothing else was said. */
export function windowOf(readings: readonly PowerReading[], from?: bigint, to?: bigint): Span {
  const [from_us, to_us] = [from ?? readings[0]?.at_us ?? 0n, to ?? readings.at(-1)?.at_us ?? 0n]
  return { from_us, to_us }
}
