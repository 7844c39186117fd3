/** The transfers behind a number, page by page: those of a time between accounts that are named by patterns. */
import { partAt, way } from '../../books/account-pattern.ts'
import { termsHour } from '../../books/terms/adjustment.ts'
import type { Database, Value } from '../database/database.ts'
import type { Books } from './books.ts'
import type { Moved } from './explain.ts'
import { moved } from './explain.ts'
import type { StoredTransfer } from './ledger.ts'
import { under } from './ledger.ts'
import { allBig } from './query.ts'
import { rolledUp } from './rolled.ts'
import { tenantsWithTerms } from './terms/agreed.ts'

/** What is looked for: each has its own order in the ledger. */
export const subjects = ['cost', 'carbon', 'revenue', 'terms', 'tokens', 'energy'] as const
export type Subject = (typeof subjects)[number]

export interface Asked {
  readonly what: Subject
  readonly from_ms: number
  /** Not included; of energy it is, since an interval has the moment in which it ended. */
  readonly to_ms: number
  readonly out: string | undefined
  readonly into: string | undefined
  /** The `next` of the page before. */
  readonly after: string | undefined
  readonly limit: number
}

export interface TransferPage {
  /** `back`: it flows the other way, and takes away what was posted before. */
  readonly transfers: readonly (Moved & { readonly back: boolean })[]
  /** Of this page, what flows back taken off; in the unit of the ledger. */
  readonly sum: string
  /** null: there is no page after this. */
  readonly next: string | null
  /** Of time before this moment only sums by day are kept. */
  readonly kept_from_ms: number | null
}

const units = {
  ...{ cost: 'nano-USD', carbon: 'ugCO2e', revenue: 'nano-USD', terms: 'nano-USD', tokens: 'token', energy: 'mJ' },
} as const

/** Rows looked at for one page: some 20 ms. A page that ends for this has a next one. */
const mostScanned = 20_000
/** Each is a look of its own. */
const mostRequests = 2000

export function transfersPage(books: Books, asked: Asked): TransferPage {
  const { found, next } = looks[asked.what](books, asked)
  const transfers: (Moved & { back: boolean })[] = []
  let sum = 0n
  for (const each of found) {
    const goes = way(asked, { from: each.debit, to: each.credit })
    if (each.unit !== units[asked.what] || !goes) continue
    transfers.push({ ...moved(each), back: goes === 'back' })
    sum += goes === 'back' ? -each.amount : each.amount
  }
  return { transfers, sum: sum.toString(), next, kept_from_ms: rolledUp(books).until_ms }
}

/** What may be what is asked for, and where the next page begins. */
interface Found {
  readonly found: readonly StoredTransfer[]
  readonly next: string | null
}

const hour_ms = 3_600_000
const six = (hour: number): number => Math.min(999_999, Math.max(100_000, hour)) // from 1981 to 2084

/** In the order of their names, which is that of hours. */
function costs({ database }: Books, asked: Asked): Found {
  const [from, to] = [six(Math.ceil(asked.from_ms / hour_ms)), six(Math.floor(asked.to_ms / hour_ms))]
  return scanned(database, asked, {
    where: 'id >= ? and id < ? and id > ?',
    values: [`cost/${from}/`, `cost/${to}/`, asked.after ?? ''],
    order: 'id',
  })
}

function energy({ database }: Books, asked: Asked): Found {
  const { at_ms, id } = markOf(asked.after, asked.from_ms + 1)
  return scanned(database, asked, {
    where: "unit = 'mJ' and (at_ms, id) > (?, ?) and at_ms <= ?",
    values: [at_ms, id, asked.to_ms],
    order: 'at_ms, id',
  })
}

interface Scan {
  readonly where: string
  readonly values: readonly Value[]
  readonly order: 'id' | 'at_ms, id'
}

