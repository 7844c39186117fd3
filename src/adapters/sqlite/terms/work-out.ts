/** A tenant's terms over its hours, from the last one before which nothing has changed. */
import { hourOf } from '../../../books/cost-hour.ts'
import type { Adjustment } from '../../../books/terms/adjustment.ts'
import { monthStart } from '../../../books/terms/month.ts'
import type { SettledHour, TermsState } from '../../../books/terms/terms.ts'
import { noTerms, settleTerms } from '../../../books/terms/terms.ts'
import { one, run } from '../query.ts'
import { orderedCharges } from '../statement-sums.ts'
import type { Store } from '../store.ts'
import { listCredits, termsIn } from './agreed.ts'
import type { DoneRow } from './done.ts'

type Reader = Pick<Store, 'database'>

/** From the beginning of all on, and without anything that was kept: what an audit compares with. */
export function settledFromBeginning(store: Reader, tenant: string, to: number): Generator<SettledHour> {
  const first = doneOf(store, tenant)?.first_hour ?? 0
  return settledSince(store, tenant, { hour: first, state: noTerms }, to)
}

/** The lines that should be posted by now: of hours that are, and the credits that were granted since. */
export function adjustmentsAgain(store: Reader, tenant: string): Adjustment[] {
  const done = doneOf(store, tenant)
  if (!done) return []
  const granted = listCredits(store, tenant).map(({ granted_ms }) => hourOf(granted_ms) + 1)
  return [...settledFromBeginning(store, tenant, Math.max(done.next_hour, ...granted))]
    .flatMap(({ adjustments }) => adjustments)
    .filter(({ hour, kind }) => hour < done.next_hour || kind === 'granted')
}

const doneOf = ({ database }: Reader, tenant: string): DoneRow | undefined =>
  one<DoneRow>(database, 'select * from terms_done where tenant = ?', tenant)

/** What all hours before `hour` left to it. */
export interface Kept {
  readonly hour: number
  readonly state: TermsState
}

/** The last that is kept of hours until `hour`, and is still what it was. Before there were terms there was nothing. */
export function keptUntil(store: Reader, tenant: string, hour: number): Kept {
  const done = doneOf(store, tenant)
  if (!done) return { hour, state: noTerms }
  const kept = one<{ hour: number; state: string }>(
    store.database,
    'select hour, state from terms_month where tenant = ? and hour <= ? order by hour desc limit 1',
    tenant,
    Math.min(hour, done.stale_hour ?? hour),
  )
  return kept ? { hour: kept.hour, state: stateFrom(kept.state) } : { hour: done.first_hour, state: noTerms }
}

/** Hours from what is kept until before `to`. */
export const settledSince = (
  store: Reader,
  tenant: string,
  { hour, state }: Kept,
  to: number,
  terms = termsIn(store, tenant),
): Generator<SettledHour> => {
  const fine = terms.agreements.some(({ kind }) => kind !== 'commitment')
  return settleTerms(terms, state, orderedCharges(store, tenant, hour, to, fine), hour, to)
}

/** What the month under way has come to, provisional by the hours of it that are not over. */
export function monthNow(store: Reader, tenant: string, now_ms: number): Pick<TermsState, 'spent' | 'counted'> {
  const hour = hourOf(now_ms)
  const kept = keptUntil(store, tenant, hour)
  let { state } = kept
  for (const settled of settledSince(store, tenant, kept, hour + 1)) state = settled.state
  return state.month === monthStart(hour) ? state : noTerms
}

/** Of days, and of the hour that is to be posted next: what comes late is worked out from its day on, all else from there. */
export const keep = ({ database }: Reader, tenant: string, { hour, state }: Kept): void =>
  void run(
    database,
    `insert into terms_month (tenant, hour, state) values (?, ?, ?)
     on conflict (tenant, hour) do update set state = excluded.state`,
    tenant,
    hour,
    textOf(state),
  )

/** What hours from there on left, and what was kept only because it was the next one. */
export function forgetFrom({ database }: Reader, tenant: string, hour: number): void {
  const first = dayStart(hour) === hour ? hour + 1 : hour
  run(database, 'delete from terms_month where tenant = ? and hour >= ?', tenant, first)
}

export const dayStart = (hour: number): number => hour - (hour % 24)

/** Of months before the last one their beginnings are enough: little comes so late. */
export function forgetDays({ database }: Reader, tenant: string, hour: number): void {
  const last = monthStart(monthStart(hour) - 1)
  const days = 'delete from terms_month where tenant = ? and hour > ? and hour < ?'
  run(database, days, tenant, monthStart(last - 1), last)
}

/** Amounts outgrow the numbers of JSON, and names of what people chose are no names of fields. */
const textOf = (state: TermsState): string =>
  JSON.stringify(state, (_, value: unknown) =>
    typeof value === 'bigint' ? { bigint: value.toString() } : value instanceof Map ? { pairs: [...value] } : value,
  )

const stateFrom = (text: string): TermsState =>
  JSON.parse(text, (_, value) => (value?.bigint ? BigInt(value.bigint) : value?.pairs ? new Map(value.pairs) : value))
