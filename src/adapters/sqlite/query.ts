import type { Database, Value } from '../database/database.ts'

/** All rows of a small query. The caller says the shape that the SQL beside it gives. */
export const all = <Row>(database: Database, sql: string, ...values: Value[]): Row[] =>
  database.all(sql, values, 'number') as Row[]

export const one = <Row>(database: Database, sql: string, ...values: Value[]): Row | undefined =>
  database.one(sql, values) as Row | undefined

/** As `all`, with every integer a bigint: for amounts. */
export const allBig = <Row>(database: Database, sql: string, ...values: Value[]): Row[] =>
  database.all(sql, values, 'bigint') as Row[]

/** Number of rows changed. */
export const run = (database: Database, sql: string, ...values: Value[]): number => database.run(sql, values)

/** Row by row, with every integer a bigint. */
export const stream = <Row>(database: Database, sql: string, ...values: Value[]): Iterable<Row> =>
  database.iterate(sql, values, 'bigint') as Iterable<Row>

/** Row by row, integers as numbers. */
export const streamPlain = <Row>(database: Database, sql: string, ...values: Value[]): Iterable<Row> =>
  database.iterate(sql, values, 'number') as Iterable<Row>
