import type { Command } from 'commander'
import { cardKwh, costCurve } from '../../operator/cost-file.ts'
import { fields, type Row } from '../print.ts'
import { does, path, show } from '../run.ts'

interface Cost extends Row {
  readonly in_force: boolean
}

interface Set {
  readonly perHour?: string
  readonly perMonth?: string
  readonly perYear?: string
  readonly capex?: string
  readonly salvage?: string
  readonly years?: string
  readonly rate?: string
  readonly value?: string
  readonly perKw?: string
  readonly job?: string
  readonly usd?: string
  readonly kwh?: string
  readonly usdPerKwh?: string
  readonly card?: string
  readonly overMonths?: string
  readonly overTokens?: string
  readonly interval?: string
  readonly borne?: string
  readonly offset?: string
  readonly measuredBy?: string
  readonly file?: string
  readonly model?: string
  readonly input?: string
  readonly output?: string
  readonly cacheRead?: string
  readonly cacheWrite?: string
  readonly reasoning?: string
  readonly from?: string
  readonly note?: string
}

export function costCommands(program: Command): void {
  const costs = program.command('costs').description('what capacity, people, energy and hosted models cost')

  does<Set>(
    costs
      .command('set')
      .description('declare a cost: a new version, from now or another moment; from an earlier one it is a correction')
      .argument(
        '<kind>',
        'capacity, list, training, evaluation, data, demand, staff, licence, floor, support, tariff, pue or carbon',
      )
      .argument(
        '[name]',
        'an engine (capacity, list), a meter (demand, tariff, pue, carbon: all), or a name of its own',
      )
      .option('--per-hour <usd>', 'dollars an hour; 0 ends it')
      .option('--per-month <usd>', 'dollars for 730 hours')
      .option('--per-year <usd>', 'dollars for 8760 hours')
      .option('--capex <usd>', 'what was paid for it, spread over --years')
      .option('--salvage <usd>', 'what is left of it at the end')
      .option('--years <n>', 'how long it is used')
      .option('--rate <share>', 'cost of capital a year, such as 0.08 (default: 0, straight line)')
      .option('--per-kw <usd>', "demand: dollars a kW of a month's highest power; 0 ends it")
      .option('--interval <minutes>', 'demand: over which power is averaged: 5, 10, 15, 20, 30 or 60 (default: 15)')
      .option(
        '--borne <rule>',
        'demand: even, over the hours of the month, or peak, by those that raised it (default: even)',
      )
      .option('--offset <minutes>', 'demand: minutes east of UTC, for where its months begin (default: 0)')
      .option('--value <number>', 'tariff: USD/kWh; pue: 1 or more; carbon: gCO2e/kWh')
      .option(
        '--file <path>',
        'values by time: YAML with value, rules and offset_min, or CSV with the columns at,value',
      )
      .option(
        '--measured-by <meter>',
        'pue: the facility’s meter that measures it; --value is for hours in which that is not known',
      )
      .option('--model <name>', 'list: the public name of the model')
      .option('--input <usd>', 'list: per million prompt tokens')
      .option('--output <usd>', 'list: per million answer tokens')
      .option('--cache-read <usd>', 'list: prompt tokens found in the cache (default: as input)')
      .option('--cache-write <usd>', 'list: prompt tokens written to the cache (default: as input)')
      .option('--reasoning <usd>', 'list: tokens of thought (default: as output)')
      .option('--usd <usd>', 'training, evaluation, data: what it cost, once')
      .option('--kwh <number>', 'training, evaluation, data: what it drew')
      .option('--card <file>', 'training: kWh from the card of `models train`')
      .option('--usd-per-kwh <usd>', 'what its kWh cost, unless they are in --usd or on a meter of this factory')
      .option('--over-months <n>', 'it is borne over so many months of 730 hours')
      .option('--over-tokens <n>', 'it is borne by so many tokens that the model serves')
      .option('--job <name>', 'which of the model’s trainings it is (default: first)')
      .option('--from <date>', 'such as 2027-01-31 (default: now)')
      .option('--note <text>', 'why, for whoever reads the history'),
    async (factory, asked, kind, name) => {
      const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
      const body = {
        ...(asked.file !== undefined && costCurve(asked.file)),
        kind,
        name,
        model: asked.model,
        per_hour: asked.perHour,
        per_month: asked.perMonth,
        per_year: asked.perYear,
        capex_usd: number(asked.capex),
        salvage_usd: number(asked.salvage),
        years: number(asked.years),
        rate: number(asked.rate),
        ...(asked.value !== undefined && { value: asked.value }),
        per_kw: asked.perKw,
        interval_min: number(asked.interval),
        borne: asked.borne,
        job: asked.job,
        usd: asked.usd,
        kwh: asked.card === undefined ? asked.kwh : cardKwh(asked.card),
        usd_per_kwh: asked.usdPerKwh,
        over_months: number(asked.overMonths),
        over_tokens: number(asked.overTokens),
        ...(asked.offset !== undefined && { offset_min: number(asked.offset) }),
        measured_by: asked.measuredBy,
        input: asked.input,
        output: asked.output,
        cache_read: asked.cacheRead,
        cache_write: asked.cacheWrite,
        reasoning: asked.reasoning,
        from: asked.from,
        note: asked.note,
      }
      show(await factory.json('POST', '/api/costs', body), asked, (cost: Cost) => fields(row(cost)))
      return undefined
    },
  )

  does(costs.command('list').description('costs in force'), async (factory, options) => {
    show(await factory.json('GET', '/api/costs'), options, ({ costs }: { costs: Cost[] }) => costs.map(row))
    return undefined
  })

  does(
    costs.command('history').description('all declarations of a kind of cost, oldest first').argument('<kind>'),
    async (factory, options, kind = '') => {
      const history = await factory.json('GET', path`/api/costs/${kind}`)
      show(history, options, ({ costs }: { costs: Cost[] }) => costs.map(row))
      return undefined
    },
  )
}

const row = ({ in_force, ...cost }: Cost): Row => ({ ...cost, in_force: in_force ? 'yes' : 'no' })
