/** All of a store into another one, empty, on the other database: every row of every table, counted and hashed on both sides. */
import { createHash } from 'node:crypto'
import type { Database, Value } from '../database/database.ts'
import { type Insert, insertMany } from './insert-many.ts'
import { all, one, run, stream } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { migrate, type Store } from './store.ts'

export interface MovedTable {
  readonly table: string
  readonly rows: number
  /** SHA-256 over its rows in the order of their names. */
  readonly hash: string
}

/** The copy is not the original. Nothing of it stays. */
export class MoveError extends Error {
  override readonly name = 'MoveError'
}

/** In one transaction of the target: all of it, or nothing. The source is only read, and held by its writer meanwhile. */
export const copyStore = (source: Store, target: Store): MovedTable[] =>
  fillStore(target, (tables) => {
    for (const table of tables) fillTable(target.database, table, rowsOf(source.database, table.insert, orderOf(table)))
    return tables.map((table) => same(source, target, table))
  })

/** Fills an empty store in one transaction. */
export function fillStore<T>(target: Store, fill: (tables: readonly Table[]) => T): T {
  const tables = tablesInOrder()
  const filled = tables.find(({ insert }) => insert.table !== 'counter' && count(target.database, insert.table) > 0)
  if (filled) throw new MoveError(`${target.path} holds a store already: its table ${filled.insert.table} is not empty`)
  return target.transaction(() => {
    // While the source is read it waits, for as long as that takes.
    if (target.database.dialect === 'postgres')
      target.database.exec('set local idle_in_transaction_session_timeout = 0')
    run(target.database, 'delete from counter')
    const result = fill(tables)
    run(target.database, 'delete from changed') // the log of changes is copied; to move is none of them
    return result
  })
}

export interface Table {
  readonly insert: Insert
  readonly key: readonly string[]
}

/** Those that others refer to come first. The newest schema says it, and both databases have it. */
export function tablesInOrder(): Table[] {
  const model = new SqliteDatabase(':memory:')
  migrate(model, 'model')
  const names = all<{ name: string }>(
    model,
    "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name",
  ).map(({ name }) => name)
  const parents = (table: string): string[] =>
    all<{ table: string }>(model, `select "table" from pragma_foreign_key_list('${table}')`).map((each) => each.table)
  const ordered: string[] = []
  const place = (table: string): void => {
    if (ordered.includes(table)) return
    for (const parent of parents(table)) if (parent !== table) place(parent)
    ordered.push(table)
  }
  for (const name of names) place(name)
  const tables = ordered.map((table) => tableOf(model, table))
  model.close()
  return tables
}

function tableOf(model: Database, table: string): Table {
  const columns = all<{ name: string; type: string; pk: number }>(
    model,
    `select name, type, pk from pragma_table_info('${table}')`,
  )
  const types = columns.map(({ name, type }) => [name, type.toLowerCase() as 'text' | 'integer' | 'real'])
  const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
  return { insert: { table, columns: Object.fromEntries(types) }, key: key.map(({ name }) => name) }
}

const rowsAtOnce = 2000

export function fillTable(to: Database, { insert }: Table, given: Iterable<Readonly<Record<string, Value>>>): void {
  let rows: Value[][] = []
  for (const row of given) {
    rows.push(Object.values(row))
    if (rows.length < rowsAtOnce) continue
    insertMany(to, insert, rows)
    rows = []
  }
  insertMany(to, insert, rows)
  if (to.dialect === 'postgres' && numbered.has(insert.table))
    one(to, `select setval(pg_get_serial_sequence('${insert.table}', 'id'), max(id)) from ${insert.table}`)
}

/** Tables of which a statement asks for the order of insertion, and those whose rows the database numbers. */
const ordered = new Set(['api_key', 'admin_key', 'engine_attempt'])
const numbered = new Set(['quarantine'])

/** In which the rows are written elsewhere. */
export const orderOf = ({ insert, key }: Table): readonly string[] => (ordered.has(insert.table) ? ['rowid'] : key)

export const rowsOf = (database: Database, { table, columns }: Insert, order: readonly string[]) =>
  stream<Record<string, Value>>(
    database,
    `select ${quoted(Object.keys(columns))} from ${table} order by ${quoted(order)}`,
  )

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')

const count = (database: Database, table: string): number =>
  one<{ n: number }>(database, `select count(*) as n from ${table}`)?.n ?? 0

function same(source: Store, target: Store, { insert, key }: Table): MovedTable {
  const [was, is] = [source, target].map(({ database }) => digest(database, { insert, key }))
  if (!was || !is || was.rows !== is.rows || was.hash !== is.hash)
    throw new MoveError(`table ${insert.table}: ${was?.rows} rows, and ${is?.rows} other ones in ${target.path}`)
  return { table: insert.table, ...is }
}

function digest(database: Database, { insert, key }: Table): { rows: number; hash: string } {
  const hash = createHash('sha256')
  let rows = 0
  for (const row of rowsOf(database, insert, key)) {
    hash.update(JSON.stringify(Object.values(row), exact))
    rows++
  }
  return { rows, hash: hash.digest('hex') }
}

const exact = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)
