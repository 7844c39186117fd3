import type { Value } from '../../database/database.ts'
import * as query from '../query.ts'
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
export const change = <T>(store: Store, work: () => T): T =>
  store.transaction(() => {
    const result = work()
    run(
      store,
      "insert into counter (name, value) values ('snapshot', 1) on conflict (name) do update set value = counter.value + 1",
    )
    return result
  })

/** All rows of a query; the caller knows their shape from the SQL beside it. */
export const all = <Row>(store: Store, sql: string, ...values: Value[]): Row[] =>
  query.all(store.database, sql, ...values)

export const one = <Row>(store: Store, sql: string, ...values: Value[]): Row | undefined =>
  query.one(store.database, sql, ...values)

/** Number of rows changed. */
export const run = (store: Store, sql: string, ...values: Value[]): number => query.run(store.database, sql, ...values)

export const counter = (store: Store, name: string): number =>
  Number(one<{ value: number }>(store, 'select value from counter where name = ?', name)?.value ?? 0)

/** Lifts the snapshot's number above one that a gateway has seen already. */
export const raiseSnapshot = (store: Store, above: number): number =>
  run(
    store,
    "update counter set value = case when value > ? then value else ? end + 1 where name = 'snapshot'",
    above,
    above,
  )
