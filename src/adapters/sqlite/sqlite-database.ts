import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Database, Integers, Value } from '../database/database.ts'

/** A file of SQLite. Statements are prepared once per connection: preparing costs more than most of them take. */
export class SqliteDatabase implements Database {
  readonly dialect = 'sqlite'
  readonly #database: DatabaseSync
  readonly #prepared = { number: new Map<string, StatementSync>(), bigint: new Map<string, StatementSync>() }

  constructor(path: string, options: { readonly readOnly?: boolean } = {}) {
    this.#database = new DatabaseSync(path, options)
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  exec(script: string): void {
    this.#database.exec(script)
  }

  run(sql: string, values: readonly Value[]): number {
    return Number(this.#statement(sql, 'number').run(...values).changes)
  }

  one(sql: string, values: readonly Value[]): unknown {
    return this.#statement(sql, 'number').get(...values)
  }

  all(sql: string, values: readonly Value[], integers: Integers): unknown[] {
    return this.#statement(sql, integers).all(...values)
  }

  /** A statement of its own, so that streams may be nested. */
  iterate(sql: string, values: readonly Value[], integers: Integers): Iterable<unknown> {
    return this.#prepare(sql, integers).iterate(...values)
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #statement(sql: string, integers: Integers): StatementSync {
    const all = this.#prepared[integers]
    const known = all.get(sql)
    if (known) return known
    const made = this.#prepare(sql, integers)
    all.set(sql, made)
    return made
  }

  #prepare(sql: string, integers: Integers): StatementSync {
    const made = this.#database.prepare(sql)
    made.setReadBigInts(integers === 'bigint')
    return made
  }
}
