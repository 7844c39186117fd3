import type { Account, LedgerUnit, Transfer } from '../../books/account.ts'
import { dayOf } from '../../books/account.ts'
import type { Database } from '../database/database.ts'
import { insertAside } from './aside.ts'
import { insertMany, insertNew } from './insert-many.ts'
import { allBig, one } from './query.ts'
import type { Store } from './store.ts'

/**
 * Posts transfers within the caller's transaction: once each, with their balances. The same transfer again does nothing;
 * another one under the same name is a contradiction, put aside and never posted. Returns those that were new.
 */
export function postTransfers(store: Store, postings: Iterable<Posting>): Transfer[] {
  const moved = new Map<string, Movement>()
  const posted: Transfer[] = []
  const asked = [...postings].flatMap(({ source, transfers }) => transfers.map((transfer) => ({ source, transfer })))
  const made = insertNew(
    store.database,
    transferRows,
    asked.map(({ transfer }) => rowOf(transfer)),
  )
  for (const [place, { source, transfer }] of asked.entries()) {
    if (made[place]) {
      posted.push(transfer)
      move(moved, transfer.from, -transfer.amount, transfer)
      move(moved, transfer.to, transfer.amount, transfer)
    } else if (!isStored(store.database, transfer)) {
      const body = JSON.stringify(transfer, decimal)
      insertAside(store, { source, subject: transfer.id, reason: 'transfer_conflict', body })
    }
  }
  const changes = [...moved.values()].map(({ account, unit, day, amount }) => [account, unit, day, amount])
  insertMany(store.database, balanceRows, changes)
  return posted
}

interface Posting {
  readonly source: string
  readonly transfers: readonly Transfer[]
}

const transferRows = {
  table: 'transfer',
  columns: {
    id: 'text',
    unit: 'text',
    debit: 'text',
    credit: 'text',
    amount: 'integer',
    request: 'text',
    at_ms: 'integer',
  },
} as const

const rowOf = ({ id, unit, from, to, amount, request, at_ms }: Transfer) => [id, unit, from, to, amount, request, at_ms]

const balanceRows = {
  table: 'balance',
  columns: { account: 'text', unit: 'text', day: 'integer', amount: 'integer' },
  conflict: 'on conflict (account, unit, day) do update set amount = balance.amount + excluded.amount',
} as const

interface Movement {
  readonly account: Account
  readonly unit: LedgerUnit
  readonly day: number
  amount: bigint
}

/** One change per account and day, however many transfers: a batch of a thousand rows touches few accounts. */
function move(moved: Map<string, Movement>, account: Account, amount: bigint, { unit, at_ms }: Transfer): void {
  const day = dayOf(at_ms)
  const key = `${unit} ${day} ${account}`
  const known = moved.get(key)
  if (known) known.amount += amount
  else moved.set(key, { account, unit, day, amount })
}

export interface StoredTransfer {
  readonly id: string
  readonly unit: LedgerUnit
  readonly debit: Account
  readonly credit: Account
  readonly amount: bigint
  readonly request: string | null
  readonly at_ms: bigint
}

export const sameTransfer = (stored: StoredTransfer, { unit, from, to, amount, request, at_ms }: Transfer): boolean =>
  stored.unit === unit &&
  stored.debit === from &&
  stored.credit === to &&
  stored.amount === amount &&
  stored.request === request &&
  stored.at_ms === BigInt(at_ms)

function isStored(database: Database, transfer: Transfer): boolean {
  const [stored] = allBig<StoredTransfer>(database, 'select * from transfer where id = ?', transfer.id)
  return stored !== undefined && sameTransfer(stored, transfer)
}

/** By the range of their names: `/` is followed by `0` in the order of bytes. What a request moved but for energy is named after it. */
export const namedUnder = (database: Database, name: string): StoredTransfer[] =>
  allBig<StoredTransfer>(database, 'select * from transfer where id >= ? and id < ? order by id', ...under(name))

export const under = (name: string): [from: string, to: string] => [`${name}/`, `${name}0`]

export const count = (database: Database, sql: string): number => one<{ n: number }>(database, sql)?.n ?? 0

/** Amounts in JSON are decimal strings: a reader's float would round them. */
export const decimal = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
