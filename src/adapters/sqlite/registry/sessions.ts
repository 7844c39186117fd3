import { hashKey } from '../../random/secret.ts'
import type { Store } from '../store.ts'
import { one, run } from './change.ts'

/** A working day; then the admin key is asked for again. */
export const session_ms = 12 * 3600 * 1000
/** People of the factory with the console open at once, and people of a tenant under one of its keys; the oldest session makes room. */
const most = { factory: 100, key: 10 }

/** Under what a session began: a key of the control API, or one of a tenant's; neither: admin.key. */
export interface Under {
  readonly admin_key: string | null
  readonly api_key: string | null
}

/**
 * Sessions of the console. They are in the store, so that an operator that is started again knows them; hashed under the
 * admin key, so that a copy of the store opens nothing and a new admin key ends them all.
 */
export class Sessions {
  readonly #store: Store
  readonly #hash: (token: string) => string

  constructor(store: Store, adminKey: string) {
    this.#store = store
    this.#hash = (token) => hashKey(Buffer.from(adminKey), token)
  }

  begin(token: string, now_ms: number, { admin_key, api_key }: Under = { admin_key: null, api_key: null }): void {
    this.#store.transaction(() => {
      run(this.#store, 'delete from session where expires_ms <= ?', now_ms)
      this.#makeRoom(api_key)
      const sql = 'insert into session (hash, expires_ms, admin_key, api_key) values (?, ?, ?, ?)'
      run(this.#store, sql, this.#hash(token), now_ms + session_ms, admin_key, api_key)
    })
  }

  /** The tenants' sessions take no room of the factory's, nor of one another. */
  #makeRoom(key: string | null): void {
    const [of, kept] = key === null ? ['api_key is null', most.factory] : ['api_key = ?', most.key]
    const sql = `delete from session where hash in
      (select hash from session where ${of} order by expires_ms desc limit -1 offset ${kept - 1})`
    run(this.#store, sql, ...(key === null ? [] : [key]))
  }

  /** A session of one key goes on under another, which took its place. */
  move(token: string, from: string, to: string): void {
    run(this.#store, 'update session set api_key = ? where hash = ? and api_key = ?', to, this.#hash(token), from)
  }

  end(token: string): void {
    run(this.#store, 'delete from session where hash = ?', this.#hash(token))
  }

  /** The session of a token, while it lasts. */
  find(token: string, now_ms: number): Under | undefined {
    if (token === '') return undefined
    return one(
      this.#store,
      'select admin_key, api_key from session where hash = ? and expires_ms > ?',
      this.#hash(token),
      now_ms,
    )
  }
}
