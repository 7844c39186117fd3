/**
 * Cost by tenant, application, key, model, class, replica or hour, beside what it earned, in two margins that are never mixed:
 *
 *     contribution = revenue − usage cost        fully loaded = revenue − usage − own idle and waste − making − allocated
 *
 * What it cost to make a model is borne by those who used the model, by what they used of it. What is nobody's by itself is allocated
 * by usage cost: each line's part is usage ÷ Σ usage of it, in whole nano-dollars, so that Σ loaded = total. Where nobody used anything
 * there is nobody to bear it, and it is told as not allocated.
 */
import { apportion } from '../units/amount.ts'
import type { CostPart } from './cost-part.ts'
import { usdText } from './cost-part.ts'
import type { Placing, Weighted } from './cost-place.ts'
import type { Sums } from './figures.ts'
import { figure } from './figures.ts'
import { tokenClasses } from './usage.ts'

export interface LineFacts {
  readonly place: Placing
  /** By the names of lines. */
  readonly served: ReadonlyMap<string, Sums>
  /** Whether what was earned is known line by line: it is no engine's or source's where it cannot be told whose tokens it was. */
  readonly earns: boolean
  /** What `energy_mj` of a line is of: what its requests drew, or what its meters did, idle and all. */
  readonly energy: 'attributed' | 'drawn'
}

interface Borne {
  usage: bigint
  /** Idle, waste and overhead that are its own. */
  own: bigint
  /** Of what the models that it used cost before they served. */
  making: bigint
}

/** `carbon`: of the same time, in µgCO2e. */
export function costLines(parts: readonly CostPart[], facts: LineFacts, carbon: readonly CostPart[] = []) {
  const { lines, pool, unused } = placed(parts, facts.place)
  for (const name of facts.served.keys()) lineIn(lines, name)
  const emitted = placed(carbon, facts.place).lines
  const order = [...lines].sort(([a], [b]) => (a < b ? -1 : 1))
  const usage = order.map(([, line]) => line.usage)
  const shares = usage.some((amount) => amount > 0n)
    ? split(pool, usage)
    : pool === 0n
      ? usage.map(() => 0n)
      : undefined
  return {
    allocated_by: 'usage cost' as const,
    not_allocated_usd: usdText(unused + (shares ? 0n : pool)),
    rows: order
      .map(([name, line], at) => lineOf(name, line, emitted.get(name), shares?.[at], facts))
      .filter(isSomething),
  }
}

function placed(parts: readonly CostPart[], place: Placing) {
  const lines = new Map<string, Borne>()
  const users = new Map<string, Map<string, bigint>>()
  let [pool, unused] = [0n, 0n]
  const put = (part: CostPart, onto: readonly Weighted[]): void => {
    const amounts = split(
      part.amount,
      onto.map(({ weight }) => weight),
    )
    for (const [at, { name }] of onto.entries()) {
      const amount = amounts[at] ?? 0n
      lineIn(lines, name)[part.kind === 'usage' || part.kind === 'making' ? part.kind : 'own'] += amount
      if (part.kind === 'usage') addTo(users, part.path[2] ?? '', name, amount)
    }
  }
  // Of all hours together, so that the parts are the same to the nano-dollar whether hours are told apart or not.
  const later = new Map<string, CostPart>()
  for (const part of parts) {
    const onto = place(part)
    const model = part.path[0] ?? ''
    if (onto.length > 0) put(part, onto)
    else if (part.kind === 'making')
      later.set(model, { ...part, amount: part.amount + (later.get(model)?.amount ?? 0n) })
    else pool += part.amount
  }
  for (const part of later.values()) {
    const onto = [...(users.get(part.path[0] ?? '') ?? [])]
      .filter(([, weight]) => weight > 0n)
      .map(([name, weight]) => ({ name, weight }))
    if (onto.length > 0) put(part, onto)
    else unused += part.amount
  }
  return { lines, pool, unused }
}

function lineIn(lines: Map<string, Borne>, name: string): Borne {
  const line = lines.get(name) ?? { usage: 0n, own: 0n, making: 0n }
  lines.set(name, line)
  return line
}

