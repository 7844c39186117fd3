/** What the factory did, for pages: now, over a range, and slot by slot. */
import type { CostSpan } from '../../books/economics.ts'
import { declaredCost } from '../../books/economics.ts'
import type { Figure, FigureName, Figures, Margin, Power } from '../../books/figures.ts'
import { figuresOf, marginOf, powerOf, wentFigures } from '../../books/figures.ts'
import type { Range, Stretch } from '../../books/range.ts'
import { untilNow, wholeSlots } from '../../books/range.ts'
import type { Dimension } from '../../books/tally.ts'
import { parted } from '../../books/tally.ts'
import { tokenClasses } from '../../books/usage.ts'
import type { Books } from './books.ts'
import { one } from './query.ts'
import type { Slots } from './sums.ts'
import { sumsByName, sumsBySlot, sumsOf } from './sums.ts'

export interface Named {
  readonly name: string
  readonly figures: Figures
}

/** More rows than this no page shows; the rest is on statements and in the export. */
const mostNames = 1000

/** Every name of a dimension with its figures, those that made most tokens first. */
export function usage(books: Books, dimension: Dimension, stretch: Stretch & { readonly seconds: number }): Named[] {
  const named = [...sumsByName(books, dimension, stretch)].map(([name, sums]) => ({
    name,
    figures: figuresOf(sums, stretch.seconds),
  }))
  const tokens = ({ figures }: Named): number => (figures.output_tokens.value ?? 0) + (figures.input_tokens.value ?? 0)
  return named.sort((a, b) => tokens(b) - tokens(a)).slice(0, mostNames)
}

/** The figures of one name, or of the whole factory. */
export const figuresFor = (
  books: Books,
  dimension: Dimension,
  name: string,
  stretch: Stretch & { readonly seconds: number },
): Figures => figuresOf(sumsOf(books, dimension, name, stretch), stretch.seconds)

/** The figures of the whole factory, with what its capacity cost meanwhile. */
export function factoryFigures(
  books: Books,
  stretch: Stretch & { readonly seconds: number },
  costs: readonly CostSpan[],
): Figures & Margin {
  const sums = sumsOf(books, 'factory', '', stretch)
  const from_ms = stretch.from_s * 1000
  const cost = costIn(costs, from_ms, from_ms + stretch.seconds * 1000)
  return { ...figuresOf(sums, stretch.seconds), ...marginOf(sums, stretch.seconds, cost) }
}

/** Nothing declared is unknown, and not free. */
const costIn = (costs: readonly CostSpan[], from_ms: number, to_ms: number): number | undefined =>
  costs.some((span) => span.from_ms < to_ms && (span.until_ms ?? to_ms) > from_ms)
    ? declaredCost(costs, from_ms, to_ms)
    : undefined

export interface MeterNow {
  readonly meter: string
  readonly figures: Power
}

/** Each meter, and all together. */
export function power(books: Books, stretch: Stretch): { readonly meters: MeterNow[]; readonly all: Power } {
  const meters = sumsByName(books, 'meter', stretch)
  return {
    meters: [...meters].map(([meter, sums]) => ({ meter, figures: powerOf([sums]) })),
    all: powerOf(meters.values()),
  }
}

export interface Flow {
  readonly replica: string
  readonly model: string
  readonly tenant: string
  readonly application: string
  readonly output_tokens_per_s: number
  readonly input_tokens_per_s: number
}

/** More ribbons than this nobody tells apart. */
const mostFlows = 200

/** The ways that tokens took through the factory, the busiest first. */
export function flows(books: Books, stretch: Stretch & { readonly seconds: number }): Flow[] {
  const found = [...sumsByName(books, 'flow', stretch)].map(([name, sums]): Flow => {
    const [replica = '', model = '', tenant = '', application = ''] = parted(name)
    const rate = (measure: string): number => (sums.get(measure) ?? 0) / stretch.seconds
    return {
      replica,
      model,
      tenant,
      application,
      output_tokens_per_s: rate('output'),
      input_tokens_per_s: rate('input'),
    }
  })
  return found.sort((a, b) => b.output_tokens_per_s - a.output_tokens_per_s).slice(0, mostFlows)
}

const settledInAll = `
  select total(amount) as n from tally where span_s = 3600 and dimension = 'factory' and measure = 'requests'`

