/** What is bound to a statement. Amounts are bigint, other integers are numbers. */
export type Value = null | number | bigint | string

/** How integers come back: all as bigint, for amounts, or all as numbers. */
export type Integers = 'bigint' | 'number'

/**
 * What the store needs of a database. It waits for each answer: what the books decide is decided and written within one
 * transaction, and nothing on the request path waits for the process that does it.
 */
export interface Database {
  /** Scripts and what only one of them knows, such as its own settings, differ; statements do not. */
  readonly dialect: 'sqlite' | 'postgres'
  readonly inTransaction: boolean
  /** Statements without values, one after the other. */
  exec(script: string): void
  /** Number of rows changed. */
  run(sql: string, values: readonly Value[]): number
  one(sql: string, values: readonly Value[]): unknown
  all(sql: string, values: readonly Value[], integers: Integers): unknown[]
  /** Row by row, in bounded memory. Several may be read at once. */
  iterate(sql: string, values: readonly Value[], integers: Integers): Iterable<unknown>
  close(): void
}
