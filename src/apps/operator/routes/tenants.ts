import Type from 'typebox'
import { currenciesOn } from '../../../adapters/sqlite/exchange.ts'
import {
  findTenant,
  listTenantRecords,
  setKeyQuota,
  type TenantRecord,
} from '../../../adapters/sqlite/registry/key-quota.ts'
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
    run: ({ store, now }, { tenant }) => {
      const records = tenant === undefined ? listTenantRecords(store, now()) : [findTenant(store, tenant, now())]
      const currencies = currenciesOn(store, dayOf(now()))
      return {
        tenants: records.map((record) => ({ ...display(record), currency: currencies.get(record.tenant) ?? 'USD' })),
      }
    },
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
