/** What the books say of cost over whole hours: usage, waste, idle, overhead and making, which together are all that it cost. */
import type { LineFacts } from './cost-lines.ts'
import { costLines } from './cost-lines.ts'
import type { CostFlow, CostPart } from './cost-part.ts'
import { costPart, sumOfParts, usdText } from './cost-part.ts'
import type { CostDimension } from './cost-place.ts'
import type { FacilityEnergy } from './facility.ts'
import type { Sums } from './figures.ts'
import { figure } from './figures.ts'
import type { Job } from './making.ts'
import { purposes } from './purposes.ts'
import type { TokenClass } from './usage.ts'
import { tokenClasses } from './usage.ts'

const named = (parts: readonly CostPart[], key: (part: CostPart) => string) =>
  [...Map.groupBy(parts, key)]
    .map(([name, of]) => ({ name, amount: sumOfParts(of) }))
    .filter(({ amount }) => amount !== 0n)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, amount }) => ({ name, usd: usdText(amount) }))

/** What the answer is made of, besides money. */
export interface CostFacts {
  readonly from_ms: number
  /** Not included: the end of the last hour that is closed. */
  readonly to_ms: number
  readonly flows: readonly CostFlow[]
  /** Of the factory, or of what was asked for. */
  readonly sums: Sums
  /** Seconds of engines with a cost in which somebody worked, and all of their seconds. */
  readonly busy_s: number
  readonly all_s: number
  /** µgCO2e. */
  readonly carbon: readonly CostFlow[]
  readonly facility: FacilityEnergy
  /** What the utility has promised, W; undefined: nobody said. */
  readonly contracted_w: number | undefined
  readonly lines: LineFacts
  readonly jobs: readonly Job[]
}

/**
 * The books of cost for a time. A partition, so that nothing is counted twice and nothing is left out:
 *
 *     Σ unit_k × tokens_k + waste + idle + overhead + making = total        unit_k = cost of class k ÷ its tokens
 *
 * Usage cost is of work alone and compares models and machines; reservation cost has idle in it and compares with a list price.
 * Tokens, requests and revenue are of requests that ended in the time, work is of the time itself.
 */
export function costAnswer(facts: CostFacts, by: CostDimension) {
  const parts = facts.flows.map(costPart)
  const of = (kind: string): CostPart[] => parts.filter((part) => part.kind === kind)
  const [usage, waste, idle, overhead] = [of('usage'), of('waste'), of('idle'), of('overhead')]
  const [used, wasted, stood, beside] = [sumOfParts(usage), sumOfParts(waste), sumOfParts(idle), sumOfParts(overhead)]
  const making = of('making')
  const made = sumOfParts(making)
  const total = used + wasted + stood + beside + made
  return {
    from: new Date(facts.from_ms).toISOString(),
    to: new Date(facts.to_ms).toISOString(),
    contracted_power_kw: facts.contracted_w === undefined ? null : facts.contracted_w / 1000,
    total_usd: usdText(total),
    usage_usd: usdText(used),
    waste_usd: usdText(wasted),
    idle_usd: usdText(stood),
    overhead_usd: usdText(beside),
    making_usd: usdText(made),
    reservation_usd: usdText(used + wasted + stood),
    classes: tokenClasses.map((tokenClass) => classOf(tokenClass, usage, facts.sums)),
    waste: named(waste, ({ path }) => path.join('/')),
    idle: named(idle, ({ path }) => path.join('/')),
    overhead: named(overhead, ({ path }) => path.join('/')),
    making: named(making, ({ path }) => path.join('/')),
    purposes: purposes({ inference: used + wasted + stood, making, jobs: facts.jobs, facility: facts.facility }),
    sources: named(parts, ({ source }) => source),
    by,
    ...costLines(parts, facts.lines, facts.carbon.map(costPart)),
    figures: costFigures(facts, used, total),
  }
}

