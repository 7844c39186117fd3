import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database } from '../database/database.ts'
import { holdAlive } from '../files/alive.ts'
import type { Home } from '../files/home.ts'
import { PostgresDatabase } from '../postgres/postgres-database.ts'
import { nodeId } from '../random/node-id.ts'
import { watchChanges } from './changes/audited.ts'
import { type Actor, itself, logChanges } from './changes/log.ts'
import { one } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { asStoreError, StoreError } from './store-error.ts'
import { beginAfterOthers, nameOf, takeOver, tryToLead, versionOf } from './take-over.ts'

/**
 * The books and the registry of one factory: a single SQLite file with a single writer, this process; or a schema of PostgreSQL,
 * whose writers take turns: one transaction at a time, whichever operator's it is.
 *
 * Every change is a transaction that is durable when it returns (WAL, FULL), and states the whole of what happened: the
 * rows, what they post and how far was read. So a crash between any two of them loses and doubles nothing.
 */
export interface Store {
  readonly home: Home
  /** Its file, or its address without a secret. */
  readonly path: string
  readonly database: Database
  /** All of it or nothing. Nested, it is part of the outer one. */
  transaction<T>(work: () => T): T
  /** Whether this writer does what only one may do of those that share a database. */
  leads(): boolean
  /** The same store; what is changed by this one is logged under that name. */
  as(actor: Actor): Store
  close(): void
}

/** `alone`: while no operator of any home is connected to it. A file is never shared. */
export const openStore = (home: Home, { alone = false } = {}): Store =>
  home.database === undefined ? openFile(home) : openShared(home, home.database, alone)

function openFile(home: Home): Store {
  const path = home.store
  mayWrite(path)
  const alive = held(path)
  if (!alive) throw new StoreError('locked', path)
  try {
    const database = opened(path)
    watchChanges(database)
    const close = (): void => {
      database.close()
      alive.release()
    }
    return storeOf({ home, path, database, close, leads: () => true }, itself())
  } catch (cause) {
    alive.release()
    throw asStoreError(path, cause)
  }
}

/** On PostgreSQL: the locks are the database's, so that they go with the connection. */
function openShared(home: Home, url: string, alone: boolean): Store {
  const path = nameOf(url)
  const node = nodeId(home)
  let leading = false
  try {
    const database = new PostgresDatabase(url, {
      begins: (connection) => {
        leading = false
        takeOver(connection, path, { node, alone })
        leading = alone
      },
    })
    const leads = (): boolean => {
      leading ||= tryToLead(database)
      return leading
    }
    return storeOf({ home, path, database, leads, close: () => database.close() }, itself())
  } catch (cause) {
    throw asStoreError(path, cause)
  }
}

const storeOf = (open: Omit<Store, 'as' | 'transaction'>, actor: Actor): Store => ({
  ...open,
  as: (other) => storeOf(open, other),
  transaction: (work) =>
    transaction(open.database, open.path, () => {
      const result = work()
      logChanges(open.database, actor)
      return result
    }),
})

function held(path: string): ReturnType<typeof holdAlive> {
  try {
    return holdAlive(`${path}.alive`)
  } catch (cause) {
    throw asStoreError(path, cause)
  }
}

function opened(path: string): Database {
  const database = new SqliteDatabase(path)
  try {
    database.exec('pragma busy_timeout = 2000; pragma foreign_keys = on')
    database.exec('pragma journal_mode = wal; pragma synchronous = full')
    migrate(database, path)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Beside `src` in a clone and beside `dist` in a package. */
const folder = fileURLToPath(new URL('../../../sql/', import.meta.url))

const scriptsIn = (scripts: string): string[] => readdirSync(scripts).filter((name) => /^\d{6}\.sql$/.test(name))

/** Of the tables that this program knows, on both databases. */
export const newestVersion = (): number => scriptsIn(folder).length

export interface Pending {
  readonly store: string
  readonly from: number
  readonly to: number
  /** Those that are still to be run, in order. */
  readonly scripts: readonly string[]
}

/** What bringing the tables up to date would do; nothing is changed, and nobody waits. */
export function pendingScripts(home: Home): Pending {
  const path = home.database === undefined ? home.store : nameOf(home.database)
  try {
    const from = home.database === undefined ? fileVersion(path) : sharedVersion(home.database)
    const to = newestVersion()
    if (from > to) throw new StoreError('newer_schema', path)
    const names = scriptsIn(home.database === undefined ? folder : join(folder, 'postgres')).sort()
    return { store: path, from, to, scripts: names.filter((name) => Number(name.slice(0, 6)) > from) }
  } catch (cause) {
    throw asStoreError(path, cause)
  }
}

function fileVersion(path: string): number {
  const database = new SqliteDatabase(path, { readOnly: true })
  try {
    return Number(one<{ user_version: number }>(database, 'pragma user_version')?.user_version)
  } finally {
    database.close()
  }
}

function sharedVersion(url: string): number {
  const database = new PostgresDatabase(url)
  try {
    return versionOf(database)
  } finally {
    database.close()
  }
}

/** Numbered, forward only, each with its number in one transaction. A store of a later version is left alone. */
export function migrate(database: Database, path: string, scripts = folder): void {
  const files = scriptsIn(scripts)
  const at = Number(one<{ user_version: number }>(database, 'pragma user_version')?.user_version)
  if (at > files.length) throw new StoreError('newer_schema', path)
  for (const name of files.sort().slice(at)) {
    const script = readFileSync(join(scripts, name), 'utf8')
    transaction(database, path, () => database.exec(`${script};\npragma user_version = ${Number(name.slice(0, 6))}`))
  }
}

function transaction<T>(database: Database, path: string, work: () => T): T {
  if (database.inTransaction) return work()
  try {
    database.exec(database.dialect === 'sqlite' ? 'begin immediate' : beginAfterOthers)
    const result = work()
    database.exec('commit')
    return result
  } catch (cause) {
    if (database.inTransaction) database.exec('rollback')
    throw asStoreError(path, cause)
  }
}

function mayWrite(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK)
    if (existsSync(path)) accessSync(path, constants.W_OK)
  } catch (cause) {
    throw new StoreError('no_permission', path, cause)
  }
}
