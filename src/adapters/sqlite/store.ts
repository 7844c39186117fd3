import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { holdAlive } from '../files/alive.ts'
import type { Home } from '../files/home.ts'
import { watchChanges } from './changes/audited.ts'
import { type Actor, itself, logChanges } from './changes/log.ts'
import type { Database } from './database.ts'
import { one } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'

export type StoreFault = 'corrupt' | 'full' | 'locked' | 'no_permission' | 'newer_schema' | 'io'

/** The store failed us. Only `full`, `locked` and `io` may pass by themselves; each says what to do next. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly fault: StoreFault
  readonly next: string

  constructor(fault: StoreFault, path: string, cause?: unknown) {
    super(`store ${path}: ${meaning[fault]}${cause instanceof Error ? ` (${cause.message})` : ''}`, { cause })
    this.fault = fault
    this.next = nextStep[fault]
  }
}

const meaning: Readonly<Record<StoreFault, string>> = {
  corrupt: 'the file is damaged or no store',
  full: 'the disk is full',
  locked: 'another operator holds it',
  no_permission: 'this user may not write it',
  newer_schema: 'a newer version of wattmill wrote it',
  io: 'the disk failed to read or write',
}

const nextStep: Readonly<Record<StoreFault, string>> = {
  corrupt: 'stop the factory, keep the file, and restore the last backup',
  full: 'make room on the disk; nothing is lost, the gateways keep their journals',
  locked: 'stop the other operator of this home, or give --home another folder',
  no_permission: 'run as the owner of the home, or give --home another folder',
  newer_schema: 'install the version of wattmill that wrote it, or a later one',
  io: "look at the disk's health; nothing is lost, the gateways keep their journals",
}

/**
 * The books and the registry of one factory: a single SQLite file with a single writer, this process.
 *
 * Every change is a transaction that is durable when it returns (WAL, FULL), and states the whole of what happened: the
 * rows, what they post and how far was read. So a crash between any two of them loses and doubles nothing.
 */
export interface Store {
  readonly home: Home
  readonly path: string
  readonly database: Database
  /** All of it or nothing. Nested, it is part of the outer one. */
  transaction<T>(work: () => T): T
  /** The same store; what is changed by this one is logged under that name. */
  as(actor: Actor): Store
  close(): void
}

export function openStore(home: Home): Store {
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
    return storeOf({ home, path, database, close }, itself())
  } catch (cause) {
    alive.release()
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

/** Numbered, forward only, each with its number in one transaction. A store of a later version is left alone. */
export function migrate(database: Database, path: string, scripts = folder): void {
  const files = readdirSync(scripts).filter((name) => /^\d{6}\.sql$/.test(name))
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
    database.exec('begin immediate')
    const result = work()
    database.exec('commit')
    return result
  } catch (cause) {
    if (database.inTransaction) database.exec('rollback')
    throw asStoreError(path, cause)
  }
}

/** SQLite's result codes by what they mean for the operator; anything else is a fault of ours. */
const faults: ReadonlyMap<number, StoreFault> = new Map([
  [3, 'no_permission'],
  [5, 'locked'],
  [6, 'locked'],
  [8, 'no_permission'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'no_permission'],
  [26, 'corrupt'],
])

/** Undefined: not SQLite's, or none that the world is to blame for. */
export function faultOf(cause: unknown): StoreFault | undefined {
  const code = (cause as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? faults.get(code & 0xff) : undefined
}

export function asStoreError(path: string, cause: unknown): unknown {
  const fault = faultOf(cause)
  return fault ? new StoreError(fault, path, cause) : cause
}

function mayWrite(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK)
    if (existsSync(path)) accessSync(path, constants.W_OK)
  } catch (cause) {
    throw new StoreError('no_permission', path, cause)
  }
}
