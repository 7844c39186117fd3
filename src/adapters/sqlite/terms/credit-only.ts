/**
 * Tenants that are served for as long as their credit lasts. Credit is drawn by the hour; until then an allowance stands for it, which
 * gateways lease like any other: what was charged so far and what is left of credit, together. What is charged moves from the one to the
 * other, so the allowance stays the same until credit comes or goes.
 */
import type { Allowance } from '../../../books/allowance.ts'
import { allowance } from '../../../books/allowance.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import { all, allBig, one, run } from '../query.ts'
import { settleLeases } from '../registry/budget.ts'
import { change, RegistryError } from '../registry/change.ts'
import type { Store } from '../store.ts'
import { termsIn } from './agreed.ts'
import { beginTerms } from './done.ts'
import { keptUntil, settledSince } from './work-out.ts'

type Reader = Pick<Store, 'database'>

const of = (tenant: string, amount: bigint): Allowance =>
  allowance({ scope: 'tenant', of: tenant, unit: 'nano-USD', renews: 'never', amount })

/** One for each such tenant. */
export const creditAllowances = ({ database }: Reader): Allowance[] =>
  allBig<{ tenant: string; allowed: bigint }>(database, 'select tenant, allowed from credit_only order by tenant').map(
    ({ tenant, allowed }) => of(tenant, allowed > 0n ? allowed : 0n),
  )

export const isCreditOnly = ({ database }: Reader, tenant: string): boolean =>
  one(database, 'select 1 from credit_only where tenant = ?', tenant) !== undefined

/**
 * All that was charged to a tenant under its terms; and, when all that is settled until now is paid, what is left of each credit, and of
 * those that it may use now. Hours that are not over yet are provisional.
 */
export function creditNow(store: Reader, tenant: string, now_ms: number, terms = termsIn(store, tenant)) {
  const hour = hourOf(now_ms)
  const kept = keptUntil(store, tenant, hour)
  let { charged, left } = kept.state
  for (const { state } of settledSince(store, tenant, kept, hour + 1, terms)) ({ charged, left } = state)
  const usable = terms.credits.filter(({ from_hour }) => from_hour <= hour)
  return { charged, left, usable: usable.reduce((sum, { id }) => sum + (left.get(id) ?? 0n), 0n) }
}

/** The same, and of hours that are not posted yet at full price: what is taken off an hour is known when it is over. */
const creditToSpend = (store: Reader, tenant: string, now_ms: number) =>
  creditNow(store, tenant, now_ms, { ...termsIn(store, tenant), agreements: [] })

/** From now on nothing is served to the tenant that credit does not pay; or, again, whatever it asks for. */
export function setCreditOnly(store: Store, tenant: string, only: boolean, now_ms: number): void {
  if (!only) {
    change(store, () => run(store.database, 'delete from credit_only where tenant = ?', tenant))
    return
  }
  const { id } = of(tenant, 0n)
  change(store, () => {
    if (one(store.database, 'select 1 from allowance where id = ?', id))
      throw new RegistryError('conflict', `tenant ${tenant} has a budget in dollars that never renews`, {
        param: 'tenant',
        next: `wattmill budgets remove ${id}   (credit takes its place)`,
      })
    if (isCreditOnly(store, tenant)) return
    beginTerms(store, tenant, now_ms)
    const { charged, usable } = creditToSpend(store, tenant, now_ms)
    const used = settleLeases(store, id, now_ms)
    run(
      store.database,
      'insert into credit_only (tenant, base, allowed, hour) values (?, ?, ?, ?)',
      tenant,
      used - charged,
      used + usable,
      hourOf(now_ms),
    )
  })
}

/** Credit came or went: within a transaction of the caller's, which makes a new snapshot. */
export function allow(store: Store, tenant: string, now_ms: number): boolean {
  const row = allBig<{ base: bigint; allowed: bigint }>(
    store.database,
    'select base, allowed from credit_only where tenant = ?',
    tenant,
  )[0]
  if (!row) return false
  const { charged, usable } = creditToSpend(store, tenant, now_ms)
  const allowed = row.base + charged + usable
  const save = 'update credit_only set allowed = ?, hour = ? where tenant = ?'
  run(store.database, save, allowed, hourOf(now_ms), tenant)
  return allowed !== row.allowed
}

/** Each takes about a millisecond, and who books waits. */
const tenantsAtOnce = 10

/** At every hour credit may begin and end, and terms may have taken something off. True when there may be more. */
export function allowAgain(store: Store, now_ms: number): boolean {
  const due = 'select tenant from credit_only where hour < ? limit ?'
  const tenants = all<{ tenant: string }>(store.database, due, hourOf(now_ms), tenantsAtOnce)
  if (tenants.length === 0) return false
  store.transaction(() => {
    const changed = tenants.filter(({ tenant }) => allow(store, tenant, now_ms))
    if (changed.length > 0) change(store, () => undefined)
  })
  return true
}

export const workOutAgain = ({ database }: Store, tenant: string): void =>
  void run(database, 'update credit_only set hour = -1 where tenant = ?', tenant)
