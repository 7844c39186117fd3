import type { Command } from 'commander'
import { idleRules } from '../../../plant/energy/idle.ts'
import { meterLevels, restRules } from '../../../plant/energy/levels.ts'
import {
  nearestWhole,
  type PowerRule,
  powerRules,
  powerWindow,
  type Ratio,
} from '../../../plant/energy/power-window.ts'
import { formatDecimal, parseDecimal } from '../../../units/amount.ts'
import { ControlError } from '../../operator/errors.ts'
import { meterForms } from '../../operator/meter-spec.ts'
import { momentUs, powerFile, windowOf } from '../power-file.ts'
import { fields, type Row, table } from '../print.ts'
import { type Common, does, guarded, path, show } from '../run.ts'
import { again, whole } from '../values.ts'

interface Integrate {
  readonly time: string
  readonly power: string
  readonly unit: string
  readonly where?: string[]
  readonly from?: string
  readonly to?: string
  readonly rule: string
  readonly maxGap: string
}

export function meterCommands(program: Command): void {
  const meters = program.command('meters').description('what measures energy, and how well')
  does<{ readonly hours?: number }>(
    meters
      .command('list')
      .description('each meter: what it covered of late, resets, gaps, and meters that may count the same joules twice')
      .option('--hours <n>', 'how far back, 168 at the most (default: 24)', whole),
    async (factory, options) => {
      const asked = options.hours === undefined ? '' : `?hours=${options.hours}`
      const found = (await factory.json('GET', `/api/meters${asked}`)) as MeterList
      show(found, options, meterView)
      return undefined
    },
  )

  does<{ readonly level: string; readonly over: string; readonly share?: string }>(
    meters
      .command('place')
      .description('put a meter above others: what it shows beyond them is booked by a rule, and no joule twice')
      .argument('<meter>', `the name of one that is known, or a new one: ${meterForms}`)
      .requiredOption('--level <level>', meterLevels.join(' or '))
      .requiredOption('--over <meters>', 'names of the meters directly below it, with commas')
      .option('--share <rule>', `to whom its rest goes: ${restRules.join(', ')} (default: energy; overhead: nobody)`),
    async (factory, options, meter = '') => {
      const { level, share } = options
      const over = options.over.split(',').flatMap((name) => name.trim() || [])
      const placed = await factory.json('POST', '/api/meters', { meter, level, over, share })
      show(placed, options, fields as (value: Row) => string[])
      return undefined
    },
  )

  does<{ readonly rule: string }>(
    meters
      .command('idle')
      .description(
        'how the idle of a board in MIG slices is told apart: by the SMs of its slices, or all for whoever comes',
      )
      .argument('<meter>')
      .requiredOption('--rule <rule>', idleRules.join(' or ')),
    async (factory, options, meter = '') => {
      const set = await factory.json('POST', path`/api/meters/${meter}/idle`, { rule: options.rule })
      show(set, options, fields as (value: Row) => string[])
      return undefined
    },
  )

  does(
    meters
      .command('unplace')
      .description('nothing is below a meter any more; what was booked stays as it was')
      .argument('<meter>'),
    async (factory, options, meter = '') => {
      show(await factory.json('DELETE', path`/api/meters/${meter}`), options, fields as (value: Row) => string[])
      return undefined
    },
  )

  const integrate = meters
    .command('integrate')
    .description('energy and average power of a window of a file of power readings, exactly')
    .argument('<file>', 'CSV with the names of its columns in the first line, in order of time')
    .requiredOption('--time <column>', 'its column of time: seconds, or dates such as 2027-01-31T13:00:00Z')
    .requiredOption('--power <column>', 'its column of power')
    .option('--unit <unit>', 'W or kW', 'W')
    .option('--where <column=value>', 'only lines with this value; again for more', again)
    .option('--from <time>', 'where the window begins (default: at the first reading)')
    .option('--to <time>', 'where it ends (default: at the last reading)')
    .option(
      '--rule <rule>',
      'trapezoid, cut at the edges; or samples: the mean of the readings inside, as MLPerf Power has it',
      'trapezoid',
    )
    .option('--max-gap <seconds>', 'readings further apart say nothing of the time between them', '3')
  integrate.action((file: string) =>
    guarded(async () => {
      const options = integrate.optsWithGlobals<Integrate & Common>()
      show(integrated(file, options), options, fields as (value: Row) => string[])
      return undefined
    }),
  )
}

