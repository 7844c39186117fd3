/**
 * What a tenant agreed to beside prices, hour by hour: a fold over what its requests came to. The same sums and terms give the same
 * lines, for ever; so whatever was posted can be made again from the beginning, and compared.
 */
import type { NanoDollars } from '../../units/amount.ts'
import { nanoDollars } from '../../units/amount.ts'
import { hour_ms, hourOf } from '../cost-hour.ts'
import type { Adjustment } from './adjustment.ts'
import type { Agreement } from './agreement.ts'
import { agreedIn } from './agreement.ts'
import type { Credit, Draw } from './credit.ts'
import { draw } from './credit.ts'
import type { Charged, Counted, Taken } from './discount.ts'
import { takeOff } from './discount.ts'
import { monthStart, nextMonth } from './month.ts'

export interface Terms {
  readonly tenant: string
  readonly credits: readonly Credit[]
  /** Its own, and those of all tenants. */
  readonly agreements: readonly Agreement[]
}

/** What an hour leaves to the next one. */
export interface TermsState {
  /** All that was ever charged under these terms, before anything was taken off or paid. */
  readonly charged: bigint
  /** In the tenant's favour, at most 0: see `draw`. */
  readonly carried: bigint
  /** What is left of each credit. */
  readonly left: ReadonlyMap<string, bigint>
  /** The month that the rest is of, by its first hour. */
  readonly month: number
  /** What its charges come to, less what came back and what is taken off; before credit. */
  readonly spent: bigint
  /** By version of agreement. */
  readonly counted: ReadonlyMap<number, Counted>
}

export const noTerms: TermsState = {
  charged: 0n,
  carried: 0n,
  left: new Map(),
  month: 0,
  spent: 0n,
  counted: new Map(),
}

export interface SettledHour {
  readonly hour: number
  readonly adjustments: readonly Adjustment[]
  /** After it. */
  readonly state: TermsState
}

/** Hours of [from, to) in which something happens. `parts`: of the tenant, hour after hour. */
export function* settleTerms(
  terms: Terms,
  begin: TermsState,
  parts: Iterable<Charged>,
  from: number,
  to: number,
): Generator<SettledHour> {
  let state = begin
  const within = (hour: number): boolean => hour >= from && hour < to
  const ahead = [...new Set(eventful(terms, from, to))].filter(within).sort((a, b) => a - b)
  for (const [hour, its] of withEventful(byHour(parts), ahead)) {
    if (!within(hour)) continue
    const settled = settleHour(terms, state, hour, its)
    state = settled.state
    yield settled
  }
}

type Hour = readonly [number, readonly Charged[]]

function* withEventful(hours: Iterable<Hour>, eventful: readonly number[]): Generator<Hour> {
  const ahead = eventful.values()
  let { value: next } = ahead.next()
  for (const hour of hours) {
    for (; next !== undefined && next < hour[0]; next = ahead.next().value) yield [next, []]
    if (next === hour[0]) next = ahead.next().value
    yield hour
  }
  for (; next !== undefined; next = ahead.next().value) yield [next, []]
}

/** Hours in which something happens though nobody may have asked for anything. */
function eventful({ credits, agreements }: Terms, from: number, to: number): number[] {
  const hours = credits.flatMap(({ granted_ms, until_hour }) => [hourOf(granted_ms), until_hour ?? []].flat())
  if (!agreements.some(({ kind }) => kind === 'commitment')) return hours
  for (let end = nextMonth(from); end <= to; end = nextMonth(end)) hours.push(end - 1)
  return hours
}

function* byHour(parts: Iterable<Charged>): Generator<Hour> {
  let held: Charged[] = []
  for (const part of parts) {
    if (held[0] && held[0].slot !== part.slot) {
      yield [held[0].slot, held]
      held = []
    }
    held.push(part)
  }
  if (held[0]) yield [held[0].slot, held]
}

/** An hour's lines are dated at its last millisecond, so that they are on the statement of the time in which it ends. */
const endOf = (hour: number): number => (hour + 1) * hour_ms - 1

