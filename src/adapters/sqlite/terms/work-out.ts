/** A tenant's terms over its hours, from the month in which something may have changed. */
import { hour_ms } from '../../../books/cost-hour.ts'
import type { Adjustment } from '../../../books/terms/adjustment.ts'
import type { SettledHour, TermsState } from '../../../books/terms/terms.ts'
import { noTerms, settleTerms } from '../../../books/terms/terms.ts'
import { one, run } from '../query.ts'
import { orderedParts } from '../statement-sums.ts'
import type { Store } from '../store.ts'
import { termsIn } from './agreed.ts'
import type { DoneRow } from './done.ts'

type Reader = Pick<Store, 'database'>

/** From the beginning of all on, and without anything that was kept: what an audit compares with. */
export function settledFromBeginning(store: Reader, tenant: string, to: number): Generator<SettledHour> {
  const first = firstHour(store, tenant)
  return settleTerms(termsIn(store, tenant), noTerms, orderedParts(store, tenant, first, to), first, to)
}

/** No hour comes after it. */
export const lastHour = 9_999_999

/** The lines that should be posted by now: of hours that are, and the credits that were granted since. */
export function adjustmentsAgain(store: Reader, tenant: string): Adjustment[] {
  const done = one<DoneRow>(store.database, 'select * from terms_done where tenant = ?', tenant)
  if (!done) return []
  return [...settledFromBeginning(store, tenant, lastHour)]
    .flatMap(({ adjustments }) => adjustments)
    .filter(({ hour, kind }) => hour < done.next_hour || kind === 'granted')
}

const firstHour = ({ database }: Reader, tenant: string): number =>
  one<{ first: number }>(database, 'select first_hour as first from terms_done where tenant = ?', tenant)?.first ?? 0

/** From the newest kept month that began no later than `from`; hours before `from` too. Gives the state at the end. */
export function* settledSince(
  store: Reader,
  tenant: string,
  from: number,
  to: number,
): Generator<SettledHour, TermsState> {
  const kept = one<{ hour: number; state: string }>(
    store.database,
    'select hour, state from terms_month where tenant = ? and hour <= ? order by hour desc limit 1',
    tenant,
    from,
  )
  const begin = kept?.hour ?? firstHour(store, tenant)
  let state = kept ? stateFrom(kept.state) : noTerms
  for (const settled of settleTerms(termsIn(store, tenant), state, orderedParts(store, tenant, begin, to), begin, to)) {
    yield settled
    state = settled.state
  }
  return state
}

/** What a month begins with; months in which nothing happened need none. */
export const keepMonth = ({ database }: Reader, tenant: string, hour: number, state: TermsState): void =>
  void run(
    database,
    `insert into terms_month (tenant, hour, state) values (?, ?, ?)
     on conflict (tenant, hour) do update set state = excluded.state`,
    tenant,
    monthStart(hour),
    JSON.stringify({ ...state, left: Object.fromEntries(state.left) }, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  )

export const forgetMonthsAfter = ({ database }: Reader, tenant: string, hour: number): void =>
  void run(database, 'delete from terms_month where tenant = ? and hour > ?', tenant, hour)

/** The first hour of its month, UTC. */
export function monthStart(hour: number): number {
  const at = new Date(hour * hour_ms)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth()) / hour_ms
}

interface StateText {
  readonly charged: string
  readonly carried: string
  readonly left: Readonly<Record<string, string>>
}

function stateFrom(text: string): TermsState {
  const { charged, carried, left } = JSON.parse(text) as StateText
  return {
    charged: BigInt(charged),
    carried: BigInt(carried),
    left: new Map(Object.entries(left).map(([id, amount]) => [id, BigInt(amount)])),
  }
}
