/** The settled requests, newest first: a page of them at a time, of whom one asks. */
import { costOf } from '../../books/post.ts'
import { energyText, gradeOf } from '../../books/receipt.ts'
import type { CloseRow } from '../../books/row.ts'
import { itlOf } from '../../books/tally.ts'
import { tokenClasses } from '../../books/usage.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { formatDollars } from '../../units/amount.ts'
import type { Books } from './books.ts'
import { Prices } from './price-of.ts'
import { streamPlain } from './query.ts'
import { energyOf } from './request-energy.ts'

/** A request on one line. */
export interface RequestLine {
  readonly id: string
  readonly at_ms: number
  readonly took_ms: number
  readonly queued_ms: number
  readonly ttft_ms: number | null
  /** Mean over a streamed answer. */
  readonly itl_ms: number | null
  readonly model: string
  readonly tenant: string
  readonly application: string
  readonly key: string
  /** Who served it last; null: nobody. */
  readonly engine: string | null
  readonly attempts: number
  /** Answered from the cache: no engine worked. */
  readonly cached: boolean
  readonly stream: boolean
  readonly outcome: string
  /** Of all attempts; null where no attempt has a count. */
  readonly tokens: { readonly [tokenClass: string]: number | null }
  /** Some of the counts are taken from sizes. */
  readonly tokens_grade: Grade
  readonly cost_usd: string
  readonly energy_mj: string | null
  readonly energy_grade: Grade | 'unknown'
  readonly energy_final: boolean
}

export interface Wanted {
  readonly tenant?: string | undefined
  readonly application?: string | undefined
  readonly model?: string | undefined
  readonly key?: string | undefined
  /** An outcome, or `failed`: all that is neither whole nor left by its client. */
  readonly outcome?: string | undefined
  /** Where the page before ended. */
  readonly before?: Mark | undefined
}

/** A place in the order of requests. */
export interface Mark {
  readonly closed_ms: number
  readonly id: string
}

export interface Page {
  readonly requests: RequestLine[]
  /** Where the next page begins; null: there is none. */
  readonly next: Mark | null
}

/** More than a page of them is what the export is for. */
const mostLines = 1000
/** Rows looked at for one page: some 30 ms. A page that ends for this has a next one. */
const mostScanned = 20_000

/** At most `n` of those wanted. A rare one may be far back: then a page is short, or empty, and the next one goes on. */
export function requestsPage(books: Books, n: number, wanted: Wanted = {}): Page {
  const most = Math.min(n, mostLines)
  const { index, given, rest } = planOf(wanted)
  const before = wanted.before ?? { closed_ms: Number.MAX_SAFE_INTEGER, id: '' }
  const fits = rest.length === 0 ? '1' : `case when ${rest.map(({ sql }) => sql).join(' and ')} then 1 else 0 end`
  const through = books.database.dialect === 'sqlite' ? `indexed by ${index}` : ''
  const sql = `
    select id, closed_ms, outcome, body, ${fits} as fits from request ${through}
    where ${[...given.map((each) => each.sql), '(closed_ms, id) < (?, ?)'].join(' and ')}
    order by closed_ms desc, id desc limit ${mostScanned}`
  const values = [...rest, ...given].flatMap((each) => each.values)
  return collected(books, streamPlain<Scanned>(books.database, sql, ...values, before.closed_ms, before.id), most)
}

interface Scanned extends Mark {
  readonly body: string
  readonly fits: number
}

function collected(books: Books, rows: Iterable<Scanned>, most: number): Page {
  const prices = new Prices(books.database)
  const requests: RequestLine[] = []
  let [scanned, last]: [number, Mark | null] = [0, null]
  for (const { id, closed_ms, body, fits } of rows) {
    if (requests.length === most) return { requests, next: last }
    scanned++
    last = { closed_ms, id }
    if (fits) requests.push(lineOf(books, prices, JSON.parse(body) as CloseRow))
  }
  return { requests, next: scanned === mostScanned ? last : null }
}

/** A condition of the query, and what is bound to it. */
interface Condition {
  readonly sql: string
  readonly values: readonly string[]
}

const failedOnly: Condition = { sql: "outcome not in ('complete', 'client_closed')", values: [] }

/**
 * The narrowest index leads; what else is wanted is looked for in its rows. Where a tenant is wanted, only its own rows are looked at:
 * where a page ends is told, and may be no other's.
 */
function planOf({ tenant, application, model, key, outcome }: Wanted) {
  const is = (column: string, value: string | undefined): Condition | undefined =>
    value === undefined ? undefined : { sql: `${column} = ?`, values: [value] }
  const notBilled = outcome !== undefined && outcome !== 'complete' && outcome !== 'client_closed'
  const conditions = {
    failed: notBilled ? failedOnly : undefined,
    key: is('api_key', key),
    application: is('application', application),
    tenant: is('tenant', tenant),
    model: is('model', model),
    outcome: is('outcome', outcome === 'failed' ? undefined : outcome),
  }
  const order = ['failed', 'key', tenant === undefined ? 'model' : 'application', 'tenant', 'model'] as const
  const leads = order.find((name) => conditions[name])
  const failed = leads === 'failed' && tenant !== undefined
  const index = failed ? 'request_tenant_failed' : leads === undefined ? 'request_closed' : `request_${leads}`
  const led = [conditions.tenant, leads && conditions[leads]]
  const given = [...new Set(led)].filter((each) => each !== undefined)
  const rest = Object.values(conditions).filter((each) => each !== undefined)
  return { index, given, rest: rest.filter((each) => !given.includes(each)) }
}

function lineOf(books: Books, prices: Prices, row: CloseRow): RequestLine {
  const energy = energyOf(books, row)
  const { id, at_ms, closed_ms, queued_ms, ttft_ms, model, tenant, application, key, stream, outcome, attempts } = row
  return {
    id,
    at_ms,
    took_ms: closed_ms - at_ms + queued_ms,
    queued_ms,
    ttft_ms,
    itl_ms: itlOf(row) ?? null,
    model,
    tenant,
    application,
    key,
    engine: attempts.at(-1)?.replica ?? null,
    attempts: attempts.length,
    cached: row.cached !== undefined,
    stream,
    outcome,
    tokens: Object.fromEntries(tokenClasses.map((of) => [of, tokensOf(row, of)])),
    tokens_grade: isEstimated(row) ? 'estimated' : 'measured',
    cost_usd: formatDollars(costOf(row, prices.of(row.price_version ?? 0))),
    energy_mj: energyText(energy),
    energy_grade: gradeOf(energy),
    energy_final: energy.final,
  }
}

function tokensOf(row: CloseRow, of: (typeof tokenClasses)[number]): number | null {
  const counts = row.attempts.flatMap(({ usage }) => usage[of] ?? [])
  return counts.length === 0 ? null : counts.reduce((sum, { tokens }) => sum + tokens, 0)
}

const isEstimated = (row: CloseRow): boolean =>
  row.attempts.some(({ usage }) => tokenClasses.some((of) => usage[of]?.source === 'estimated'))