/** The rest of the patterns is looked at by who asks; the database leaves out most of what cannot be meant. */
function scanned(database: Database, { what, out, into, limit }: Asked, { where, values, order }: Scan): Found {
  const rows = `(select * from transfer where ${where} order by ${order} limit ${mostScanned}) as scanned`
  const prefixes = [out, into].flatMap((pattern) => pattern?.split('*', 1)[0] || [])
  const fits = prefixes.map(() => '(substr(debit, 1, ?) = ? or substr(credit, 1, ?) = ?)')
  const given = prefixes.flatMap((prefix) => [prefix.length, prefix, prefix.length, prefix])
  const found = allBig<StoredTransfer>(
    database,
    `select * from ${rows} where ${['unit = ?', ...fits].join(' and ')} order by ${order} limit ?`,
    ...[...values, units[what], ...given, limit],
  )
  const mark = ({ at_ms, id }: Pick<StoredTransfer, 'at_ms' | 'id'>): string => (order === 'id' ? id : `${at_ms}/${id}`)
  const last = found.at(-1)
  if (last && found.length === limit) return { found, next: mark(last) }
  const [end] = allBig<StoredTransfer>(
    database,
    `select * from transfer where ${where} order by ${order} limit 1 offset ${mostScanned - 1}`,
    ...values,
  )
  return { found, next: end ? mark(end) : null }
}

/** Request by request: what a request moved is named after it. */
function ofRequests({ database }: Books, asked: Asked): Found {
  const { at_ms, id } = markOf(asked.after, asked.from_ms)
  const [tenant, model] = [named(asked, 'tenant'), named(asked, 'revenue')]
  const by = tenant === undefined ? (model === undefined ? undefined : ['model', model]) : ['tenant', tenant]
  const find = `
    select id, closed_ms from request where ${by ? `${by[0]} = ? and ` : ''}(closed_ms, id) > (?, ?) and closed_ms < ?
    order by closed_ms, id limit ${mostRequests}`
  const own = 'select * from transfer where id >= ? and id < ? and unit = ? order by id'
  const found: StoredTransfer[] = []
  let looked = 0
  const rows = allBig<Mark>(database, find, ...(by ? [by[1] ?? ''] : []), at_ms, id, asked.to_ms)
  for (const row of rows) {
    looked++
    for (const each of allBig<StoredTransfer>(database, own, ...under(row.id), units[asked.what]))
      if (way(asked, { from: each.debit, to: each.credit })) found.push(each)
    if (found.length < asked.limit) continue
    return { found, next: looked < rows.length || looked === mostRequests ? markText(row) : null }
  }
  const last = rows.length === mostRequests ? rows.at(-1) : undefined
  return { found, next: last ? markText(last) : null }
}

/** Tenant after tenant, each hour after hour: what terms moved is named so. */
function terms(books: Books, asked: Asked): Found {
  const { from_ms, to_ms, after = '', limit } = asked
  const whose = ['tenant', 'discount', 'commitment', 'shortfall'].flatMap((kind) => named(asked, kind) ?? [])[0]
  const [from, to] = [Math.ceil(from_ms / hour_ms), Math.floor(to_ms / hour_ms)]
  const ranges = (whose === undefined ? tenantsWithTerms(books) : [whose])
    .map((tenant) => ({ first: `${termsHour(tenant, from)}/`, end: `${termsHour(tenant, to)}/` }))
    .filter(({ end }) => end > after)
    .sort((a, b) => (a.first < b.first ? -1 : 1))
  const find = 'select * from transfer where id > ? and id < ? order by id limit ?'
  const found: StoredTransfer[] = []
  let looked = 0
  for (const { first, end } of ranges)
    for (let last = first < after ? after : first, more = true; more; ) {
      const rows = allBig<StoredTransfer>(books.database, find, last, end, limit)
      for (const each of rows) if (way(asked, { from: each.debit, to: each.credit })) found.push(each)
      last = rows.at(-1)?.id ?? last
      looked += rows.length
      more = rows.length === limit
      if (rows.length > 0 && (found.length >= limit || looked >= mostScanned)) return { found, next: last }
    }
  return { found, next: null }
}

interface Mark {
  readonly id: string
  readonly closed_ms: bigint
}

const markText = ({ closed_ms, id }: Mark): string => `${closed_ms}/${id}`

/** The name that follows a kind of account in one of the patterns. */
const named = ({ out, into }: Asked, kind: string): string | undefined =>
  [out, into].flatMap((pattern) => (partAt(pattern, 0) === kind ? (partAt(pattern, 1) ?? []) : []))[0]

const markOf = (after: string | undefined, from_ms: number): { at_ms: number; id: string } =>
  after === undefined
    ? { at_ms: from_ms, id: '' }
    : { at_ms: Number(after.slice(0, after.indexOf('/'))), id: after.slice(after.indexOf('/') + 1) }

const looks: Readonly<Record<Subject, (books: Books, asked: Asked) => Found>> = {
  cost: costs,
  carbon: costs,
  energy,
  revenue: ofRequests,
  terms,
  tokens: ofRequests,
}
