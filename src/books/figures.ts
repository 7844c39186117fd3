import type { Grade } from '../plant/energy/meter.ts'
import { quantile } from './latency.ts'

/** A number as people see it: with its unit and how it came to be. `null`: it is not known, which is not zero. */
export interface Figure {
  readonly value: number | null
  readonly unit: string
  /** The weakest of what it was made of; null with a null value. */
  readonly source: Grade | null
}

/** Sums of `tally.ts`, by measure. */
export type Sums = ReadonlyMap<string, number>

/**
 * Figures of a time of `seconds`, from its sums:
 *
 *     tokens/s = output tokens ÷ time                  $/M tokens = revenue ÷ tokens served × 10⁶
 *     share failed = requests not billed ÷ requests    tokens/J = metered tokens ÷ energy drawn, idle and waste included
 *     J/token = energy attributed ÷ metered tokens: what the tokens of a model or an application took
 *
 * Metered are output tokens of requests to which energy was attributed: what a hosted engine drew is not known.
 * Tokens served are input and output; a token that was read from the cache was served too.
 */
export function figuresOf(sums: Sums, seconds: number) {
  const of = (measure: string): number => sums.get(measure) ?? 0
  const output = of('output_visible') + of('reasoning')
  const input = of('input_uncached') + of('cache_read') + of('cache_write')
  const counted: Grade = of('estimated') > 0 ? 'estimated' : 'measured'
  const usd = of('nano_usd') / 1e9
  const drawn = drawnOf(sums)
  return {
    requests: figure(of('requests'), 'requests', 'measured'),
    requests_per_min: figure((of('requests') / seconds) * 60, 'requests/min', 'measured'),
    failed_share: figure(ratio(of('failed'), of('requests')), '1', 'measured'),
    input_tokens: figure(input, 'tokens', counted),
    output_tokens: figure(output, 'tokens', counted),
    output_tokens_per_s: figure(output / seconds, 'tokens/s', counted),
    cached_share: figure(ratio(of('cache_read'), input), '1', counted),
    ttft_p50_ms: figure(percentile(sums, 'ttft', 0.5), 'ms', 'measured'),
    ttft_p95_ms: figure(percentile(sums, 'ttft', 0.95), 'ms', 'measured'),
    itl_p50_ms: figure(percentile(sums, 'itl', 0.5), 'ms', 'measured'),
    itl_p95_ms: figure(percentile(sums, 'itl', 0.95), 'ms', 'measured'),
    revenue_usd: figure(usd, 'USD', counted),
    revenue_usd_per_h: figure((usd / seconds) * 3600, 'USD/h', counted),
    revenue_usd_per_mtoken: figure(ratio(usd * 1e6, input + output), 'USD/M tokens', counted),
    // How a request's part of a meter was found is a rule, whatever the meter.
    energy_j: figure(of('energy_mj') / 1000, 'J', 'estimated'),
    j_per_token: figure(ratio(of('energy_mj') / 1000, of('metered')), 'J/token', 'estimated'),
    tokens_per_j: figure(ratio(of('metered'), drawn.joules), 'tokens/J', weaker(counted, drawn.source)),
  } as const
}

export type Figures = ReturnType<typeof figuresOf>
export type FigureName = keyof Figures

/**
 * What capacity cost by declaration, in dollars, beside what was earned; all unknown where nothing is declared.
 *
 *     margin = revenue − cost of capacity        share of margin = margin ÷ revenue
 *
 * Electricity is in it as far as the declaration holds it: a rented machine's price does, an own one's may not.
 */
export function marginOf(sums: Sums, seconds: number, cost: number | undefined) {
  const { revenue_usd, input_tokens, output_tokens } = figuresOf(sums, seconds)
  const usd = cost ?? null
  const revenue = revenue_usd.value ?? 0
  const margin = usd === null ? null : revenue - usd
  const perHour = (value: number | null): number | null => (value === null ? null : (value / seconds) * 3600)
  const tokens = (input_tokens.value ?? 0) + (output_tokens.value ?? 0)
  return {
    cost_usd_per_h: figure(perHour(usd), 'USD/h', 'estimated'),
    cost_usd_per_mtoken: figure(usd === null ? null : ratio(usd * 1e6, tokens), 'USD/M tokens', 'estimated'),
    margin_usd_per_h: figure(perHour(margin), 'USD/h', 'estimated'),
    margin_share: figure(margin === null ? null : ratio(margin, revenue), '1', 'estimated'),
  } as const
}

export type Margin = ReturnType<typeof marginOf>

/** Tokens and energy that went one way. Whose a meter's energy was is found by a rule, whatever the meter. */
export const wentFigures = (tokens: number, energy_mj: number) => ({
  tokens: figure(tokens, 'tokens', 'measured'),
  energy_j: figure(energy_mj / 1000, 'J', 'estimated'),
})

/** Power of all meters: each one's energy ÷ the time that it was read. */
export function powerOf(meters: Iterable<Sums>) {
  let [watts, floor]: [number | null, number] = [null, 0]
  let source: Grade | null = null
  for (const sums of meters) {
    const metered_s = (sums.get('metered_ms') ?? 0) / 1000
    if (metered_s === 0) continue
    const drawn = drawnOf(sums)
    watts = (watts ?? 0) + drawn.joules / metered_s
    floor += (sums.get('floor_mj') ?? 0) / 1000 / metered_s
    source = weaker(source, drawn.source)
  }
  return {
    power_w: figure(watts, 'W', source),
    idle_w: figure(watts === null ? null : floor, 'W', source),
  } as const
}

export type Power = ReturnType<typeof powerOf>

function drawnOf(sums: Sums): { joules: number; source: Grade | null } {
  const parts = grades.filter((grade) => sums.has(`drawn/${grade}`))
  const joules = parts.reduce((sum, grade) => sum + (sums.get(`drawn/${grade}`) ?? 0) / 1000, 0)
  return { joules, source: parts.at(-1) ?? null }
}

/** Best first. */
const grades: readonly Grade[] = ['measured', 'estimated', 'simulated']
const weaker = (a: Grade | null, b: Grade | null): Grade | null =>
  a === null || b === null ? (a ?? b) : grades.indexOf(a) > grades.indexOf(b) ? a : b

export const figure = (value: number | null, unit: string, source: Grade | null): Figure => ({
  value,
  unit,
  source: value === null ? null : source,
})

const ratio = (of: number, to: number): number | null => (to > 0 ? of / to : null)

function percentile(sums: Sums, kind: string, q: number): number | null {
  const counts = new Map<number, number>()
  for (const [measure, count] of sums)
    if (measure.startsWith(`${kind}/`)) counts.set(Number(measure.slice(kind.length + 1)), count)
  return quantile(counts, q) ?? null
}
