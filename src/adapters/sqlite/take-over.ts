/** What a writer does with each new connection: holds the store alone, brings its tables up to date, has changes noted. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PostgresDatabase } from '../postgres/postgres-database.ts'
import { watchChanges } from './changes/watch-postgres.ts'
import { one, run } from './query.ts'
import { StoreError } from './store-error.ts'

/** For people and messages: without user and password. */
export function nameOf(url: string): string {
  const { hostname, port, pathname } = URL.parse(url) ?? { hostname: 'unknown', port: '', pathname: '' }
  return `postgres://${hostname}${port && `:${port}`}${pathname}`
}

export function takeOver(database: PostgresDatabase, path: string): void {
  if (!one<{ held: number }>(database, holdAlone)?.held) throw new StoreError('locked', path)
  migrate(database, path)
  watchChanges(database)
}

/** Of this schema; it goes with the connection, so that a writer that died holds nothing. */
const holdAlone = "select pg_try_advisory_lock(hashtextextended('wattmill store ' || current_schema(), 0)) as held"

/** Beside `src` in a clone and beside `dist` in a package. */
const folder = fileURLToPath(new URL('../../../sql/postgres/', import.meta.url))

/** Numbered, forward only, each with its number in one transaction. A store of a later version is left alone. */
export function migrate(database: PostgresDatabase, path: string, scripts = folder): void {
  database.exec(
    'set client_min_messages = warning; create table if not exists schema_version (version bigint not null)',
  )
  const at =
    one<{ version: number | null }>(database, 'select max(version) as version from schema_version')?.version ?? 0
  const files = readdirSync(scripts).filter((name) => /^\d{6}\.sql$/.test(name))
  const numbered = files.sort().map((name) => ({ name, number: Number(name.slice(0, 6)) }))
  if (at > (numbered.at(-1)?.number ?? 0)) throw new StoreError('newer_schema', path)
  for (const { name, number } of numbered.filter(({ number }) => number > at)) {
    database.exec('begin')
    try {
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
