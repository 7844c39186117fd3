import type { SQLInputValue } from 'node:sqlite'
import type { Store } from '../store.ts'

export type RegistryFault = 'invalid' | 'not_found' | 'conflict'

/** The registry was asked for what makes no sense. `next` is a command that helps. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly fault: RegistryFault
  readonly param: string | undefined
  readonly next: string | undefined

  constructor(fault: RegistryFault, message: string, more: { param?: string; next?: string } = {}) {
    super(message)
    this.fault = fault
    this.param = more.param
    this.next = more.next
  }
}

/**
 * One change of who may ask, what serves and what it costs: all of it or nothing, and a new number for the snapshot in
 * the same transaction, so that two different snapshots never share a number.
 */
export function change<T>(store: Store, work: () => T): T {
  store.database.exec('begin immediate')
  try {
    const result = work()
    store.database.exec(
      "insert into counter (name, value) values ('snapshot', 1) on conflict (name) do update set value = value + 1",
    )
    store.database.exec('commit')
    return result
  } catch (cause) {
    if (store.database.isTransaction) store.database.exec('rollback')
    throw cause
  }
}

/** All rows of a query; the caller knows their shape from the SQL beside it. */
export const all = <Row>(store: Store, sql: string, ...values: SQLInputValue[]): Row[] =>
  store.database.prepare(sql).all(...values) as unknown as Row[]

export const one = <Row>(store: Store, sql: string, ...values: SQLInputValue[]): Row | undefined =>
  store.database.prepare(sql).get(...values) as unknown as Row | undefined

export const run = (store: Store, sql: string, ...values: SQLInputValue[]): number =>
  Number(store.database.prepare(sql).run(...values).changes)

export const counter = (store: Store, name: string): number =>
  Number(one<{ value: number }>(store, 'select value from counter where name = ?', name)?.value ?? 0)