function addTo(users: Map<string, Map<string, bigint>>, model: string, name: string, amount: bigint): void {
  const of = users.get(model) ?? new Map<string, bigint>()
  users.set(model, of.set(name, (of.get(name) ?? 0n) + amount))
}

/** What was taken back is shared as what was given. */
function split(amount: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 0) return []
  return amount < 0n ? apportion(-amount, weights).map((part) => -part) : apportion(amount, weights)
}

function lineOf(
  name: string,
  { usage, own, making }: Borne,
  carbon: Borne | undefined,
  share: bigint | undefined,
  { served, earns, energy }: LineFacts,
) {
  const sums = served.get(name)
  const of = (measure: string): number => sums?.get(measure) ?? 0
  const requests = sums?.get('requests') ?? null // of a class of token there are none
  const tokens = tokenClasses.reduce((sum, tokenClass) => sum + of(tokenClass), 0)
  const loaded = share === undefined ? undefined : usage + own + making + share
  const [used, all] = [dollars(usage) ?? 0, dollars(loaded)]
  const revenue = earns ? of('nano_usd') / 1e9 : null
  const joules = of('energy_mj') / 1e3
  const less = (cost: number | null): number | null => (revenue === null || cost === null ? null : revenue - cost)
  const estimate = (value: number | null, unit: string) => figure(value, unit, 'estimated')
  return {
    name,
    usd: usdText(usage),
    own_usd: usdText(own),
    making_usd: usdText(making),
    allocated_usd: share === undefined ? null : usdText(share),
    loaded_usd: loaded === undefined ? null : usdText(loaded),
    requests,
    tokens,
    figures: {
      revenue_usd: estimate(revenue, 'USD'),
      contribution_margin_usd: estimate(less(used), 'USD'),
      contribution_margin_share: estimate(ratio(less(used), revenue), '1'),
      fully_loaded_margin_usd: estimate(less(all), 'USD'),
      fully_loaded_margin_share: estimate(ratio(less(all), revenue), '1'),
      usage_usd_per_request: estimate(ratio(used, requests), 'USD/request'),
      loaded_usd_per_request: estimate(ratio(all, requests), 'USD/request'),
      usage_usd_per_mtoken: estimate(ratio(used * 1e6, tokens), 'USD/M tokens'),
      making_usd_per_mtoken: estimate(
        making === 0n ? null : ratio((dollars(making) ?? 0) * 1e6, tokens),
        'USD/M tokens',
      ),
      loaded_usd_per_mtoken: estimate(ratio(all === null ? null : all * 1e6, tokens), 'USD/M tokens'),
      j_per_request: estimate(joules > 0 ? ratio(joules, requests) : null, `J/request, ${energy}`),
      revenue_usd_per_kwh: estimate(ratio(revenue, joules / 3.6e6), `USD/kWh, ${energy}`),
      revenue_usd_per_mw_h: estimate(ratio(revenue, joules / 3.6e9), `USD/MWh, ${energy}`),
      energy_kwh: estimate(joules > 0 ? joules / 3.6e6 : null, `kWh, ${energy}`),
      tokens_per_j: estimate(ratio(sums?.get('metered') ?? null, joules), `tokens/J, ${energy}`),
      carbon_g: estimate(carbon ? Number(carbon.usage + carbon.own + carbon.making) / 1e6 : null, `gCO2e, ${energy}`),
    },
  } as const
}

export type CostLine = ReturnType<typeof lineOf>

const isSomething = ({ usd, own_usd, making_usd, loaded_usd, requests, tokens, figures }: CostLine): boolean =>
  usd !== '0' ||
  own_usd !== '0' ||
  making_usd !== '0' ||
  (loaded_usd ?? '0') !== '0' ||
  (requests ?? 0) > 0 ||
  tokens > 0 ||
  (figures.revenue_usd.value ?? 0) !== 0

const dollars = (amount: bigint | undefined): number | null => (amount === undefined ? null : Number(amount) / 1e9)
const ratio = (of: number | null, by: number | null): number | null =>
  of === null || by === null || by <= 0 ? null : of / by
