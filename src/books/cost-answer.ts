/** What the books say of cost over whole hours: usage, waste, idle and overhead, which together are all that it cost. */
import { formatDollars, nanoDollars } from '../units/amount.ts'
import type { Account } from './account.ts'
import type { Sums } from './figures.ts'
import { figure } from './figures.ts'
import { parted } from './tally.ts'
import type { TokenClass } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** What went from one account to another in a time, whatever the number of transfers. */
export interface CostFlow {
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  /** Hours since 1970. */
  readonly hour: number
}

/** By what usage cost is told apart. */
export const costDimensions = ['tenant', 'application', 'key', 'model', 'class', 'source', 'hour'] as const
export type CostDimension = (typeof costDimensions)[number]

/** A part of an hour's cost; `amount` is below zero where a correction took it back. */
interface Part {
  readonly kind: string
  readonly path: readonly string[]
  readonly source: string
  readonly hour: number
  readonly amount: bigint
}

/** A correction flows the other way: out of an account of cost, back to its source. */
function partOf({ from, to, amount, hour }: CostFlow): Part {
  const back = from.startsWith('cost/')
  const [, kind = '', ...path] = parted(back ? from : to)
  return { kind, path, source: back ? to : from, hour, amount: back ? -amount : amount }
}

const sumOf = (parts: readonly Part[]): bigint => parts.reduce((sum, { amount }) => sum + amount, 0n)
const usd = (amount: bigint): string => formatDollars(nanoDollars(amount))

const keyOf: Readonly<Record<CostDimension, (part: Part) => string>> = {
  tenant: ({ path: [tenant = ''] }) => tenant,
  application: ({ path: [tenant, application] }) => `${tenant}/${application}`,
  model: ({ path: [, , model = ''] }) => model,
  class: ({ path: [, , , of = ''] }) => of,
  key: ({ path: [, , , , key = ''] }) => key,
  source: ({ source }) => source,
  hour: ({ hour }) => new Date(hour * 3_600_000).toISOString(),
}

const grouped = (parts: readonly Part[], key: (part: Part) => string) =>
  [...Map.groupBy(parts, key)]
    .map(([name, of]) => ({ name, amount: sumOf(of) }))
    .filter(({ amount }) => amount !== 0n)
    .sort((a, b) => (a.name < b.name ? -1 : 1))

const named = (parts: readonly Part[], key: (part: Part) => string) =>
  grouped(parts, key).map(({ name, amount }) => ({ name, usd: usd(amount) }))

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
  readonly carbon_ug: bigint
}

/**
 * The books of cost for a time. A partition, so that nothing is counted twice and nothing is left out:
 *
 *     Σ unit_k × tokens_k + waste + idle + overhead = total        unit_k = cost of class k ÷ its tokens
 *
 * Usage cost is of work alone and compares models and machines; reservation cost has idle in it and compares with a list price.
 * Tokens, requests and revenue are of requests that ended in the time, work is of the time itself.
 */
export function costAnswer(facts: CostFacts, by: CostDimension) {
  const parts = facts.flows.map(partOf)
  const of = (kind: string): Part[] => parts.filter((part) => part.kind === kind)
  const [usage, waste, idle, overhead] = [of('usage'), of('waste'), of('idle'), of('overhead')]
  const [used, wasted, stood, beside] = [sumOf(usage), sumOf(waste), sumOf(idle), sumOf(overhead)]
  const total = used + wasted + stood + beside
  return {
    from: new Date(facts.from_ms).toISOString(),
    to: new Date(facts.to_ms).toISOString(),
    total_usd: usd(total),
    usage_usd: usd(used),
    waste_usd: usd(wasted),
    idle_usd: usd(stood),
    overhead_usd: usd(beside),
    reservation_usd: usd(used + wasted + stood),
    classes: tokenClasses.map((tokenClass) => classOf(tokenClass, usage, facts.sums)),
    waste: named(waste, ({ path }) => path.join('/')),
    idle: named(idle, ({ path }) => path.join('/')),
    overhead: named(overhead, ({ path }) => path.join('/')),
    sources: named(parts, ({ source }) => source),
    by,
    rows: named(usage, keyOf[by]),
    figures: costFigures(facts, used, total),
  }
}

export type CostAnswer = ReturnType<typeof costAnswer>

function classOf(tokenClass: TokenClass, usage: readonly Part[], sums: Sums) {
  const amount = sumOf(usage.filter(({ path }) => path[3] === tokenClass))
  const tokens = sums.get(tokenClass) ?? 0
  const each = tokens > 0 ? Number(amount) / 1e3 / tokens : null
  return { class: tokenClass, tokens, usd: usd(amount), usd_per_mtoken: figure(each, 'USD/M tokens', 'estimated') }
}

/** Whose an hour of a machine was is found by a rule, whatever was declared: every figure with cost in it is an estimate. */
function costFigures({ sums, from_ms, to_ms, busy_s, all_s, carbon_ug }: CostFacts, used: bigint, total: bigint) {
  const revenue = (sums.get('nano_usd') ?? 0) / 1e9
  const requests = sums.get('requests') ?? 0
  const joules = drawn.reduce((sum, measure) => sum + (sums.get(measure) ?? 0), 0) / 1e3
  const seconds = (to_ms - from_ms) / 1000
  const [usage, all] = [Number(used) / 1e9, Number(total) / 1e9]
  const per = (value: number, by: number): number | null => (by > 0 ? value / by : null)
  const money = (value: number | null, unit: string) => figure(value, unit, 'estimated')
  return {
    revenue_usd: figure(revenue, 'USD', 'measured'),
    contribution_margin_usd: money(revenue - usage, 'USD'),
    contribution_margin_share: money(per(revenue - usage, revenue), '1'),
    fully_loaded_margin_usd: money(revenue - all, 'USD'),
    fully_loaded_margin_share: money(per(revenue - all, revenue), '1'),
    usage_usd_per_request: money(per(usage, requests), 'USD/request'),
    all_usd_per_request: money(per(all, requests), 'USD/request'),
    j_per_request: money(per(joules, requests), 'J/request'),
    revenue_usd_per_kwh: money(per(revenue, joules / 3.6e6), 'USD/kWh'),
    revenue_usd_per_mw_h: money(per(revenue, joules / 3.6e9), 'USD/MWh, at the meters of the factory'),
    mean_power_w: money(joules > 0 ? joules / seconds : null, 'W, at the meters of the factory'),
    carbon_g: money(carbon_ug === 0n ? null : Number(carbon_ug) / 1e6, 'gCO2e'),
    busy_share: money(per(busy_s, all_s), '1'),
  } as const
}

const drawn = ['drawn/measured', 'drawn/estimated', 'drawn/simulated']
