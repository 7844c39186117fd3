import { readFileSync } from 'node:fs'
import { formatDecimal } from '../../units/amount.ts'
import { Field, FieldError } from '../../units/field.ts'
import { told, yamlFile } from './yaml-file.ts'

const example = 'a tariff of two prices: {value: "0.08", rules: [{hours: [22, 6], value: "0.04"}]}'

/** Values by time, from a file: the same fields that the API takes. */
export const costCurve = (file: string): object =>
  /\.csv$/i.test(file)
    ? told(file, example, () => csvCurve(readFileSync(file, 'utf8')))
    : yamlFile(file, curve, example)

function curve(value: unknown): object {
  const field = new Field(value)
  const number = (of: Field, name: string): string => String(of.any(name) ?? of.fail(name, 'is missing'))
  const whole = (of: Field, name: string, from: number, to: number) =>
    of.has(name) ? { [name]: of.numbers(name, { from, to }) } : {}
  const read = {
    value: number(field, 'value'),
    ...(field.has('offset_min') && { offset_min: field.whole('offset_min', { from: -840, to: 840 }) }),
    ...(field.has('rules') && {
      rules: field.list('rules').map((rule) => {
        const made = {
          ...whole(rule, 'months', 1, 12),
          ...whole(rule, 'weekdays', 0, 6),
          ...whole(rule, 'hours', 0, 24),
          value: number(rule, 'value'),
        }
        rule.done()
        return made
      }),
    }),
  }
  field.done()
  return read
}

/** A head `at,value`, then a moment and a number a line, without a gap. Before the first and after the last hour the first value holds. */
function csvCurve(text: string): object {
  const [head = '', ...lines] = text.trim().split(/\r?\n/)
  if (head.trim() !== 'at,value')
    throw new FieldError(`line 1: the columns must be at,value, and not ${head.slice(0, 60)}`)
  const points = lines.map((line, index) => {
    const [at = '', value = '', ...more] = line.split(',').map((cell) => cell.trim())
    if (more.length > 0 || at === '' || !/^\d+(\.\d+)?$/.test(value))
      throw new FieldError(
        `line ${index + 2}: ${line.slice(0, 60)} is no moment and a number, such as 2027-01-31T13:00:00Z,0.08`,
      )
    return { at, value }
  })
  withoutGaps(points.map(({ at }) => at))
  const [first] = points
  if (!first) throw new FieldError('there are no values')
  return { value: first.value, points }
}

/** A value holds for an hour at most: what comes later than that would be of no value that anybody gave. */
function withoutGaps(moments: readonly string[]): void {
  const at = moments.map((text) =>
    Date.parse(/T.*(Z|[+-]\d{2}:\d{2})$/.test(text) || !/T/.test(text) ? text : `${text}Z`),
  )
  for (const [index, now] of at.entries()) {
    const line = `line ${index + 2}: ${moments[index]}`
    const before = at[index - 1]
    if (Number.isNaN(now)) throw new FieldError(`${line} is no moment such as 2027-01-31T13:00:00Z`)
    if (before === undefined) continue
    if (now <= before) throw new FieldError(`${line} is not later than the line before`)
    const hours = (now - before) / 3_600_000
    if (hours > 1)
      throw new FieldError(
        `${line} is ${Math.round(hours * 10) / 10} hours after the line before: no value is given for each hour`,
      )
  }
}

/** What a training drew, from its card: joules to kWh as decimal text. */
export const cardKwh = (file: string): string =>
  told(file, 'the card.json that `wattmill models train` writes', () => {
    const card = JSON.parse(readFileSync(file, 'utf8')) as { training?: { joules?: { value?: unknown } } } | null
    const joules = card?.training?.joules?.value
    if (typeof joules !== 'number' || !Number.isSafeInteger(joules) || joules < 0)
      throw new FieldError('it has no training.joules.value, a whole number of joules')
    return formatDecimal((BigInt(joules) * 10n ** 6n) / 3_600_000n, 6)
  })
