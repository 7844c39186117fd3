/** Credits that are granted and given back. */
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import { postAdjustments, termsHour } from '../../../books/terms/adjustment.ts'
import type { Credit } from '../../../books/terms/credit.ts'
import { newId } from '../../random/secret.ts'
import { postTransfers } from '../ledger.ts'
import { run } from '../query.ts'
import { change, RegistryError } from '../registry/change.ts'
import { checkName } from '../registry/names.ts'
import type { Store } from '../store.ts'
import { listCredits } from './agreed.ts'
import { allow } from './credit-only.ts'
import { beginTerms, markHour } from './done.ts'

/** A billion dollars: beyond it, it is a slip, and sums stay below 2^63. */
const largest = 10n ** 18n - 1n

export interface Granting extends Pick<Credit, 'tenant' | 'kind' | 'amount' | 'until_hour' | 'note'> {
  /** Undefined: a new one is made. The same credit again, under the same id, is the same credit. */
  readonly id: string | undefined
  /** Undefined: now. */
  readonly from_hour: number | undefined
}

/** The credit, and whether it is new. What was granted is in the ledger at once. */
export function grantCredit(store: Store, asked: Granting, now_ms: number): { credit: Credit; isNew: boolean } {
  const from_hour = asked.from_hour ?? hourOf(now_ms)
  if (asked.amount <= 0n || asked.amount > largest)
    throw new RegistryError('invalid', 'a credit is more than nothing and less than a billion dollars', {
      param: 'usd',
    })
  if (from_hour < hourOf(now_ms))
    throw new RegistryError('invalid', 'a credit begins with the hour under way, or later', { param: 'from' })
  if (asked.until_hour !== null && asked.until_hour <= Math.max(from_hour, hourOf(now_ms)))
    throw new RegistryError('invalid', 'the credit would end before it could be used', { param: 'expires' })
  const id = asked.id === undefined ? newId('cr') : checkName('credit', 'id', asked.id)
  const { tenant, kind, amount, until_hour, note } = asked
  const credit: Credit = { id, tenant, kind, amount, from_hour, until_hour, note, granted_ms: now_ms, returned: false }
  return store.transaction(() => {
    const known = asked.id === undefined ? undefined : listCredits(store).find((one) => one.id === id)
    if (known) return { credit: sameCredit(known, asked), isNew: false }
    change(store, () => insertCredit(store, credit, now_ms))
    return { credit, isNew: true }
  })
}

function insertCredit(store: Store, credit: Credit, now_ms: number): void {
  const { id, tenant, kind, amount, from_hour, until_hour, note } = credit
  beginTerms(store, tenant, now_ms)
  run(
    store.database,
    'insert into credit (id, tenant, kind, amount, granted_ms, from_hour, until_hour, note) values (?, ?, ?, ?, ?, ?, ?, ?)',
    ...[id, tenant, kind, amount, now_ms, from_hour, until_hour, note],
  )
  postGrant(store, credit)
  markHour(store, tenant, hourOf(now_ms))
  allow(store, tenant, now_ms)
}

function sameCredit(known: Credit, { id: _, from_hour, ...asked }: Granting): Credit {
  const same =
    known.tenant === asked.tenant &&
    known.kind === asked.kind &&
    known.amount === asked.amount &&
    (from_hour === undefined || known.from_hour === from_hour) &&
    (known.returned || known.until_hour === asked.until_hour)
  if (same) return known
  throw new RegistryError('conflict', `credit ${known.id} is there already, and is another one`, {
    param: 'id',
    next: `wattmill credits list --tenant ${known.tenant}`,
  })
}

function postGrant(store: Store, { id, tenant, kind, amount, granted_ms }: Credit): void {
  const hour = hourOf(granted_ms)
  const granted = { hour, kind: 'granted', of: kind, name: id, application: '', amount, at_ms: granted_ms } as const
  postTransfers(store, [{ source: termsHour(tenant, hour), transfers: postAdjustments(tenant, [granted], []) }])
}

/** What is left of it when the hour under way is over goes back to where it came from. */
export function returnCredit(store: Store, id: string, now_ms: number): Credit {
  const credit = listCredits(store).find((one) => one.id === id)
  if (!credit)
    throw new RegistryError('not_found', `no credit ${id.slice(0, 80)}`, { param: 'id', next: 'wattmill credits list' })
  const until_hour = hourOf(now_ms) + 1
  if (credit.until_hour !== null && credit.until_hour <= until_hour)
    throw new RegistryError('conflict', `credit ${id} has ended, or ends with this hour`, { param: 'id' })
  change(store, () => {
    run(store.database, 'update credit set until_hour = ?, returned = 1 where id = ?', until_hour, id)
    markHour(store, credit.tenant, until_hour)
  })
  return { ...credit, until_hour, returned: true }
}

export const endsAt_ms = ({ until_hour }: Credit): number | null => (until_hour === null ? null : until_hour * hour_ms)
