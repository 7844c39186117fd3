/** What people ask of the books. Everything printed is worked out in `books/`; here is only where it comes from. */
import type { EnergyShare, Receipt, RequestEnergy } from '../../books/receipt.ts'
import { openReceipt, receiptOf } from '../../books/receipt.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import type { Statement } from '../../books/statement.ts'
import { StatementBuilder } from '../../books/statement.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import type { TenantId } from '../../units/ids.ts'
import type { Books } from './books.ts'
import { Prices } from './price-of.ts'
import { allBig, one, stream, streamPlain } from './query.ts'

/** A tenant's statement for requests settled in [from, to). */
export function statement(books: Books, tenant: TenantId, from_ms: number, to_ms: number): Statement {
  const { database } = books
  const builder = new StatementBuilder(tenant, from_ms, to_ms)
  const prices = new Prices(database)
  const settled =
    'select body from request where tenant = ? and closed_ms >= ? and closed_ms < ? order by closed_ms, id'
  for (const { body } of streamPlain<{ body: string }>(database, settled, tenant, from_ms, to_ms)) {
    const row = JSON.parse(body) as CloseRow
    builder.add(row, row.price_version === null ? undefined : prices.of(row.price_version))
  }
  for (const { credit, grade, amount } of stream<EnergyOf>(database, energyOfTenant, from_ms, to_ms, prefix(tenant)))
    builder.energy(decodeURIComponent(credit.slice(prefix(tenant).length)), grade, amount)
  return builder.done()
}

interface EnergyOf {
  readonly credit: string
  readonly grade: Grade
  readonly amount: bigint
}

/** An interval's transfers carry the moment it ended, so the two are found by it. */
const energyOfTenant = `
  select t.credit, i.grade, t.amount from transfer t
  join meter_interval i on i.to_ms = t.at_ms and t.debit = 'meter/' || i.meter
  where t.at_ms >= ? and t.at_ms < ? and t.unit = 'mJ' and instr(t.credit, ?) = 1`

const prefix = (tenant: TenantId): string => `tenant/${encodeURIComponent(tenant)}/`

/** The receipt of a request; `undefined` when the books do not know it. */
export function receipt(books: Books, id: string): Receipt | undefined {
  const settled = one<{ body: string }>(books.database, 'select body from request where id = ?', id)
  if (settled) {
    const row = JSON.parse(settled.body) as CloseRow
    return receiptOf(row, new Prices(books.database).of(row.price_version ?? 0), energyOf(books, id))
  }
  const open = one<{ body: string }>(books.database, 'select body from open_request where id = ?', id)
  return open ? openReceipt(JSON.parse(open.body) as OpenRow) : undefined
}

interface ShareRow extends Omit<EnergyShare, 'meter' | 'sequence' | 'from_ms' | 'to_ms' | 'posted_ms' | 'fit'> {
  readonly id: string
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly posted_ms: bigint | null
  readonly fit: bigint | null
}

/** By the name of a transfer, `meter/sequence/attempt`. */
const sharesOf = `
  select t.id, t.amount as energy_mj, i.from_ms, i.to_ms, i.grade, i.posted_ms, i.fit, i.modelled_mj,
    i.energy_mj - i.idle_mj as active_mj
  from transfer t
  join meter_interval i
    on i.meter = substr(t.debit, length('meter/') + 1)
    and i.sequence = cast(substr(t.id, length(i.meter) + 2) as integer)
  where t.request = ? and t.unit = 'mJ' order by t.at_ms, t.id`

/** A request's energy: what was attributed to it, and whether some interval that it worked in is still open. */
export function energyOf({ database }: Books, request: string): RequestEnergy {
  const shares = allBig<ShareRow>(database, sharesOf, request).map(({ id, fit, ...share }) => {
    const [meter = '', sequence = ''] = id.split('/')
    return {
      ...share,
      meter,
      sequence: Number(sequence),
      from_ms: Number(share.from_ms),
      to_ms: Number(share.to_ms),
      posted_ms: share.posted_ms === null ? null : Number(share.posted_ms),
      fit: fit === null ? null : Number(fit),
    }
  })
  const work = one<Worked>(database, workedIn, request)
  const logged = work !== undefined && work.attempts > 0
  return { shares, logged, final: logged && work.pending === 0 && isPast(database, work) }
}

interface Worked {
  readonly attempts: number
  readonly pending: number
  readonly first: number | null
  readonly last: number | null
}

const workedIn = `
  select count(distinct a.id) as attempts, coalesce(sum(a.reconciled = 0), 0) as pending,
    min(s.second) as first, max(s.second) as last
  from engine_attempt a left join engine_second s on s.attempt = a.id where a.request = ?`

/** No interval over its seconds is open, and every meter has come past the last of them. */
function isPast(database: Books['database'], { first, last }: Worked): boolean {
  if (first === null || last === null) return true
  const open = 'select 1 from meter_interval where posted_ms is null and to_ms > ? and from_ms <= ? limit 1'
  if (one(database, open, first * 1000 + 500, last * 1000 + 500)) return false
  const behind = 'select meter from meter_interval group by meter having max(to_ms) <= ? limit 1'
  return one(database, behind, last * 1000 + 500) === undefined
}
