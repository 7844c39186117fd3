/** What people say of a cost → its terms, exactly. */
import Type from 'typebox'
import { perHourOf } from '../../books/capacity.ts'
import type { CostDeclaration, CostKind, CostTerms, MakingKind, SeriesKind } from '../../books/cost.ts'
import { allMeters, makingKinds, overheadKinds, seriesKinds } from '../../books/cost.ts'
import { hour_ms, hourOf } from '../../books/cost-hour.ts'
import { billingMonth, demandIntervals_min, demandRules } from '../../books/demand.ts'
import { priceList } from '../../books/price.ts'
import { joined } from '../../books/tally.ts'
import { formatDecimal, nanoDollars, type Price, parseDecimal, parsePrice } from '../../units/amount.ts'
import { ControlError } from './errors.ts'
import { dateMs } from './when.ts'

export const costKinds = [
  'capacity',
  'list',
  'demand',
  ...makingKinds,
  ...overheadKinds,
  ...seriesKinds,
] as const satisfies readonly CostKind[]

/** Decimals of each series, so that a value is exact: USD/kWh, a ratio, gCO2e/kWh. */
const places = { tariff: 9, pue: 6, carbon: 6 } as const
export const unitOf = { tariff: 'USD/kWh', pue: '1', carbon: 'gCO2e/kWh' } as const

/** A year of five-minute values is some 105,000; more is a file that belongs into pieces. */
const mostPoints = 120_000

const decimal = Type.String({
  maxLength: 40,
  pattern: '^\\d+(\\.\\d+)?$',
  description: 'a decimal number such as 0.08',
})
const small = (minimum: number, maximum: number) =>
  Type.Optional(Type.Array(Type.Integer({ minimum, maximum }), { minItems: 1, maxItems: 24 }))

export const costInput = {
  kind: Type.Enum([...costKinds], { description: costKinds.join(', ') }),
  name: Type.Optional(
    Type.String({ maxLength: 100, description: 'an engine, a meter (else all of them), or a name of its own' }),
  ),
  model: Type.Optional(Type.String({ maxLength: 100, description: 'of a list price: the public name of the model' })),
  per_hour: Type.Optional(decimal),
  per_month: Type.Optional(decimal),
  per_year: Type.Optional(decimal),
  capex_usd: Type.Optional(Type.Number({ minimum: 0, maximum: 1e12, description: 'what was paid, in dollars' })),
  salvage_usd: Type.Optional(Type.Number({ minimum: 0, maximum: 1e12, description: 'what is left of it at the end' })),
  years: Type.Optional(Type.Number({ minimum: 0.1, maximum: 50, description: 'how long it is used' })),
  rate: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'cost of capital a year; 0: straight line' })),
  value: Type.Optional(decimal),
  rules: Type.Optional(
    Type.Array(
      Type.Object({
        months: small(1, 12),
        weekdays: small(0, 6),
        hours: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 24 }), { minItems: 2, maxItems: 2 })),
        value: decimal,
      }),
      { maxItems: 500 },
    ),
  ),
  points: Type.Optional(
    Type.Array(Type.Object({ at: Type.String({ maxLength: 40 }), value: decimal }), { maxItems: mostPoints }),
  ),
  offset_min: Type.Optional(Type.Integer({ minimum: -840, maximum: 840, description: 'minutes east of UTC' })),
  per_kw: Type.Optional(decimal),
  interval_min: Type.Optional(
    Type.Union(
      demandIntervals_min.map((minutes) => Type.Literal(minutes)),
      { description: 'of a demand charge: minutes over which power is averaged; else 15' },
    ),
  ),
  borne: Type.Optional(
    Type.Enum([...demandRules], {
      description:
        'of a demand charge: by every hour of the month the same (even), or by those that raised its peak (peak)',
    }),
  ),
  job: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'which training, evaluation or work on data of the model; else the first',
    }),
  ),
  usd: Type.Optional(decimal),
  kwh: Type.Optional(decimal),
  usd_per_kwh: Type.Optional(decimal),
  over_months: Type.Optional(Type.Integer({ minimum: 1, maximum: 600, description: 'of a job: months of 730 hours' })),
  over_tokens: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1e15, description: 'of a job: tokens that the model is to serve' }),
  ),
  measured_by: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'of a pue: the facility’s meter that measures it; `value` is for hours in which that is not known',
    }),
  ),
  input: Type.Optional(decimal),
  output: Type.Optional(decimal),
  cache_read: Type.Optional(decimal),
  cache_write: Type.Optional(decimal),
  reasoning: Type.Optional(decimal),
  from: Type.Optional(
    Type.String({ description: 'a date such as 2027-01-31; else now; earlier is a correction; energy: on the hour' }),
  ),
  note: Type.Optional(Type.String({ maxLength: 500 })),
}

