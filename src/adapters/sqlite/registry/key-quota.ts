import type { Store } from '../store.ts'
import { all, one, RegistryError, run } from './change.ts'

export interface TenantRecord {
  readonly tenant: string
  /** Keys that it may have when it makes one by itself; 0: it makes none. */
  readonly key_quota: number
  /** Keys in force. */
  readonly keys: number
  readonly created_ms: number
}

const inForce = 'k.tenant = t.id and k.revoked_ms is null and (k.expires_ms is null or k.expires_ms > ?)'
const columns = `t.id as tenant, t.key_quota, t.created_ms, (select count(*) from api_key k where ${inForce}) as keys`

export const listTenantRecords = (store: Store, now_ms: number): TenantRecord[] =>
  all(store, `select ${columns} from tenant t order by t.id`, now_ms)

export function findTenant(store: Store, tenant: string, now_ms: number): TenantRecord {
  const found = one<TenantRecord>(store, `select ${columns} from tenant t where t.id = ?`, now_ms, tenant)
  if (found) return found
  throw new RegistryError('not_found', `no tenant ${tenant.slice(0, 80)}`, {
    param: 'tenant',
    next: 'wattmill tenants list',
  })
}

/** Keys that it has already stay, however many. Gateways need not know. */
export function setKeyQuota(store: Store, tenant: string, key_quota: number, now_ms: number): TenantRecord {
  findTenant(store, tenant, now_ms)
  store.transaction(() => run(store, 'update tenant set key_quota = ? where id = ?', key_quota, tenant))
  return findTenant(store, tenant, now_ms)
}

/** Keys that a tenant made by itself since then, revoked ones too. */
export const keysMadeSince = (store: Store, tenant: string, since_ms: number): number =>
  Number(
    one<{ n: number }>(
      store,
      'select count(*) as n from api_key where tenant = ? and created_ms >= ? and by_tenant = 1',
      tenant,
      since_ms,
    )?.n,
  )