function settleHour(terms: Terms, before: TermsState, hour: number, parts: readonly Charged[]): SettledHour {
  const month = monthStart(hour)
  const state = before.month === month ? before : { ...before, month, spent: 0n, counted: noTerms.counted }
  const left = new Map(state.left)
  const begun = begin(terms, left, hour)
  const ended = end(terms, left, hour)
  const { owed, charged } = charges(parts)
  const { taken, counted } = takeOff(terms.agreements, state.counted, parts, hour)
  for (const { application, amount } of taken) owed.set(application, (owed.get(application) ?? 0n) - amount)
  const spent = state.spent + [...owed.values()].reduce((sum, amount) => sum + amount, 0n)
  const usable = terms.credits.filter(({ from_hour, granted_ms }) => hour >= from_hour && hour >= hourOf(granted_ms))
  const { draws, carried } = draw(usable, left, owed, state.carried)
  return {
    hour,
    adjustments: [
      ...begun,
      ...ended,
      ...taken.map((each) => takenLine(hour, each)),
      ...draws.map((each) => drawnLine(hour, each)),
      ...shortfall(terms, hour, spent),
    ],
    state: { charged: state.charged + charged, carried, left, month, spent, counted },
  }
}

const drawnLine = (hour: number, { credit, application, amount }: Draw): Adjustment => ({
  hour,
  kind: credit.kind,
  of: credit.kind,
  name: credit.id,
  application,
  amount: nanoDollars(amount),
  at_ms: endOf(hour),
})

const takenLine = (hour: number, { agreement, application, model, amount }: Taken): Adjustment => ({
  hour,
  kind: agreement.kind,
  of: model,
  name: String(agreement.version),
  application,
  amount: nanoDollars(amount),
  at_ms: endOf(hour),
})

/** In the last hour of a month: what its charges lack of what was promised. No credit pays it: credit is for what is asked for. */
function shortfall({ agreements }: Terms, hour: number, spent: bigint): Adjustment[] {
  if (nextMonth(hour) !== hour + 1) return []
  const promised = agreedIn(agreements, hour).find(({ kind }) => kind === 'commitment')
  if (!promised || promised.amount <= spent) return []
  const amount = nanoDollars(promised.amount - spent)
  const name = String(promised.version)
  return [{ hour, kind: 'commitment', of: '', name, application: '', amount, at_ms: endOf(hour) }]
}

/** What requests of an hour owe by application, before anything else: what was charged, less what came back. */
function charges(parts: readonly Charged[]): { readonly owed: Map<string, bigint>; readonly charged: bigint } {
  const owed = new Map<string, bigint>()
  let charged = 0n
  for (const { application, cause, amount } of parts) {
    if (cause === 'refund') owed.set(application, (owed.get(application) ?? 0n) - amount)
    if (cause !== null && cause !== 'cache_hit') continue
    owed.set(application, (owed.get(application) ?? 0n) + amount)
    charged += amount
  }
  return { owed, charged }
}

function begin({ credits }: Terms, left: Map<string, bigint>, hour: number): Adjustment[] {
  return credits
    .filter(({ granted_ms }) => hourOf(granted_ms) === hour)
    .map(({ id, kind, amount, granted_ms }) => {
      left.set(id, amount)
      return { hour, kind: 'granted', of: kind, name: id, application: '', amount, at_ms: granted_ms }
    })
}

/** What is left of credits that end with the beginning of this hour. */
function end({ credits }: Terms, left: Map<string, bigint>, hour: number): Adjustment[] {
  return credits
    .filter(({ until_hour }) => until_hour === hour)
    .flatMap(({ id, kind, returned }) => {
      const amount: NanoDollars = nanoDollars(left.get(id) ?? 0n)
      left.delete(id)
      if (amount === 0n) return []
      const what = returned ? 'returned' : kind === 'prepaid' ? 'breakage' : 'expired'
      return { hour, kind: what, of: kind, name: id, application: '', amount, at_ms: hour * hour_ms } as const
    })
}
