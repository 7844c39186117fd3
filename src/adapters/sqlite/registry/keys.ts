import { allowance } from '../../../books/allowance.ts'
import type { SloClass } from '../../../books/slo-class.ts'
import { hashKey, newApiKey, newId } from '../../random/secret.ts'
import type { Store } from '../store.ts'
import { copyAllowances, insertAllowance } from './budget.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'
import { ensureApplication } from './tenants.ts'

/** What is known of a key after it was shown; the key itself is nowhere. */
export interface KeyRecord {
  readonly id: string
  readonly prefix: string
  readonly tenant: string
  readonly application: string
  /** null: all. */
  readonly models: readonly string[] | null
  readonly requests_per_minute: number | null
  readonly tokens_per_minute: number | null
  readonly expires_ms: number | null
  readonly slo: SloClass
  readonly revoked_ms: number | null
  readonly created_ms: number
  /** Its tenant made it by itself. */
  readonly by_tenant: boolean
}

export type NewKey = Omit<KeyRecord, 'id' | 'prefix' | 'revoked_ms' | 'created_ms' | 'by_tenant'> & {
  readonly by_tenant?: boolean
}

/** A key at its only moment in the open. */
export interface ShownKey {
  readonly key: string
  readonly record: KeyRecord
  /** Tenant and application that were made for it. */
  readonly made: readonly string[]
}

/** `budget`: nano-dollars that it may spend in all; set with it, so that there is no moment without. */
export function createKey(store: Store, pepper: Uint8Array, asked: NewKey, now_ms: number, budget?: bigint): ShownKey {
  checkName('tenant', 'tenant', asked.tenant)
  checkName('application', 'app', asked.application)
  if (asked.expires_ms !== null && asked.expires_ms <= now_ms)
    throw new RegistryError('invalid', 'the key would have expired already', { param: 'expires' })
  return change(store, () => {
    const shown = insertKey(store, pepper, asked, now_ms)
    const of = { scope: 'key', of: shown.record.id, unit: 'nano-USD', renews: 'never' } as const
    if (budget !== undefined) insertAllowance(store, allowance({ ...of, amount: budget }), now_ms)
    return shown
  })
}

function insertKey(store: Store, pepper: Uint8Array, asked: NewKey, now_ms: number): ShownKey {
  const made = ensureApplication(store, asked.tenant, asked.application, now_ms)
  const key = newApiKey()
  // Eight of 43 letters: enough to recognise it by, and 208 bits stay unknown.
  const made_of = { id: newId('key'), prefix: key.slice(0, 11), revoked_ms: null, created_ms: now_ms }
  const record = { ...asked, ...made_of, by_tenant: asked.by_tenant ?? false }
  run(
    store,
    `insert into api_key (id, hash, prefix, tenant, application, models, requests_per_minute, tokens_per_minute, expires_ms, slo, created_ms, by_tenant)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    record.id,
    hashKey(pepper, key),
    record.prefix,
    record.tenant,
    record.application,
    record.models && JSON.stringify(record.models),
    record.requests_per_minute,
    record.tokens_per_minute,
    record.expires_ms,
    record.slo,
    record.created_ms,
    record.by_tenant ? 1 : 0,
  )
  return { key, record, made }
}

type KeyRow = Omit<KeyRecord, 'models' | 'by_tenant'> & { readonly models: string | null; readonly by_tenant: number }
const columns =
  'id, prefix, tenant, application, models, requests_per_minute, tokens_per_minute, expires_ms, slo, revoked_ms, created_ms, by_tenant'
const fromRow = ({ models, by_tenant, ...row }: KeyRow): KeyRecord => ({
  ...row,
  models: models === null ? null : JSON.parse(models),
  by_tenant: by_tenant === 1,
})

/** Newest first. */
export const listKeys = (store: Store, tenant?: string): KeyRecord[] =>
  all<KeyRow>(
    store,
    `select ${columns} from api_key where ?1 is null or tenant = ?1 order by created_ms desc, rowid desc`,
    tenant ?? null,
  ).map(fromRow)

/** By id, or by the visible first characters when only one key has them. */
export function findKey(store: Store, idOrPrefix: string): KeyRecord {
  const exact = one<KeyRow>(store, `select ${columns} from api_key where id = ?`, idOrPrefix)
  if (exact) return fromRow(exact)
  const start = idOrPrefix.slice(0, 11)
  const found = all<KeyRow>(store, `select ${columns} from api_key where prefix = ? and revoked_ms is null`, start)
  const [only, another] = start.length === 11 ? found : []
  if (only && !another) return fromRow(only)
  // What was given may be a whole key: it is not repeated.
  const shown = idOrPrefix.startsWith('wm-') ? `${start}…` : idOrPrefix
  throw new RegistryError('not_found', `no key ${shown}`, { param: 'id', next: 'wattmill keys list' })
}

const inForce = 'revoked_ms is null and (expires_ms is null or expires_ms > ?)'
const found = (row: KeyRow | undefined): KeyRecord | undefined => row && fromRow(row)

/** The key itself, while it is in force. */
export const keyByKey = (store: Store, pepper: Uint8Array, key: string, now_ms: number): KeyRecord | undefined =>
  found(one(store, `select ${columns} from api_key where hash = ? and ${inForce}`, hashKey(pepper, key), now_ms))

export const keyById = (store: Store, id: string, now_ms: number): KeyRecord | undefined =>
  found(one(store, `select ${columns} from api_key where id = ? and ${inForce}`, id, now_ms))

/** Revoking twice is revoking once; sessions that began under it end with it. */
export function revokeKey(store: Store, idOrPrefix: string, now_ms: number): KeyRecord {
  return store.transaction(() => {
    const record = findKey(store, idOrPrefix)
    if (record.revoked_ms !== null) return record
    change(store, () => {
      run(store, 'update api_key set revoked_ms = ? where id = ?', now_ms, record.id)
      run(store, 'delete from session where api_key = ?', record.id)
    })
    return { ...record, revoked_ms: now_ms }
  })
}

/**
 * A new key with the old one's rights and budgets, of which what was used stays used, and its lifetime, which begins anew, or goes on
 * where its tenant does it. The old one stops now, or after `overlap_ms`, so that programs can be changed over one by one.
 */
export function rotateKey(
  store: Store,
  pepper: Uint8Array,
  idOrPrefix: string,
  overlap_ms: number,
  now_ms: number,
  by: 'factory' | 'tenant' = 'factory',
): ShownKey {
  return change(store, () => {
    const old = findKey(store, idOrPrefix)
    if (old.revoked_ms !== null)
      throw new RegistryError('conflict', `key ${old.id} is revoked; make a new one`, {
        param: 'id',
        next: `wattmill keys create --tenant ${old.tenant} --app ${old.application}`,
      })
    const anew = by === 'factory' && old.expires_ms !== null
    const expires_ms = anew ? now_ms + (old.expires_ms - old.created_ms) : old.expires_ms
    const stop = Math.min(old.expires_ms ?? Number.MAX_SAFE_INTEGER, now_ms + overlap_ms)
    if (overlap_ms > 0) run(store, 'update api_key set expires_ms = ? where id = ?', stop, old.id)
    else run(store, 'update api_key set revoked_ms = ? where id = ?', now_ms, old.id)
    const shown = insertKey(store, pepper, { ...old, expires_ms, by_tenant: by === 'tenant' }, now_ms)
    copyAllowances(store, old.id, shown.record.id, now_ms)
    return shown
  })
}
