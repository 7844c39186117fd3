import type { Spread } from '../../twin/records.ts'
import type { Report } from '../../twin/report.ts'
import { fields, table } from './print.ts'

/** What a run came to, for people; `-o json` holds all of it. */
export const twinView = (report: Report): string[] => [
  `${report.scenario}, seed ${report.seed}: every figure is simulated`,
  ...Object.entries(report.rungs).map(([pool, rung]) => `  ${pool}: ${rung}`),
  '',
  ...fields({
    simulated: `${report.simulated_s.toFixed(1)} s`,
    requests: Object.entries(report.outcomes).map(([outcome, count]) => `${count} ${outcome}`),
    tokens: `${report.tokens.input} in (${share(report.tokens.cached, report.tokens.input)} cached), ${report.tokens.output} out, ${report.tokens.wasted} wasted`,
    output: `${report.output_tokens_per_s.toFixed(1)} tokens/s`,
    goodput: `${(100 * report.goodput.share).toFixed(1)} % within the objectives, ${report.goodput.per_s.toFixed(2)} requests/s`,
    ...(Object.keys(report.classes).length > 1 && { 'by class': Object.entries(report.classes).map(classLine) }),
    energy: energyOf(report),
    peak: report.energy && `${report.energy.peak_w.toFixed(0)} W of chips`,
    ...(report.power && { 'power limit': limitLine(report.power) }),
    revenue: `$${report.money.revenue_usd}`,
    cost: costOf(report),
    books: report.books.conserved ? 'conserved: tokens, money and energy add up' : JSON.stringify(report.books),
  }),
  '',
  ...table([row('ttft', report.ttft_ms), row('tpot', report.tpot_ms), row('total', report.total_ms)]),
  '',
  ...table(
    report.replicas.map(({ name, steps, busy_share, preemptions, cached_share, chips_kwh, peak_w }) => ({
      replica: name,
      steps,
      busy: `${(100 * busy_share).toFixed(0)} %`,
      preemptions,
      cached: cached_share === null ? null : `${(100 * cached_share).toFixed(0)} %`,
      kwh: chips_kwh.toPrecision(4),
      peak_w: peak_w.toFixed(0),
    })),
  ),
]

const energyOf = ({ energy }: Report): string => {
  if (!energy) return 'not modelled: the scenario gives no power'
  const { chips_kwh, facility_kwh, idle_share, joules_per_output_token: joules } = energy
  const perToken = joules === null ? '' : `, ${joules.toPrecision(4)} J per output token`
  return `${chips_kwh.toPrecision(4)} kWh of chips (${(100 * idle_share).toFixed(0)} % idle)${perToken}, ${facility_kwh.toPrecision(4)} kWh with the facility`
}

const classLine = ([slo, { requests, complete_share, good_share }]: [string, Report['classes'][string]]): string =>
  `${slo}: ${requests}, ${(100 * complete_share).toFixed(1)} % answered, ${(100 * good_share).toFixed(1)} % within the objectives`

const limitLine = ({ over_s, seconds, worst_w, used_share, falls }: Report['power'] & {}): string => {
  const kept = over_s === 0 ? 'kept' : `exceeded in ${over_s} of ${seconds} s, by ${worst_w.toFixed(0)} W at the most`
  const after = falls.map(({ limit_w, kept_after_s }) => `${limit_w} W kept after ${kept_after_s.toFixed(0)} s`)
  return [kept, ...after, `${(100 * used_share).toFixed(0)} % of it used`].join(', ')
}

const costOf = ({ money }: Report): string => {
  const { capacity_usd, energy_usd, cost_usd_per_million_output_tokens: perMillion } = money
  if (perMillion === null) return 'not known: the scenario gives neither a price of replicas nor power'
  const each = `, $${perMillion.toPrecision(4)} per million output tokens`
  return `$${capacity_usd.toPrecision(4)} for replicas, $${energy_usd.toPrecision(4)} for energy${each}`
}

const row = (name: string, spread: Spread | null): Record<string, unknown> => ({
  ms: name,
  mean: ms(spread?.mean),
  p50: ms(spread?.p50),
  p90: ms(spread?.p90),
  p99: ms(spread?.p99),
  most: ms(spread?.most),
})

const ms = (value: number | undefined): string | null => (value === undefined ? null : value.toFixed(1))
const share = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(0)} %`)