export type CostAnswer = ReturnType<typeof costAnswer>

function classOf(tokenClass: TokenClass, usage: readonly CostPart[], sums: Sums) {
  const amount = sumOfParts(usage.filter(({ path }) => path[3] === tokenClass))
  const tokens = sums.get(tokenClass) ?? 0
  const each = tokens > 0 ? Number(amount) / 1e3 / tokens : null
  return { class: tokenClass, tokens, usd: usdText(amount), usd_per_mtoken: figure(each, 'USD/M tokens', 'estimated') }
}

/** Whose an hour of a machine was is found by a rule, whatever was declared: every figure with cost in it is an estimate. */
function costFigures({ sums, busy_s, all_s, carbon, ...facts }: CostFacts, used: bigint, total: bigint) {
  const revenue = (sums.get('nano_usd') ?? 0) / 1e9
  const requests = sums.get('requests') ?? 0
  const [usage, all] = [Number(used) / 1e9, Number(total) / 1e9]
  const carbon_ug = sumOfParts(carbon.map(costPart))
  const money = (value: number | null, unit: string) => figure(value, unit, 'estimated')
  return {
    revenue_usd: figure(revenue, 'USD', 'measured'),
    contribution_margin_usd: money(revenue - usage, 'USD'),
    contribution_margin_share: money(per(revenue - usage, revenue), '1'),
    fully_loaded_margin_usd: money(revenue - all, 'USD'),
    fully_loaded_margin_share: money(per(revenue - all, revenue), '1'),
    usage_usd_per_request: money(per(usage, requests), 'USD/request'),
    all_usd_per_request: money(per(all, requests), 'USD/request'),
    ...powerFigures({ sums, ...facts }, revenue, requests),
    carbon_g: money(carbon_ug === 0n ? null : Number(carbon_ug) / 1e6, 'gCO2e'),
    busy_share: money(per(busy_s, all_s), '1'),
  } as const
}

/** Hours of a month, as utilities count them. */
const month_h = 730

/**
 * With the boundary in the unit. Run rate: were the whole month as this time was.
 *
 *     W = E ÷ time     tokens/s per MW = tokens ÷ E     kWh/month = W × 730 h     share of contract = W ÷ contracted W
 */
function powerFigures(
  { sums, from_ms, to_ms, facility, contracted_w }: Omit<CostFacts, 'busy_s' | 'all_s' | 'carbon' | 'jobs'>,
  revenue: number,
  requests: number,
) {
  const joules = Number(facility.energy_mj) / 1e3
  const watts = joules > 0 ? joules / ((to_ms - from_ms) / 1000) : null
  const of = (...measures: readonly string[]): number => measures.reduce((sum, each) => sum + (sums.get(each) ?? 0), 0)
  const there = (value: number | null, unit: string) => figure(value, `${unit}, ${facility.boundary}`, 'estimated')
  return {
    j_per_request: there(joules > 0 ? per(joules, requests) : null, 'J/request'),
    revenue_usd_per_kwh: there(per(revenue, joules / 3.6e6), 'USD/kWh'),
    revenue_usd_per_mw_h: there(per(revenue, joules / 3.6e9), 'USD/MWh'),
    output_tokens_per_s_per_mw: there(per(of('output_visible', 'reasoning'), joules / 1e6), 'tokens/s/MW'),
    tokens_per_s_per_mw: there(per(of(...tokenClasses), joules / 1e6), 'tokens/s/MW'),
    mean_power_w: there(watts, 'W'),
    energy_kwh: there(joules > 0 ? joules / 3.6e6 : null, 'kWh'),
    run_rate_kwh_per_month: there(watts === null ? null : (watts * month_h) / 1000, 'kWh/month'),
    contracted_power_share: there(watts === null ? null : per(watts, contracted_w ?? 0), '1'),
  } as const
}

const per = (value: number, by: number): number | null => (by > 0 ? value / by : null)