interface MeterList {
  readonly hours: number
  readonly meters: readonly (Row & {
    readonly coverage: number | null
    readonly energy_j: number
    readonly slices: string[]
  })[]
  readonly levels: readonly (Row & { readonly pue: number | null })[]
  readonly overlaps: readonly { readonly engine: string; readonly meters: readonly string[]; readonly why: string }[]
  readonly findings: readonly Row[]
}

function meterView({ hours, meters, levels, overlaps, findings }: MeterList): string[] {
  const slices = meters.flatMap(({ meter, slices: of }) => (of.length > 0 ? { meter, slices: of } : []))
  const part = (title: string, rows: readonly Row[]): string[] => (rows.length === 0 ? [] : ['', title, ...table(rows)])
  const rows = meters.map(({ meter, kind, engines, state, coverage, energy_j, unmetered_s, resets, last_reading }) => ({
    meter,
    kind,
    engines,
    state,
    coverage: coverage === null ? null : `${(coverage * 100).toFixed(2)} %`,
    energy_j: Math.round(energy_j),
    unmetered_s,
    resets,
    last_reading,
  }))
  return [
    `The last ${hours} h`,
    ...table(rows),
    ...part('Boards in MIG slices', slices),
    ...part('Above others: shown = below + rest − owed', levels),
    ...part('May count the same joules twice', overlaps as readonly Row[]),
    ...part('Not known to the full: nothing was filled in', findings),
  ]
}

const wrong = (param: string, message: string): ControlError => new ControlError('invalid_value', message, { param })

function integrated(file: string, options: Integrate) {
  const { time, power, unit, where = [], rule } = options
  if (!isRule(rule)) throw wrong('rule', `--rule ${rule} is none of ${powerRules.join(', ')}`)
  if (unit !== 'W' && unit !== 'kW') throw wrong('unit', `--unit ${unit} is neither W nor kW`)
  const longest_us = parseDecimal(options.maxGap, 6)
  if (longest_us === undefined || longest_us <= 0n)
    throw wrong('max-gap', `--max-gap ${options.maxGap} is no number of seconds above 0`)
  const readings = powerFile(file, {
    time,
    power,
    powerPlaces: unit === 'W' ? 6 : 9,
    where: where.map(pair),
  })
  const window = windowOf(readings, given('from', options.from), given('to', options.to))
  if (window.to_us <= window.from_us)
    throw wrong('to', `the window ends at ${seconds(window.to_us)} s and begins at ${seconds(window.from_us)} s`)
  const found = powerWindow(readings, window, rule, longest_us)
  return {
    rule,
    from_s: seconds(window.from_us),
    to_s: seconds(window.to_us),
    readings: found.readings,
    mean_w: found.mean_uw ? formatDecimal(nearestWhole(found.mean_uw), 6) : null,
    energy_j: scaled(found.energy_pj, 12, 3),
    energy_kwh: scaled({ over: found.energy_pj.over, under: found.energy_pj.under * 3_600_000n }, 12, 9),
    covered_s: seconds(found.covered_us),
    unmetered_s: seconds(window.to_us - window.from_us - found.covered_us),
    unmetered: found.unmetered.map((span) => `${seconds(span.from_us)}…${seconds(span.to_us)}`),
    source: found.unmetered.length === 0 ? 'measured' : 'measured, but for what is unmetered',
  }
}

const isRule = (text: string): text is PowerRule => (powerRules as readonly string[]).includes(text)

const seconds = (us: bigint): string => formatDecimal(us, 6)

/** 10^-places of a unit → decimal text with so many digits, rounded once. */
const scaled = ({ over, under }: Ratio, places: number, digits: number): string =>
  formatDecimal(nearestWhole({ over: over * 10n ** BigInt(digits), under: under * 10n ** BigInt(places) }), digits)

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw wrong('where', `--where takes COLUMN=VALUE, and not ${text.slice(0, 60)}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function given(name: string, text: string | undefined): bigint | undefined {
  const at_us = text === undefined ? undefined : momentUs(text)
  if (text !== undefined && at_us === undefined)
    throw wrong(name, `--${name} ${text.slice(0, 40)} is no number of seconds and no date`)
  return at_us
}
