import Type from 'typebox'
import { tenantExchange } from '../../../adapters/sqlite/exchange.ts'
import {
  findTenant,
  listTenantRecords,
  setKeyQuota,
  type TenantRecord,
} from '../../../adapters/sqlite/registry/key-quota.ts'
import type { Store } from '../../../adapters/sqlite/store.ts'
import { dayOf } from '../../../books/account.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'

/** More keys than this no tenant looks through. */
const mostKeys = 10_000

export const tenantsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/tenants',
    role: 'viewer',
    of: 'field',
    about: 'Tenants, their keys in force, and how many they may have when they make keys by themselves',
    input: { tenant: Type.Optional(Type.String()) },
    run: ({ store, now }, { tenant }) => ({
      tenants: (tenant === undefined ? listTenantRecords(store, now()) : [findTenant(store, tenant, now())]).map(
        (record) => ({ ...display(record), currency: currencyNow(store, record.tenant, now()) }),
      ),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/tenants',
    role: 'operator',
    about: 'Set how many keys a tenant may have when it makes one by itself, in its own view; 0: it makes none',
    input: {
      tenant: Type.String(),
      key_quota: Type.Integer({ minimum: 0, maximum: mostKeys, description: `a whole number from 0 to ${mostKeys}` }),
    },
    run: ({ store, now }, { tenant, key_quota }) => display(setKeyQuota(store, tenant, key_quota, now())),
  }),
]

const display = ({ tenant, key_quota, keys, created_ms }: TenantRecord) => ({
  tenant,
  key_quota,
  keys,
  created: isoOrNull(created_ms),
})

const currencyNow = (store: Store, tenant: string, now_ms: number): string =>
  tenantExchange(store, tenant)?.currencyOn(dayOf(now_ms)) ?? 'USD'
