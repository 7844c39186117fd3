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

  begin(token: string, now_ms: number): void {
    this.#store.transaction(() => {
      run(this.#store, 'delete from session where expires_ms <= ?', now_ms)
      run(
        this.#store,
        'delete from session where hash in (select hash from session order by expires_ms desc limit -1 offset ?)',
        mostSessions - 1,
      )
      run(this.#store, 'insert into session (hash, expires_ms) values (?, ?)', this.#hash(token), now_ms + session_ms)
    })
  }

  end(token: string): void {
    run(this.#store, 'delete from session where hash = ?', this.#hash(token))
  }

  has(token: string, now_ms: number): boolean {
    if (token === '') return false
    const find = 'select 1 from session where hash = ? and expires_ms > ?'
    return one(this.#store, find, this.#hash(token), now_ms) !== undefined
  }
}
