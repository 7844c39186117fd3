/** Homes whose operators share a database. A store that is a file has one home, and no row of it. */
import { hostname } from 'node:os'
import { accounts } from '../../books/account.ts'
import { nodeId } from '../random/node-id.ts'
import { all, one, run } from './query.ts'
import { RegistryError } from './registry/change.ts'
import type { Store } from './store.ts'

export interface Node {
  /** The first one has the embedded engine and the meters of its machine; the others serve with engines that have an address. */
  readonly number: number
  readonly host: string
  readonly gateways: number
  readonly seen_ms: number
  /** Null: it was stopped, or given up. */
  readonly read_to_ms: number | null
  /** Since when nothing of it is waited for; null: it was not given up, or is back. */
  readonly abandoned_ms: number | null
}

/** The operator of this home begins: from now on what its gateways journal is waited for. */
export function joinNodes(store: Store, gateways: number, now_ms: number): Node {
  const { database, home } = store
  const itself = { number: 1, host: hostname(), gateways, seen_ms: now_ms, read_to_ms: now_ms, abandoned_ms: null }
  if (database.dialect === 'sqlite') return itself
  return store.transaction(() => {
    const id = nodeId(home)
    const known = one<{ number: number; read_to_ms: number | null }>(
      database,
      'select number, read_to_ms from node where id = ?',
      id,
    )
    const next = one<{ number: number }>(database, 'select coalesce(max(number), 0) + 1 as number from node')?.number
    const number = known?.number ?? next ?? 1
    run(
      database,
      `insert into node (id, number, host, gateways, seen_ms, read_to_ms) values (?, ?, ?, ?, ?, ?)
       on conflict (id) do update set host = excluded.host, gateways = excluded.gateways, seen_ms = excluded.seen_ms,
         read_to_ms = coalesce(node.read_to_ms, excluded.read_to_ms)`,
      id,
      number,
      itself.host,
      gateways,
      now_ms,
      now_ms,
    )
    return { ...itself, number, read_to_ms: known?.read_to_ms ?? now_ms }
  })
}

/**
 * Every journal that lay in this home at a moment is known, and read as far as `journal` says. True when it had been given up:
 * now it is waited for again.
 */
export function nodeReadTo({ database, home }: Store, now_ms: number): boolean {
  if (database.dialect === 'sqlite') return false
  const id = nodeId(home)
  const back = 'update node set read_to_ms = ?, abandoned_ms = null where id = ? and abandoned_ms is not null'
  const isBack = run(database, back, now_ms, id) > 0
  const sql = 'update node set seen_ms = ?, read_to_ms = ? where id = ? and read_to_ms is not null'
  run(database, sql, now_ms, now_ms, id)
  return isBack
}

/** The home that something lies in, where several share the store. */
export const nodeOf = ({ database, home }: Store): string | null =>
  database.dialect === 'sqlite' ? null : nodeId(home)

/** In SQL: whether the home is not given up that a row of `journal` or `engine_log` lies in. */
export const isWaitedFor = (row: string): string =>
  `not exists (select 1 from node n where n.id = ${row}.node and n.abandoned_ms is not null)`

/** In SQL: the same of what a gateway wrote. */
export const isOfWaited = (incarnation: string): string =>
  `not exists (select 1 from journal w where w.incarnation = ${incarnation} and not ${isWaitedFor('w')})`

/** It is stopped: no gateway of it is left that could journal anything. */
export function leaveNodes({ database, home }: Store, now_ms: number): void {
  if (database.dialect === 'sqlite') return
  run(database, 'update node set seen_ms = ?, read_to_ms = null where id = ?', now_ms, nodeId(home))
}

/** Its operator says each second that it is there. */
const away_ms = 120_000

/**
 * A home that is lost is not waited for any more. What its gateways journaled and nobody read is in no books; what they leased stays
 * taken; what its engine is known to have done, and no request of which is known, bears its joules as waste. If it comes back after
 * all, what it brings is late.
 */
export function abandonNode(store: Store, number: number, now_ms: number): void {
  store.transaction(() => {
    const found = listNodes(store).find((one) => one.number === number)
    const next = 'wattmill homes list'
    if (!found) throw new RegistryError('not_found', `there is no home ${number}`, { param: 'number', next })
    if (found.abandoned_ms !== null)
      throw new RegistryError('conflict', `home ${number} was given up already`, { param: 'number', next })
    if (found.read_to_ms === null && !leftSomething(store, number))
      throw new RegistryError('conflict', `home ${number} was stopped: nothing waits for it`, { param: 'number', next })
    const silent_ms = now_ms - found.seen_ms
    if (silent_ms < away_ms)
      throw new RegistryError('conflict', `home ${number} was heard of ${Math.ceil(silent_ms / 1000)} s ago`, {
        param: 'number',
        next: `Stop its factory on ${found.host}; one that was silent for ${away_ms / 1000} s can be given up`,
      })
    run(store.database, 'update node set read_to_ms = null, abandoned_ms = ? where number = ?', now_ms, number)
    run(store.database, bearLost, accounts.waste('crash'), number)
  })
}

/** Whether a journal of its gateways was not read to its end. */
const leftSomething = ({ database }: Store, number: number): boolean =>
  one(database, `select 1 from journal where dead_ms is null and node = ${idOf} limit 1`, number) !== undefined

const idOf = '(select id from node where number = ?)'

/** It stays so when its request is known after all: an interval that is posted is not divided anew. */
const bearLost = `
  update engine_attempt set bearer = ? where reconciled = 0 and bearer is null
    and incarnation in (select incarnation from engine_log where node = ${idOf})`

/** Up to when every home's journals are known; infinity when none is at work. */
export const nodesReadTo = ({ database }: Pick<Store, 'database'>): number =>
  one<{ read: number | null }>(database, 'select min(read_to_ms) as read from node')?.read ?? Number.POSITIVE_INFINITY

export const listNodes = ({ database }: Pick<Store, 'database'>): Node[] =>
  all<Node>(database, 'select number, host, gateways, seen_ms, read_to_ms, abandoned_ms from node order by number')

/** Gateways that share a limit while nobody grants leases: those of all homes. */
export const gatewaysOfAll = ({ database }: Pick<Store, 'database'>): number =>
  one<{ n: number }>(database, 'select coalesce(sum(gateways), 0) as n from node where read_to_ms is not null')?.n ?? 0

/** Whether the embedded engine is this home's. One that never joined may be the first. */
export function isFirst({ database, home }: Pick<Store, 'database' | 'home'>): boolean {
  if (database.dialect === 'sqlite') return true
  const first = one<{ id: string }>(database, 'select id from node where number = 1')
  return first === undefined || first.id === nodeId(home)
}