/** All requests that were ever settled: by the hour, since counting their rows would take longer with each. */
export const requestsSettled = ({ database }: Books): number => one<{ n: number }>(database, settledInAll)?.n ?? 0

/** What charts draw; a figure that is not here is in `usage`. */
const drawn = [
  'requests_per_min',
  'failed_share',
  'output_tokens_per_s',
  'ttft_p50_ms',
  'ttft_p95_ms',
  'itl_p50_ms',
  'itl_p95_ms',
  'revenue_usd_per_h',
  'revenue_usd_per_mtoken',
  'tokens_per_j',
  'j_per_token',
] as const satisfies readonly FigureName[]

export interface Series {
  readonly from_s: number
  readonly step_s: number
  /** One value a slot; null where nothing is known. */
  readonly lines: Readonly<Record<string, readonly (number | null)[]>>
}

/** A name's figures, slot by slot; for the whole factory its power and its margin too. */
export function series(
  books: Books,
  dimension: Dimension,
  name: string,
  range: Range,
  now_ms: number,
  costs: readonly CostSpan[] = [],
): Series {
  const stretch = wholeSlots(range, now_ms)
  const { from_s, to_s, span } = stretch
  const bySlot = sumsBySlot(books, dimension, name, stretch)
  const slots = Array.from({ length: (to_s - from_s) / span }, (_, index) => from_s + index * span)
  const figures = slots.map((slot) => figuresOf(bySlot.get(slot) ?? new Map(), span))
  const lines = Object.fromEntries(drawn.map((of) => [of, figures.map((each) => short(each[of].value))]))
  return {
    from_s,
    step_s: span,
    lines:
      dimension === 'factory'
        ? { ...lines, ...powerLines(books, stretch, slots), ...marginLines(bySlot, slots, span, costs) }
        : lines,
  }
}

function powerLines(books: Books, stretch: Stretch, slots: readonly number[]) {
  const meters = [...sumsByName(books, 'meter', stretch).keys()].map(
    (meter): Slots => sumsBySlot(books, 'meter', meter, stretch),
  )
  const powers = slots.map((slot) => powerOf(meters.map((meter) => meter.get(slot) ?? new Map())))
  return {
    power_w: powers.map((each) => short(each.power_w.value)),
    idle_w: powers.map((each) => short(each.idle_w.value)),
  }
}

function marginLines(bySlot: Slots, slots: readonly number[], span: number, costs: readonly CostSpan[]) {
  const each = slots.map((slot) =>
    marginOf(bySlot.get(slot) ?? new Map(), span, costIn(costs, slot * 1000, (slot + span) * 1000)),
  )
  const names = ['cost_usd_per_h', 'cost_usd_per_mtoken', 'margin_usd_per_h'] as const
  return Object.fromEntries(names.map((name) => [name, each.map((margin) => short(margin[name].value))]))
}

/** Four digits are more than a line shows, and a fifth of the bytes. */
const short = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(4)))

/** A name's figures over a range that ends now. */
export const usageOver = (books: Books, dimension: Dimension, range: Range, now_ms: number): Named[] =>
  usage(books, dimension, untilNow(range, now_ms))

export interface Went {
  readonly name: string
  readonly figures: { readonly tokens: Figure; readonly energy_j: Figure }
}

/** Where tokens and energy went: to tenants, to waste by its cause, and the energy of nobody's work. */
export function whereItWent(books: Books, stretch: Stretch): Went[] {
  const all = sumsOf(books, 'factory', '', stretch)
  const row = (name: string, tokens: number, energy_mj: number): Went => ({
    name,
    figures: wentFigures(tokens, energy_mj),
  })
  const wasted = [...sumsByName(books, 'waste', stretch)].map(([cause, sums]) =>
    row(cause, sums.get('wasted') ?? 0, sums.get('wasted_mj') ?? 0),
  )
  const served = tokenClasses.reduce((sum, of) => sum + (all.get(of) ?? 0), 0)
  const rows = [row('served', served, all.get('energy_mj') ?? 0), ...wasted, row('idle', 0, all.get('idle_mj') ?? 0)]
  return rows.filter(({ figures }) => figures.tokens.value !== 0 || figures.energy_j.value !== 0)
}
