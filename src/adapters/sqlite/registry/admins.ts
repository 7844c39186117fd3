import { hashKey, newAdminKey, newId } from '../../random/secret.ts'
import type { Store } from '../store.ts'
import { all, one, RegistryError, run } from './change.ts'
import { tenantExists } from './tenants.ts'

/**
 * What a key of the control API may do, each more than the one before it: read everything; change what runs and who may
 * ask; change what is charged, where prompts go, and who governs.
 */
export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

export const includes = (held: Role, needed: Role): boolean => roles.indexOf(held) >= roles.indexOf(needed)

/** What is known of a key of the control API after it was shown. */
export interface AdminKey {
  readonly id: string
  readonly prefix: string
  readonly name: string
  readonly role: Role
  /** null: the whole factory. */
  readonly tenant: string | null
  readonly expires_ms: number | null
  readonly revoked_ms: number | null
  readonly created_ms: number
}

/** Each is a person or a program; beyond it somebody makes them in a loop. */
const mostAdminKeys = 1000
const columns = 'id, prefix, name, role, tenant, expires_ms, revoked_ms, created_ms'

/** The key comes back this once. */
export function createAdminKey(
  store: Store,
  pepper: Uint8Array,
  asked: Pick<AdminKey, 'name' | 'role' | 'tenant' | 'expires_ms'>,
  now_ms: number,
): { readonly key: string; readonly record: AdminKey } {
  if (asked.tenant !== null && !tenantExists(store, asked.tenant))
    throw new RegistryError('not_found', `no tenant ${asked.tenant}`, { param: 'tenant', next: 'wattmill apps list' })
  if (asked.tenant !== null && asked.role === 'admin')
    throw new RegistryError('invalid', 'an admin governs the whole factory, and not one tenant', { param: 'role' })
  if (asked.expires_ms !== null && asked.expires_ms <= now_ms)
    throw new RegistryError('invalid', 'the key would have expired already', { param: 'expires' })
  const key = newAdminKey()
  const record = { ...asked, id: newId('adm'), prefix: key.slice(0, 17), revoked_ms: null, created_ms: now_ms }
  store.transaction(() => {
    if (
      (one<{ n: number }>(store, 'select count(*) as n from admin_key where revoked_ms is null')?.n ?? 0) >=
      mostAdminKeys
    )
      throw new RegistryError('conflict', `there are ${mostAdminKeys} admin keys already`, {
        next: 'wattmill admins revoke ID',
      })
    run(
      store,
      `insert into admin_key (hash, ${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      hashKey(pepper, key),
      record.id,
      record.prefix,
      record.name,
      record.role,
      record.tenant,
      record.expires_ms,
      record.revoked_ms,
      record.created_ms,
    )
  })
  return { key, record }
}

/** Newest first. */
export const listAdminKeys = (store: Store): AdminKey[] =>
  all<AdminKey>(store, `select ${columns} from admin_key order by created_ms desc, rowid desc`)

/** Revoking twice is revoking once; its sessions end with it. */
export function revokeAdminKey(store: Store, id: string, now_ms: number): AdminKey {
  const record = one<AdminKey>(store, `select ${columns} from admin_key where id = ?`, id)
  if (!record)
    throw new RegistryError('not_found', `no admin key ${id.startsWith('wm-') ? 'of which that is the key' : id}`, {
      param: 'id',
      next: 'wattmill admins list',
    })
  if (record.revoked_ms !== null) return record
  store.transaction(() => {
    run(store, 'update admin_key set revoked_ms = ? where id = ?', now_ms, id)
    run(store, 'delete from session where admin_key = ?', id)
  })
  return { ...record, revoked_ms: now_ms }
}

const active = 'revoked_ms is null and (expires_ms is null or expires_ms > ?)'

export const adminByKey = (store: Store, pepper: Uint8Array, key: string, now_ms: number): AdminKey | undefined =>
  one(store, `select ${columns} from admin_key where hash = ? and ${active}`, hashKey(pepper, key), now_ms)

export const adminById = (store: Store, id: string, now_ms: number): AdminKey | undefined =>
  one(store, `select ${columns} from admin_key where id = ? and ${active}`, id, now_ms)
