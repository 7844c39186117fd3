import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** Statements are prepared once per connection: preparing costs more than most of them take. */
class Statements {
  readonly #plain = new Map<string, StatementSync>()
  readonly #big = new Map<string, StatementSync>()

  of(database: DatabaseSync, sql: string, big: boolean): StatementSync {
    const all = big ? this.#big : this.#plain
    const known = all.get(sql)
    if (known) return known
    const made = database.prepare(sql)
    made.setReadBigInts(big)
    all.set(sql, made)
    return made
  }
}

const prepared = new WeakMap<DatabaseSync, Statements>()

function statement(database: DatabaseSync, sql: string, big: boolean): StatementSync {
  const known = prepared.get(database) ?? new Statements()
  prepared.set(database, known)
  return known.of(database, sql, big)
}

/** All rows of a small query. The caller says the shape that the SQL beside it gives. */
export const all = <Row>(database: DatabaseSync, sql: string, ...values: SQLInputValue[]): Row[] =>
  statement(database, sql, false).all(...values) as unknown as Row[]

export const one = <Row>(database: DatabaseSync, sql: string, ...values: SQLInputValue[]): Row | undefined =>
  statement(database, sql, false).get(...values) as unknown as Row | undefined

/** As `all`, with every integer a bigint: for amounts. */
export const allBig = <Row>(database: DatabaseSync, sql: string, ...values: SQLInputValue[]): Row[] =>
  statement(database, sql, true).all(...values) as unknown as Row[]

/** Number of rows changed. */
export const run = (database: DatabaseSync, sql: string, ...values: SQLInputValue[]): number =>
  Number(statement(database, sql, false).run(...values).changes)

/** Row by row, with every integer a bigint; a statement of its own, so that streams may be nested. */
export function stream<Row>(database: DatabaseSync, sql: string, ...values: SQLInputValue[]): Iterable<Row> {
  const own = database.prepare(sql)
  own.setReadBigInts(true)
  return own.iterate(...values) as unknown as Iterable<Row>
}

/** Row by row, integers as numbers. */
export const streamPlain = <Row>(database: DatabaseSync, sql: string, ...values: SQLInputValue[]): Iterable<Row> =>
  database.prepare(sql).iterate(...values) as unknown as Iterable<Row>