export type CostAsked = Type.Static<Type.TObject<typeof costInput>>

const { from: _from, ...stated } = costInput

/** A cost as a file states it: it holds from when it is put into force. */
export const stateInput = {
  ...stated,
  at: Type.Optional(Type.String({ maxLength: 500, description: 'where it stands, such as wattmill.yaml:12' })),
}

export function declarationOf(asked: CostAsked, now_ms: number): Omit<CostDeclaration, 'version' | 'declared_ms'> {
  const { kind, from, note } = asked
  return {
    kind,
    name: nameOf(asked),
    from_ms: kind === 'demand' ? monthOf(asked, now_ms) : beginOf(kind, from, now_ms),
    terms: termsOf(asked),
    note: note ?? '',
  }
}

/** Energy is priced by the hour: what is said now of a tariff holds for the hour under way, which is not posted yet. */
function beginOf(kind: CostKind, from: string | undefined, now_ms: number): number {
  const at_ms = from === undefined ? now_ms : dateMs(from, 'from')
  const hourly = isSeries(kind) || isMaking(kind)
  if (!hourly || at_ms % hour_ms === 0) return at_ms
  if (from === undefined) return hourOf(at_ms) * hour_ms
  throw new ControlError('invalid_value', `a ${kind} begins on the hour (UTC), such as 2027-01-31T13:00:00Z`, {
    param: 'from',
  })
}

/** A peak is a month's: what is said now holds for the month under way. */
function monthOf({ from, offset_min }: CostAsked, now_ms: number): number {
  const at_ms = from === undefined ? now_ms : dateMs(from, 'from')
  const begin_ms = billingMonth(at_ms, offset_min ?? 0).from * hour_ms
  if (from === undefined || at_ms === begin_ms) return begin_ms
  throw new ControlError('invalid_value', 'a demand charge begins with a month, such as 2027-02-01', {
    param: 'from',
    next: `Its month began ${new Date(begin_ms).toISOString()}; with an offset, say that moment in UTC`,
  })
}

const isSeries = (kind: CostKind): kind is SeriesKind => (seriesKinds as readonly string[]).includes(kind)
const isMaking = (kind: CostKind): kind is MakingKind => (makingKinds as readonly string[]).includes(kind)

function nameOf({ kind, name, model, job }: CostAsked): string {
  if (isSeries(kind) || kind === 'demand') return name ?? allMeters
  if (isMaking(kind)) return joined(needed('name', name), job ?? 'first')
  if (kind === 'list') return joined(needed('name', name), needed('model', model))
  return kind === 'capacity' ? needed('name', name) : (name ?? kind)
}

function termsOf(asked: CostAsked): CostTerms {
  const { kind } = asked
  if (isSeries(kind)) return seriesTerms(asked, kind)
  if (isMaking(kind)) return jobTerms(asked)
  if (kind === 'list') return { per: 'token', perMillion: listTerms(asked) }
  if (kind === 'demand') {
    const { interval_min = 15, offset_min = 0, borne: rule = 'even' } = asked
    const amount = nanoDollars(exact('per_kw', needed('per_kw', asked.per_kw), 9))
    return { per: 'kW', amount, interval_min, offset_min, rule }
  }
  return { per: 'hour', amount: perHour(asked) }
}

/** What it cost beside its energy, and its energy at a price, where that is not paid for in these books already. */
function jobTerms({ usd, kwh, usd_per_kwh, over_months, over_tokens }: CostAsked): CostTerms {
  if ((over_months === undefined) === (over_tokens === undefined))
    throw new ControlError('invalid_value', 'say over_months or over_tokens: over what it is borne', {
      param: over_months === undefined ? 'over_tokens' : 'over_months',
    })
  if (usd_per_kwh !== undefined) needed('kwh', kwh)
  const energy_mj = exact('kwh', kwh ?? '0', 6) * 3600n
  const power = (2n * energy_mj * exact('usd_per_kwh', usd_per_kwh ?? '0', 9) + mjPerKwh) / (2n * mjPerKwh)
  if (usd === undefined && usd_per_kwh === undefined) needed('usd', usd)
  return {
    per: 'job',
    amount: nanoDollars(exact('usd', usd ?? '0', 9, most_usd) + power),
    energy_mj,
    months: over_months ?? null,
    tokens: over_tokens ?? null,
  }
}

const mjPerKwh = 3_600_000_000n
/** A thousand million dollars: the dearest runs that were told of cost a tenth. */
const most_usd = 1_000_000_000n

/** Hours of a month and a year, as the field counts them. */
const hoursOf = { per_hour: 1n, per_month: 730n, per_year: 8760n } as const

