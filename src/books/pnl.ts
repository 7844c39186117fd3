/** Profit and loss of whole hours: what was earned, what it cost and why, and what is left; of the factory, its tenants, models and sites. */
import type { Account } from './account.ts'
import { isLedgerUnit } from './check.ts'
import type { CostLine } from './cost-lines.ts'
import { costLines } from './cost-lines.ts'
import type { CostPart } from './cost-part.ts'
import { costPart, sumOfParts, usdText } from './cost-part.ts'
import type { Placing, Standing } from './cost-place.ts'
import { placingOnSites, placings } from './cost-place.ts'
import type { Sums } from './figures.ts'
import { figure } from './figures.ts'
import type { PnlDimension, PnlSum } from './pnl-sum.ts'
import type { AgreementKind } from './terms/agreement.ts'
import { tokenClasses } from './usage.ts'

/** Why a token costs what it does. A demand charge is for electricity too. */
export const causes = ['electricity', 'capacity', 'hosted', 'overhead', 'making'] as const
export type Cause = (typeof causes)[number]

/** By the kind of account that a cost comes from. */
const causeOf: Readonly<Record<string, Cause>> = {
  electricity: 'electricity',
  demand: 'electricity',
  capacity: 'capacity',
  hosted: 'hosted',
  overhead: 'overhead',
  job: 'making',
}

/** A sum, and the first hour of the slot that it is in. */
export type SlotSum = PnlSum & { readonly hour: number }

export interface AgreedAmount {
  readonly tenant: string
  /** Empty: of none. */
  readonly model: string
  readonly kind: AgreementKind
  readonly amount: bigint
}

export interface PnlFacts {
  /** Hours since 1970: [from, to), all of them closed. */
  readonly from: number
  readonly to: number
  readonly step_h: number
  readonly sums: Readonly<Record<PnlDimension, readonly SlotSum[]>>
  /** Where what the factory has stood. Of a whole day as of its first hour. */
  readonly standing: Standing
  /** What lines of agreements came to in these hours. */
  readonly agreed: readonly AgreedAmount[]
  /** What the hours were worked out to cost, source by source; nano-USD. What is posted must be the same. */
  readonly worked: ReadonlyMap<Account, bigint>
}

/**
 *     contribution = revenue − usage        fully loaded = revenue − usage − idle − waste − overhead − making
 *     net revenue = revenue − what is taken off (free quotas, tiers) + what commitments lack; net margins are of it
 *     residual = what the hours were worked out to cost − what is posted of them: 0
 */
export function pnlAnswer({ from, to, step_h, sums, standing, agreed, worked }: PnlFacts) {
  const parts = costPartsOf(sums.factory)
  const of = (kind: string): bigint => sumOfParts(parts.filter((part) => part.kind === kind))
  const [used, stood, wasted, beside, made] = [of('usage'), of('idle'), of('waste'), of('overhead'), of('making')]
  const total = used + stood + wasted + beside + made
  const served = servedBy(sums.factory).get('') ?? new Map()
  const revenue = revenueOf(sums.factory)
  const net = revenue - takenOff(agreed) + shortfall(agreed)
  return {
    from: timeText(from),
    to: timeText(to),
    step: step_h === 1 ? ('hour' as const) : ('day' as const),
    revenue_usd: usdText(revenue),
    taken_off_usd: usdText(takenOff(agreed)),
    shortfall_usd: usdText(shortfall(agreed)),
    net_revenue_usd: usdText(net),
    usage_usd: usdText(used),
    idle_usd: usdText(stood),
    waste_usd: usdText(wasted),
    overhead_usd: usdText(beside),
    making_usd: usdText(made),
    total_usd: usdText(total),
    residual_usd: usdText([...worked.values()].reduce((sum, amount) => sum + amount, 0n) - total),
    figures: { ...pnlFigures(served, used, total), ...netFigures(net, used, total) },
    slots: slotsOf(sums.factory, { from, to, step_h }),
    tenants: costLines(costPartsOf(sums.tenant), lineFacts(placings.tenant, sums.tenant)),
    models: costLines(costPartsOf(sums.tenant), lineFacts(placings.model, sums.model)),
    agreed: {
      tenants: agreedLines(agreed, ({ tenant }) => tenant),
      models: agreedLines(
        agreed.filter(({ model }) => model !== ''),
        ({ model }) => model,
      ),
    },
    sites: costLines(parts, lineFacts(placingOnSites(standing), sums.site)),
  }
}

export type PnlAnswer = ReturnType<typeof pnlAnswer>
export type PnlLine = CostLine

/** Of cost: a sum is what went to all accounts under its name; a tenant's is from all sources, and names none. */
export const costPartsOf = (sums: readonly SlotSum[], unit = 'nano-USD'): CostPart[] =>
  sums.flatMap(({ source, name, measure, amount, hour }) =>
    measure === unit ? costPart({ from: source as Account, to: name as Account, amount, hour }) : [],
  )

const lineFacts = (place: Placing, sums: readonly SlotSum[]) =>
  ({ place, served: servedBy(sums), earns: true, energy: 'attributed' }) as const

