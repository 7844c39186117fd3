import { readFileSync } from 'node:fs'
import { readCsv } from '../../adapters/files/csv.ts'
import { parseRate } from '../../books/exchange/rate.ts'
import { FieldError } from '../../units/field.ts'
import { told } from '../operator/yaml-file.ts'

const head = 'day,rate'
const example = `the first line is ${head}; then lines such as 2027-01-31,0.9234, of the currency for a dollar`

/** Rates by day from a CSV file, as the API takes them. */
export const rateFile = (file: string): object[] => told(file, example, () => rateLines(readFileSync(file, 'utf8')))

export function rateLines(text: string): object[] {
  const [names = [], ...rows] = readCsv(text.replace(/^\ufeff/, ''))
  if (names.map((name) => name.trim()).join(',') !== head)
    throw new FieldError(`line 1: the columns must be ${head}, and not ${names.join(',').slice(0, 60)}`)
  const full = rows
    .map((row, index) => ({ row: row.map((cell) => cell.trim()), line: index + 2 }))
    .filter(({ row }) => row.some(Boolean))
  if (full.length === 0) throw new FieldError('there is no rate in it')
  const lines = new Map<string, number>()
  return full.map(({ row, line }) => {
    const [day = '', rate = '', ...more] = row
    if (more.length > 0 || !/^\d{4}-\d{2}-\d{2}$/.test(day) || parseRate(rate) === undefined)
      throw new FieldError(`line ${line}: ${row.join(',').slice(0, 60)} is no day and rate, such as 2027-01-31,0.9234`)
    const before = lines.get(day)
    if (before !== undefined) throw new FieldError(`line ${line}: ${day} stands in line ${before} already`)
    lines.set(day, line)
    return { day, rate }
  })
}