function perHour(asked: CostAsked) {
  if (asked.capex_usd !== undefined) {
    const years = needed('years', asked.years)
    const { capex_usd, salvage_usd = 0, rate = 0 } = asked
    if (salvage_usd > capex_usd)
      throw new ControlError('invalid_value', 'more would be left than was paid', { param: 'salvage_usd' })
    return perHourOf({ capex_usd, salvage_usd, years, rate })
  }
  const given = (['per_hour', 'per_month', 'per_year'] as const).filter((name) => asked[name] !== undefined)
  const [name] = given
  if (!name || given.length > 1)
    throw new ControlError('invalid_value', 'say one of per_hour, per_month, per_year, or capex_usd with years', {
      param: name ?? 'per_hour',
    })
  const hours = hoursOf[name]
  return nanoDollars((2n * exact(name, asked[name] ?? '', 9) + hours) / (2n * hours))
}

function seriesTerms(asked: CostAsked, kind: keyof typeof places): CostTerms {
  const value = (param: string, text: string): bigint => {
    const whole = exact(param, text, places[kind])
    if (kind === 'pue' && whole < 1_000_000n)
      throw new ControlError('invalid_value', 'a PUE below 1 would be a hall that draws less than its servers', {
        param,
      })
    return whole
  }
  const points = asked.points?.map(({ at, value: text }) => ({
    at_ms: dateMs(at, 'points'),
    value: value('points', text),
  }))
  const { measured_by } = asked
  if (measured_by !== undefined && kind !== 'pue')
    throw new ControlError('invalid_value', `a ${kind} is not measured by a meter`, { param: 'measured_by' })
  return {
    per: 'time',
    ...(measured_by !== undefined && { measured_by }),
    series: {
      usual: value('value', needed('value', asked.value)),
      ...(asked.rules && {
        rules: asked.rules.map(({ value: text, hours, ...rule }) => ({
          ...rule,
          ...(hours && { hours: [hours[0] ?? 0, hours[1] ?? 24] as const }),
          value: value('rules', text),
        })),
      }),
      ...(points && { points: points.toSorted((a, b) => a.at_ms - b.at_ms) }),
      ...(asked.offset_min !== undefined && { offset_min: asked.offset_min }),
    },
  }
}

function listTerms(asked: CostAsked) {
  const price = (param: 'input' | 'output' | 'cache_read' | 'cache_write' | 'reasoning'): Price => {
    const found = parsePrice(needed(param, asked[param]))
    if (found !== undefined) return found
    throw new ControlError('invalid_value', `${param} has more than 9 decimals`, { param })
  }
  const others = (['cache_read', 'cache_write', 'reasoning'] as const).filter((of) => asked[of] !== undefined)
  return priceList(price('input'), price('output'), Object.fromEntries(others.map((of) => [of, price(of)])))
}

/** A million dollars an hour, a kWh or a million tokens: more is a slip of the decimal point. */
const highest = 1_000_000n

function exact(param: string, text: string, decimals: number, most = highest): bigint {
  const value = parseDecimal(text, decimals)
  if (value !== undefined && value <= most * 10n ** BigInt(decimals)) return value
  throw new ControlError(
    'invalid_value',
    `${JSON.stringify(text)} has more than ${decimals} decimals, or is too much`,
    {
      param,
    },
  )
}

function needed<Value>(param: string, value: Value | undefined): Value {
  if (value !== undefined) return value
  throw new ControlError('invalid_value', `${param} is missing`, { param })
}

/** Terms in words, for tables. */
export function termsText({ kind, terms }: Pick<CostDeclaration, 'kind' | 'terms'>): string {
  if (terms.per === 'end') return 'ended'
  if (terms.per === 'hour') return `${formatDecimal(terms.amount, 9)} USD/h`
  if (terms.per === 'kW')
    return `${formatDecimal(terms.amount, 9)} USD/kW of the month's highest ${terms.interval_min} min, ${terms.rule}`
  if (terms.per === 'job') {
    const over = terms.tokens === null ? `${terms.months} months` : `${terms.tokens} tokens`
    return `${formatDecimal(terms.amount, 9)} USD, ${formatDecimal(terms.energy_mj / 3600n, 6)} kWh, over ${over}`
  }
  if (terms.per === 'token') {
    const { input_uncached, output_visible } = terms.perMillion
    return `${formatDecimal(input_uncached, 9)} in, ${formatDecimal(output_visible, 9)} out USD/M tokens`
  }
  const { usual, rules = [], points = [] } = terms.series
  const of = kind as keyof typeof places
  const more = [rules.length > 0 ? `${rules.length} rules` : [], points.length > 0 ? `${points.length} values` : []]
  const text = [`${formatDecimal(usual, places[of])} ${unitOf[of]}`, ...more.flat()].join(', ')
  return terms.measured_by === undefined ? text : `measured by ${terms.measured_by}, else ${text}`
}
