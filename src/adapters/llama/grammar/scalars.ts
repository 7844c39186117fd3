/** Strings and numbers of a JSON Schema as GBNF. */
import { MOST_REPEATS, repeated } from './gbnf.ts'
import { type Path, type Schema, SchemaError } from './keywords.ts'
import { integersBetween, numbersBetween, type Range } from './numbers.ts'
import { patternRule } from './pattern.ts'

const MONTH_DAYS =
  '( ( "0" [13578] | "1" [02] ) "-" ( "0" [1-9] | [12] [0-9] | "3" [01] ) | ( "0" [469] | "11" ) "-" ( "0" [1-9] | [12] [0-9] | "30" ) | "02-" ( "0" [1-9] | "1" [0-9] | "2" [0-8] ) )'
/** Years that 4 divides and 100 does not; 2000 is lost, as its like would be wrong three times in four. */
const LEAP_DAY = '[0-9] [0-9] ( "0" [48] | [2468] [048] | [13579] [26] ) "-02-29"'
const DAY = `( [0-9]{4} "-" ${MONTH_DAYS} | ${LEAP_DAY} )`
const HOUR = '( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9]'
const TIME = `${HOUR} ":" [0-5] [0-9] ( "." [0-9]{1,9} )? ( "Z" | [+-] ${HOUR} )`
const HEX = '[0-9a-fA-F]'
const OCTET = '( [0-9] | [1-9] [0-9] | "1" [0-9] [0-9] | "2" [0-4] [0-9] | "25" [0-5] )'
const LABEL = '[a-zA-Z0-9]{1,40}'

/** Formats that a grammar can hold to. */
const FORMATS: Readonly<Record<string, string>> = {
  date: DAY,
  time: TIME,
  'date-time': `${DAY} "T" ${TIME}`,
  uuid: `${HEX}{8} "-" ${HEX}{4} "-" [1-8] ${HEX}{3} "-" [89abAB] ${HEX}{3} "-" ${HEX}{12}`,
  ipv4: `${OCTET} "." ${OCTET} "." ${OCTET} "." ${OCTET}`,
  email: `[a-zA-Z0-9_%+-]{1,60} ( "." [a-zA-Z0-9_%+-]{1,60} )* "@" ${LABEL} ( "-" ${LABEL} )* ( "." ${LABEL} ( "-" ${LABEL} )* )+`,
}

export function stringRule(schema: Schema, path: Path): string {
  const { pattern, format } = schema
  const sized = schema.minLength !== undefined || schema.maxLength !== undefined
  if (pattern !== undefined) {
    if (sized || format !== undefined)
      throw new SchemaError([...path, 'pattern'], '"pattern" beside a length or a format is not supported')
    const made = typeof pattern === 'string' ? patternRule(pattern) : { wrong: '"pattern" must be a string' }
    if ('wrong' in made) throw new SchemaError([...path, 'pattern'], made.wrong)
    return `"\\"" ( ${made.rule} ) "\\""`
  }
  if (format !== undefined) {
    const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
    if (known && !sized) return `"\\"" ${known} "\\""`
    const beside = known ? ' beside a length' : ''
    throw new SchemaError([...path, 'format'], `the format ${JSON.stringify(format)}${beside} is not supported`)
  }
  const [least, most] = sizes(schema, 'minLength', 'maxLength', path)
  return sized ? `"\\"" ${repeated('char', least, most)} "\\""` : 'string'
}

export function numberRule(kind: 'number' | 'integer', schema: Schema, path: Path): string {
  const bound = (name: string): number | undefined => {
    const value = schema[name]
    if (value !== undefined && typeof value !== 'number')
      throw new SchemaError([...path, name], `"${name}" must be a number`)
    return value
  }
  const range: Range = {
    min: bound('minimum'),
    max: bound('maximum'),
    above: bound('exclusiveMinimum'),
    below: bound('exclusiveMaximum'),
  }
  if (Object.values(range).every((one) => one === undefined)) return kind
  const made = kind === 'integer' ? integersBetween(range) : numbersBetween(range)
  if (typeof made === 'string') return made
  const name = Object.keys(schema).find((one) => /m(in|ax)imum$/i.test(one)) ?? ''
  throw new SchemaError([...path, name], made.wrong)
}

/** Two bounds of a length or a count. */
export function sizes(
  schema: Schema,
  from: string,
  to: string,
  path: Path,
): readonly [least: number, most: number | undefined] {
  const bound = (name: string): number | undefined => {
    const value = schema[name]
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw new SchemaError([...path, name], `"${name}" must be a whole number`)
    if (value > MOST_REPEATS) throw new SchemaError([...path, name], `"${name}" above ${MOST_REPEATS} is not supported`)
    return value
  }
  const [least, most] = [bound(from) ?? 0, bound(to)]
  if (most !== undefined && most < least) throw new SchemaError([...path, to], `"${to}" is less than "${from}"`)
  return [least, most]
}
