/** What a tenant may use, and what is left of it. */
import { everyAllowance } from '../../../../adapters/sqlite/registry/allowances.ts'
import { findTenant } from '../../../../adapters/sqlite/registry/key-quota.ts'
import { listKeys } from '../../../../adapters/sqlite/registry/keys.ts'
import type { Allowance } from '../../../../books/allowance.ts'
import { parted } from '../../../../books/tally.ts'
import type { Route } from '../../router.ts'
import { isoOrNull, monthEndMs } from '../../when.ts'
import { amountText } from '../budgets.ts'
import { displayKey } from '../keys.ts'
import { type Own, tenantRoute } from './own.ts'

const day_ms = 86_400_000

export const limitRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '',
    about: 'The tenant, the key that it came with, and how many keys it may have',
    run: (factory, { tenant, key }) => {
      const { key_quota, keys } = findTenant(factory.store, tenant, factory.now())
      return { tenant, key: displayKey(key, factory.now()), key_quota, keys }
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/limits',
    about: 'Budgets and limits of the tenant, its applications and its keys: what is left, and when it renews',
    run: (factory, own) => {
      const now = factory.now()
      const keys = listKeys(factory.store, own.tenant).filter(({ revoked_ms }) => revoked_ms === null)
      const prefixes = new Map(keys.map(({ id, prefix }) => [id, prefix]))
      return {
        at: isoOrNull(now),
        limits: everyAllowance(factory.store).flatMap((one) => {
          const of = nameOf(one, own, prefixes)
          return of === undefined
            ? []
            : [{ scope: one.scope, of, ...amountText(factory, one), renews_at: renewsAt(one, now) }]
        }),
      }
    },
  }),
]

/** Whom it binds, in words of the tenant; undefined: it is not the tenant's. What a model may give is shared, and the factory's. */
function nameOf({ scope, of }: Allowance, { tenant }: Own, keys: ReadonlyMap<string, string>) {
  switch (scope) {
    case 'tenant':
      return of === tenant ? tenant : undefined
    case 'application': {
      const [owner, application] = parted(of)
      return owner === tenant ? application : undefined
    }
    case 'key':
      return keys.has(of) ? `${keys.get(of)}…` : undefined
    case 'model':
      return undefined
  }
}

/** When all of it is there again; null: never, or little by little. */
function renewsAt({ renews }: Allowance, now_ms: number): string | null {
  if (renews === 'day') return isoOrNull((Math.floor(now_ms / day_ms) + 1) * day_ms)
  return renews === 'month' ? isoOrNull(monthEndMs(now_ms)) : null
}
