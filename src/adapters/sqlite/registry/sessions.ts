import { hashKey } from '../../random/secret.ts'
import type { Store } from '../store.ts'
import { one, run } from './change.ts'

/** A working day; then the admin key is asked for again. */
export const session_ms = 12 * 3600 * 1000
/** People with the console open at once; the oldest session makes room. */
const mostSessions = 100

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

  /** `admin`: the id of the key it begins under; null: under admin.key. */
  begin(token: string, now_ms: number, admin: string | null = null): void {
    this.#store.transaction(() => {
      run(this.#store, 'delete from session where expires_ms <= ?', now_ms)
      run(
        this.#store,
        'delete from session where hash in (select hash from session order by expires_ms desc limit -1 offset ?)',
        mostSessions - 1,
      )
      const sql = 'insert into session (hash, expires_ms, admin_key) values (?, ?, ?)'
      run(this.#store, sql, this.#hash(token), now_ms + session_ms, admin)
    })
  }

  end(token: string): void {
    run(this.#store, 'delete from session where hash = ?', this.#hash(token))
  }

  /** The session of a token, while it lasts. */
  find(token: string, now_ms: number): { readonly admin_key: string | null } | undefined {
    if (token === '') return undefined
    return one(
      this.#store,
      'select admin_key from session where hash = ? and expires_ms > ?',
      this.#hash(token),
      now_ms,
    )
  }
}