function servedBy(sums: readonly SlotSum[]): Map<string, Sums> {
  const found = new Map<string, Map<string, number>>()
  for (const { name, measure, amount } of sums) {
    if (isLedgerUnit(measure)) continue
    const into = found.get(name) ?? new Map<string, number>()
    found.set(name, into.set(measure, (into.get(measure) ?? 0) + Number(amount)))
  }
  return found
}

const revenueOf = (sums: readonly SlotSum[]): bigint =>
  sums.reduce((sum, { measure, amount }) => (measure === 'nano_usd' ? sum + amount : sum), 0n)

const tokensOf = (served: Sums): number =>
  tokenClasses.reduce((sum, tokenClass) => sum + (served.get(tokenClass) ?? 0), 0)

/** Whose an hour of a machine was is found by a rule, whatever was declared: every figure with cost in it is an estimate. */
function pnlFigures(served: Sums, used: bigint, total: bigint) {
  const revenue = (served.get('nano_usd') ?? 0) / 1e9
  const tokens = tokensOf(served)
  const [usage, all] = [Number(used) / 1e9, Number(total) / 1e9]
  const money = (value: number | null, unit: string) => figure(value, unit, 'estimated')
  return {
    revenue_usd: figure(revenue, 'USD', 'measured'),
    requests: figure(served.get('requests') ?? 0, 'requests', 'measured'),
    tokens: figure(tokens, 'tokens', 'measured'),
    contribution_margin_usd: money(revenue - usage, 'USD'),
    contribution_margin_share: money(per(revenue - usage, revenue), '1'),
    fully_loaded_margin_usd: money(revenue - all, 'USD'),
    fully_loaded_margin_share: money(per(revenue - all, revenue), '1'),
    revenue_usd_per_mtoken: money(per(revenue * 1e6, tokens), 'USD/M tokens'),
    usage_usd_per_mtoken: money(per(usage * 1e6, tokens), 'USD/M tokens'),
    loaded_usd_per_mtoken: money(per(all * 1e6, tokens), 'USD/M tokens'),
  } as const
}

const sumOf = (agreed: readonly AgreedAmount[]): bigint => agreed.reduce((sum, { amount }) => sum + amount, 0n)
const takenOff = (agreed: readonly AgreedAmount[]): bigint => sumOf(agreed.filter(({ kind }) => kind !== 'commitment'))
const shortfall = (agreed: readonly AgreedAmount[]): bigint => sumOf(agreed.filter(({ kind }) => kind === 'commitment'))

const agreedLines = (agreed: readonly AgreedAmount[], nameOf: (one: AgreedAmount) => string) =>
  [...Map.groupBy(agreed, nameOf)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, its]) => ({
      name,
      taken_off_usd: usdText(takenOff(its)),
      shortfall_usd: usdText(shortfall(its)),
    }))

function netFigures(net: bigint, used: bigint, total: bigint) {
  const [revenue, usage, all] = [net, used, total].map((each) => Number(each) / 1e9) as [number, number, number]
  const money = (value: number | null, unit: string) => figure(value, unit, 'estimated')
  return {
    net_revenue_usd: figure(revenue, 'USD', 'measured'),
    net_contribution_margin_usd: money(revenue - usage, 'USD'),
    net_fully_loaded_margin_usd: money(revenue - all, 'USD'),
    net_fully_loaded_margin_share: money(per(revenue - all, revenue), '1'),
  } as const
}

interface Slot {
  readonly usd: Record<Cause, bigint>
  revenue: bigint
  tokens: number
}

/** Every slot, those too in which nothing was: what each cause cost, beside the tokens that were served meanwhile. */
function slotsOf(sums: readonly SlotSum[], { from, to, step_h }: Pick<PnlFacts, 'from' | 'to' | 'step_h'>) {
  const first = Math.floor(from / step_h)
  const slots = Array.from({ length: Math.floor((to - 1) / step_h) - first + 1 }, (): Slot => {
    return { usd: byCause(() => 0n), revenue: 0n, tokens: 0 }
  })
  for (const { source, measure, amount, hour } of sums) {
    const slot = slots[Math.floor(hour / step_h) - first]
    if (!slot) continue
    if (measure === 'nano_usd') slot.revenue += amount
    else if (isTokens(measure)) slot.tokens += Number(amount)
    else if (measure === 'nano-USD') slot.usd[causeOf[source.slice(0, source.indexOf('/'))] ?? 'overhead'] += amount
  }
  return slots.map(({ usd, revenue, tokens }, index) => ({
    start: timeText(Math.max(from, (first + index) * step_h)),
    revenue_usd: usdText(revenue),
    tokens,
    usd: byCause((cause) => usdText(usd[cause])),
    usd_per_mtoken: byCause((cause) => per(Number(usd[cause]) / 1e3, tokens)),
  }))
}

const isTokens = (measure: string): boolean => (tokenClasses as readonly string[]).includes(measure)

const byCause = <T>(of: (cause: Cause) => T) =>
  Object.fromEntries(causes.map((cause) => [cause, of(cause)])) as Record<Cause, T>

const timeText = (hour: number): string => new Date(hour * 3_600_000).toISOString()
const per = (value: number, by: number): number | null => (by > 0 ? value / by : null)
