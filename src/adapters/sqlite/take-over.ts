/** What an operator does with each new connection: takes its place beside others, brings the tables up to date, has changes noted. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PostgresDatabase } from '../postgres/postgres-database.ts'
import { watchChanges } from './changes/watch-postgres.ts'
import { one, run } from './query.ts'
import { faultOf, StoreError } from './store-error.ts'

/** For people and messages: without user and password. */
export function nameOf(url: string): string {
  const { hostname, port, pathname } = URL.parse(url) ?? { hostname: 'unknown', port: '', pathname: '' }
  return `postgres://${hostname}${port && `:${port}`}${pathname}`
}

/** Whose connection it is, and whether the store must be its alone, as for a move. */
export interface Place {
  readonly node: string
  readonly alone: boolean
}

/**
 * Advisory locks of the database, of this schema. Those of a session go with its connection, so that who died holds nothing:
 * one of each home, one that all who are connected share, and one of the leader. Who changes something holds another for the
 * length of the transaction, so that writers go one after the other, as on a file.
 */
const lockName = (what: string): string => `hashtextextended('wattmill ${what} ' || current_schema(), 0)`
const ofNode = (node: string): string => lockName(`node ${node}`)
const connected = lockName('connected')
const leader = lockName('store')

const tryFor = (database: PostgresDatabase, lock: string): boolean =>
  one<{ held: number }>(database, `select pg_try_advisory_lock(${lock}) as held`)?.held === 1

/** Whether this connection leads, from now on and until it ends. Asked while it does not. */
export const tryToLead = (database: PostgresDatabase): boolean => tryFor(database, leader)

/** Each statement sees what was written before it, whatever the database's own default is. */
export const beginAfterOthers = `begin isolation level read committed; select pg_advisory_xact_lock(${lockName('write')})`

/** Longest wait for whoever brings the tables up to date. */
const upgrade_ms = 5_000
/** A writer that hangs in the middle, or whose machine is gone, is put out by the server: others wait for it so long at the most. */
const settings = `
  set client_min_messages = warning;
  set idle_in_transaction_session_timeout = 30000;
  set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3`

export function takeOver(database: PostgresDatabase, path: string, { node, alone }: Place): void {
  database.exec(settings)
  if (!tryFor(database, ofNode(node))) throw new StoreError('locked', path)
  if (alone) standAlone(database, path)
  else standBeside(database, path)
  database.exec(beginAfterOthers)
  watchChanges(database)
  database.exec('commit')
}

function standAlone(database: PostgresDatabase, path: string): void {
  if (!tryFor(database, connected) || !tryFor(database, leader)) throw new StoreError('locked', path)
  migrate(database, path)
}

/** Tables are changed while nobody else is connected: a running operator of another version must not find them changed. */
function standBeside(database: PostgresDatabase, path: string): void {
  for (let tries = 0; tries < 3; tries++) {
    takePlace(database, path)
    if (isCurrent(database, path)) return
    database.exec(`select pg_advisory_unlock_shared(${connected})`)
    if (!tryFor(database, connected)) continue
    if (!tryFor(database, leader)) throw new StoreError('locked', path)
    migrate(database, path)
    database.exec(`select pg_advisory_unlock(${leader}); select pg_advisory_unlock(${connected})`)
  }
  throw new StoreError('locked', path)
}

function takePlace(database: PostgresDatabase, path: string): void {
  try {
    database.exec(
      `set lock_timeout = ${upgrade_ms}; select pg_advisory_lock_shared(${connected}); set lock_timeout = 0`,
    )
  } catch (cause) {
    throw faultOf(cause) === 'locked' ? new StoreError('locked', path, cause) : cause
  }
}

/** Beside `src` in a clone and beside `dist` in a package. */
const folder = fileURLToPath(new URL('../../../sql/postgres/', import.meta.url))

const scriptsIn = (scripts: string): { readonly name: string; readonly number: number }[] =>
  readdirSync(scripts)
    .filter((name) => /^\d{6}\.sql$/.test(name))
    .sort()
    .map((name) => ({ name, number: Number(name.slice(0, 6)) }))

/** Zero: it has no tables of ours. */
export function versionOf(database: PostgresDatabase): number {
  if (one<{ is: string | null }>(database, "select to_regclass('schema_version') as is")?.is == null) return 0
  return one<{ version: number | null }>(database, 'select max(version) as version from schema_version')?.version ?? 0
}

function isCurrent(database: PostgresDatabase, path: string): boolean {
  const [at, newest] = [versionOf(database), scriptsIn(folder).at(-1)?.number ?? 0]
  if (at > newest) throw new StoreError('newer_schema', path)
  return at === newest
}

/** Numbered, forward only, each with its number in one transaction. A store of a later version is left alone. */
export function migrate(database: PostgresDatabase, path: string, scripts = folder): void {
  const at = versionOf(database)
  const numbered = scriptsIn(scripts)
  if (at > (numbered.at(-1)?.number ?? 0)) throw new StoreError('newer_schema', path)
  for (const { name, number } of numbered.filter(({ number }) => number > at)) {
    database.exec('begin')
    try {
      if (at === 0) database.exec('create table if not exists schema_version (version bigint not null)')
      database.exec(readFileSync(join(scripts, name), 'utf8'))
      run(database, 'delete from schema_version')
      run(database, 'insert into schema_version (version) values (?)', number)
      database.exec('commit')
    } catch (cause) {
      database.exec('rollback')
      throw cause
    }
  }
}
