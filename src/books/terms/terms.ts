/**
 * What a tenant agreed to beside prices, hour by hour: a fold over what its requests came to. The same sums and terms give the same
 * lines, for ever; so whatever was posted can be made again from the beginning, and compared.
 */
import type { NanoDollars } from '../../units/amount.ts'
import { nanoDollars } from '../../units/amount.ts'
import { hour_ms, hourOf } from '../cost-hour.ts'
import type { SummedPart } from '../statement-sums.ts'
import type { Adjustment } from './adjustment.ts'
import type { Credit } from './credit.ts'
import { draw } from './credit.ts'

export interface Terms {
  readonly tenant: string
  readonly credits: readonly Credit[]
}

/** What an hour leaves to the next one. */
export interface TermsState {
  /** All that was ever charged under these terms, before anything was taken off or paid. */
  readonly charged: bigint
  /** In the tenant's favour, at most 0: see `draw`. */
  readonly carried: bigint
  /** What is left of each credit. */
  readonly left: ReadonlyMap<string, bigint>
}

export const noTerms: TermsState = { charged: 0n, carried: 0n, left: new Map() }

/** What requests of an hour came to; nothing finer is asked of them. */
export type Charged = Pick<SummedPart, 'slot' | 'application' | 'cause' | 'amount'>

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
  const ahead = new Set(eventful(terms).filter((hour) => hour >= from && hour < to))
  for (const [hour, its] of byHour(parts)) {
    if (hour < from || hour >= to) continue
    for (const before of [...ahead].filter((each) => each < hour).sort((a, b) => a - b)) {
      ahead.delete(before)
      const settled = settleHour(terms, state, before, [])
      state = settled.state
      yield settled
    }
    ahead.delete(hour)
    const settled = settleHour(terms, state, hour, its)
    state = settled.state
    yield settled
  }
  for (const hour of [...ahead].sort((a, b) => a - b)) {
    const settled = settleHour(terms, state, hour, [])
    state = settled.state
    yield settled
  }
}

/** Hours in which something happens though nobody may have asked for anything. */
const eventful = ({ credits }: Terms): number[] =>
  credits.flatMap(({ granted_ms, until_hour }) => [hourOf(granted_ms), ...(until_hour === null ? [] : [until_hour])])

function* byHour(parts: Iterable<Charged>): Generator<readonly [number, readonly Charged[]]> {
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

function settleHour(terms: Terms, state: TermsState, hour: number, parts: readonly Charged[]): SettledHour {
  const left = new Map(state.left)
  const begun = begin(terms, left, hour)
  const ended = end(terms, left, hour)
  const { owed, charged } = charges(parts)
  const usable = terms.credits.filter(({ from_hour, granted_ms }) => hour >= from_hour && hour >= hourOf(granted_ms))
  const { draws, carried } = draw(usable, left, owed, state.carried)
  const paid = draws.map(
    ({ credit, application, amount }): Adjustment => ({
      hour,
      kind: credit.kind,
      of: credit.kind,
      name: credit.id,
      application,
      amount: nanoDollars(amount),
      at_ms: endOf(hour),
    }),
  )
  return {
    hour,
    adjustments: [...begun, ...ended, ...paid],
    state: { charged: state.charged + charged, carried, left },
  }
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
