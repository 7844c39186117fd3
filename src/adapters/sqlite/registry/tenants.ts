import type { Store } from '../store.ts'
import { beginPublicTerms } from '../terms/agreements.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'

export interface Application {
  readonly tenant: string
  readonly application: string
  readonly keys: number
  readonly created_ms: number
}

export const listApplications = (store: Store, tenant?: string): Application[] =>
  all(
    store,
    `select a.tenant, a.id as application, a.created_ms,
       (select count(*) from api_key k where k.tenant = a.tenant and k.application = a.id and k.revoked_ms is null) as keys
     from application a where ?1 is null or a.tenant = ?1 order by a.tenant, a.id`,
    tenant ?? null,
  )

/** A new application; its tenant is made with it when it is new. */
export function createApplication(store: Store, tenant: string, application: string, now_ms: number): Application {
  checkName('tenant', 'tenant', tenant)
  checkName('application', 'name', application)
  return change(store, () => {
    if (ensureApplication(store, tenant, application, now_ms).length === 0)
      throw new RegistryError('conflict', `tenant ${tenant} has an application ${application} already`, {
        param: 'name',
        next: `wattmill apps list --tenant ${tenant}`,
      })
    return { tenant, application, keys: 0, created_ms: now_ms }
  })
}

/** Makes what is missing of the two, and tells what it made. Within a transaction of the caller's. */
export function ensureApplication(store: Store, tenant: string, application: string, now_ms: number): string[] {
  const made: string[] = []
  if (run(store, 'insert into tenant (id, created_ms) values (?, ?) on conflict do nothing', tenant, now_ms)) {
    made.push(`tenant ${tenant}`)
    beginPublicTerms(store, tenant, now_ms)
  }
  const sql = 'insert into application (tenant, id, created_ms) values (?, ?, ?) on conflict do nothing'
  if (run(store, sql, tenant, application, now_ms)) made.push(`application ${tenant}/${application}`)
  return made
}

export const tenantExists = (store: Store, tenant: string): boolean =>
  one(store, 'select 1 from tenant where id = ?', tenant) !== undefined

export const listTenants = (store: Store): string[] =>
  all<{ id: string }>(store, 'select id from tenant order by id').map((row) => row.id)
