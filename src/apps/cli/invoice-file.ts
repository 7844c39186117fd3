import { readFileSync } from 'node:fs'
import { readCsv } from '../../adapters/files/csv.ts'
import { parseDecimal } from '../../units/amount.ts'
import { FieldError } from '../../units/field.ts'
import { told } from '../operator/yaml-file.ts'

const head = 'kind,name,quantity,usd'
const example = `the first line is ${head}; then lines such as engine,groq,1200345,1.25 (tokens) or energy,all,310.5,27.90 (kWh)`

/** More lines than this are no summary of a month: add them up by engine first. */
const mostLines = 1000
/** A bill is a text that a person could read. */
const mostBytes = 4 * 1024 * 1024

/** Somebody else's bill, from a CSV file: as the API takes it. */
export const invoiceFile = (file: string): object[] =>
  told(file, example, () => {
    const text = readFileSync(file, 'utf8')
    if (text.length > mostBytes) throw new FieldError(`it has more than ${mostBytes} bytes`)
    return invoiceLines(text)
  })

export function invoiceLines(text: string): object[] {
  const [names = [], ...rows] = readCsv(text.replace(/^\ufeff/, ''))
  if (names.map((name) => name.trim()).join(',') !== head)
    throw new FieldError(`line 1: the columns must be ${head}, and not ${names.join(',').slice(0, 60)}`)
  const full = rows
    .map((row, index) => ({ row: row.map((cell) => cell.trim()), line: index + 2 }))
    .filter(({ row }) => row.some(Boolean))
  if (full.length === 0) throw new FieldError('there is no line in it')
  if (full.length > mostLines) throw new FieldError(`it has more than ${mostLines} lines: add them up by engine first`)
  return full.map(({ row, line }) => lineOf(row, line))
}

function lineOf(row: readonly string[], line: number): object {
  const [kind = '', name = '', quantity = '', usd = ''] = row
  const wrong = (what: string): never => {
    throw new FieldError(`line ${line}: ${what}`)
  }
  if (row.length !== 4) wrong(`it has ${row.length} fields, and not four`)
  if (kind !== 'engine' && kind !== 'energy') wrong(`${kind.slice(0, 40) || 'nothing'} is no kind: engine or energy`)
  if (name === '') wrong('the name is missing')
  if (quantity === '' && usd === '') wrong('neither a quantity nor dollars are said')
  for (const [what, text] of [
    ['quantity', quantity],
    ['usd', usd],
  ] as const)
    if (text !== '' && parseDecimal(text, 9) === undefined)
      wrong(`${what} ${text.slice(0, 40)} is no number with a point and nine decimals at most`)
  return { kind, name, ...(quantity !== '' && { quantity }), ...(usd !== '' && { usd }) }
}
