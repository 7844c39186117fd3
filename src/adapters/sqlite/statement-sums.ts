/** Sums of statements as rows: by hour, as they are booked, and by day, of days that are rolled up. */

import type { Transfer } from '../../books/account.ts'
import { hour_ms, hourOf } from '../../books/cost-hour.ts'
import type { CloseRow } from '../../books/row.ts'
import type { SummedPart, SummedRequests } from '../../books/statement-sums.ts'
import { StatementSums } from '../../books/statement-sums.ts'
import type { Charged } from '../../books/terms/discount.ts'
import type { TokenClass } from '../../books/usage.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { nanoDollars } from '../../units/amount.ts'
import type { SiteId } from '../../units/ids.ts'
import type { Database } from '../database/database.ts'
import { insertMany } from './insert-many.ts'
import { Prices } from './price-of.ts'
import { one, run, stream, streamPlain } from './query.ts'
import { sharedGrade } from './shared-grade.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

const tables = {
  hour: { part: 'statement_part', requests: 'statement_hour' },
  day: { part: 'rolled_part', requests: 'rolled_day' },
} as const
type Slot = keyof typeof tables

/** Adds to the sums that are there, within the caller's transaction. */
export function keepSums({ database }: Reader, by: Slot, { parts, requests }: StatementSums): void {
  const { part: intoParts, requests: intoRequests } = tables[by]
  const partRows = [...parts.values()].map(
    ({ tenant, slot, application, model, price_version, site, cause, class: of, ...sums }) => [
      tenant,
      slot,
      application,
      model,
      price_version ?? 0,
      site,
      cause ?? '',
      of ?? '',
      sums.requests,
      sums.tokens,
      sums.amount,
    ],
  )
  insertMany(
    database,
    {
      table: intoParts,
      columns: {
        ...{
          tenant: 'text',
          [by]: 'integer',
          application: 'text',
          model: 'text',
          price_version: 'integer',
          site: 'text',
          cause: 'text',
        },
        ...{ class: 'text', requests: 'integer', tokens: 'integer', amount: 'integer' },
      },
      conflict: `on conflict (tenant, ${by}, application, model, price_version, site, cause, class) do update set
        requests = ${intoParts}.requests + excluded.requests, tokens = ${intoParts}.tokens + excluded.tokens,
        amount = ${intoParts}.amount + excluded.amount`,
    },
    partRows,
  )
  insertMany(
    database,
    {
      table: intoRequests,
      columns: { tenant: 'text', [by]: 'integer', requests: 'integer', missing: 'integer' },
      conflict: `on conflict (tenant, ${by}) do update set
        requests = ${intoRequests}.requests + excluded.requests, missing = ${intoRequests}.missing + excluded.missing`,
    },
    [...requests.values()].map(({ tenant, slot, requests: n, missing }) => [tenant, slot, n, missing]),
  )
}

interface PartRow {
  readonly tenant: string
  readonly slot: bigint
  readonly application: string
  readonly model: string
  readonly price_version: bigint
  readonly site: SiteId
  readonly cause: SummedPart['cause'] | ''
  readonly class: TokenClass | ''
  readonly requests: bigint
  readonly tokens: bigint
  readonly amount: bigint
}

const columns = 'tenant, application, model, price_version, site, cause, class, requests, tokens, amount'

const partOf = (row: PartRow): SummedPart => ({
  ...row,
  slot: Number(row.slot),
  price_version: row.price_version === 0n ? null : Number(row.price_version),
  cause: row.cause === '' ? null : row.cause,
  class: row.class === '' ? null : row.class,
  requests: Number(row.requests),
  tokens: Number(row.tokens),
  amount: nanoDollars(row.amount),
})

export function* summedParts({ database }: Reader, by: Slot): Generator<SummedPart> {
  const find = `select ${columns}, ${by} as slot from ${tables[by].part}`
  for (const row of stream<PartRow>(database, find)) yield partOf(row)
}

export const summedRequests = ({ database }: Reader, by: Slot): Iterable<SummedRequests> =>
  streamPlain<SummedRequests>(database, `select tenant, ${by} as slot, requests, missing from ${tables[by].requests}`)

/** What a tenant's requests of slots in [from, to) put on its statement. */
export function* summedPartsOf(
  { database }: Reader,
  by: Slot,
  tenant: string,
  from: number,
  to: number,
): Generator<SummedPart> {
  const find = `select ${columns}, ${by} as slot from ${tables[by].part} where tenant = ? and ${by} >= ? and ${by} < ?`
  for (const row of stream<PartRow>(database, find, tenant, from, to)) yield partOf(row)
}

export const summedRequestsOf = (
  { database }: Reader,
  by: Slot,
  tenant: string,
  from: number,
  to: number,
): Pick<SummedRequests, 'requests' | 'missing'> =>
  one(
    database,
    `select coalesce(sum(requests), 0) as requests, coalesce(sum(missing), 0) as missing
     from ${tables[by].requests} where tenant = ? and ${by} >= ? and ${by} < ?`,
    tenant,
    from,
    to,
  ) ?? { requests: 0, missing: 0 }

/** Hours in [from, to) of a tenant or of all, in the order of tenants and hours. */
export function* orderedParts(
  { database }: Reader,
  tenant: string | undefined,
  from: number,
  to: number,
): Generator<SummedPart> {
  const find = ordered(`${columns}, hour as slot`, 'statement_part', tenant)
  for (const row of stream<PartRow>(database, find, ...given(tenant), from, to)) yield partOf(row)
}

/** Of a tenant's hours in [from, to), hour after hour, what its applications were charged and got back; `fine`: by model and class. */
export function* orderedCharges(
  { database }: Reader,
  tenant: string,
  from: number,
  to: number,
  fine: boolean,
): Generator<Charged> {
  const by = fine ? ['application', 'model', 'cause', 'class'] : ['application', 'cause']
  const find = `
    select hour as slot, ${by.join(', ')}, sum(tokens) as tokens, sum(amount) as amount from statement_part
    where tenant = ? and hour >= ? and hour < ? group by hour, ${by.join(', ')} order by hour`
  type Row = Pick<PartRow, 'slot' | 'application' | 'cause' | 'tokens' | 'amount'> &
    Partial<Pick<PartRow, 'model' | 'class'>>
  for (const { slot, application, model = '', cause, class: of = '', tokens, amount } of stream<Row>(
    database,
    find,
    tenant,
    from,
    to,
  ))
    yield {
      slot: Number(slot),
      application,
      model,
      cause: cause === '' ? null : cause,
      class: of === '' ? null : of,
      tokens: Number(tokens),
      amount: nanoDollars(amount),
    }
}

export const orderedEnergy = (
  { database }: Reader,
  tenant: string | undefined,
  from: number,
  to: number,
): Iterable<SummedEnergy> =>
  stream<SummedEnergy>(
    database,
    ordered('tenant, hour as slot, application, grade, amount', 'statement_energy', tenant),
    ...given(tenant),
    from,
    to,
  )

const given = (tenant: string | undefined): string[] => (tenant === undefined ? [] : [tenant])

const ordered = (what: string, table: string, tenant: string | undefined): string =>
  `select ${what} from ${table} where ${tenant === undefined ? '' : 'tenant = ? and '}hour >= ? and hour < ? order by tenant, hour`

/** The first hour of which there are sums: the store may be older than they are. */
export const summedFrom = ({ database }: Reader): number =>
  one<{ value: number }>(database, "select value from counter where name = 'statement_hours_from'")?.value ?? 0

/** What one transaction settled and posted. */
export function sumBooked(store: Store, settled: readonly CloseRow[], posted: readonly Transfer[]): void {
  const { database } = store
  const prices = new Prices(database)
  const sums = new StatementSums(hour_ms)
  for (const row of settled) sums.add(row, prices.of(row.price_version ?? 0))
  keepSums(store, 'hour', sums)
  sumEnergy(database, posted)
}

const addEnergy = `
  insert into statement_energy (tenant, hour, application, grade, amount) values (?, ?, ?, ?, ?)
  on conflict (tenant, hour, application, grade) do update set amount = statement_energy.amount + excluded.amount`

/** Energy from a meter to an application; its grade is that of its interval. */
function sumEnergy(database: Database, posted: readonly Transfer[]): void {
  const sums = new Map<string, { where: readonly [string, number, string, string]; amount: bigint }>()
  const grades = new Map<string, Grade>()
  for (const { id, unit, from, to, amount, at_ms } of posted) {
    if (unit !== 'mJ' || !from.startsWith('meter/') || !to.startsWith('tenant/')) continue
    const [, tenant = '', application = ''] = to.split('/').map(decodeURIComponent)
    const interval = id.split('/', 2).join('/')
    const grade = grades.get(interval) ?? gradeOf(database, interval)
    grades.set(interval, grade)
    const where = [tenant, hourOf(at_ms), application, grade] as const
    const name = JSON.stringify(where)
    const known = sums.get(name)
    if (known) known.amount += amount
    else sums.set(name, { where, amount })
  }
  for (const { where, amount } of sums.values()) run(database, addEnergy, ...where, amount)
}

function gradeOf(database: Database, interval: string): Grade {
  const [meter = '', sequence = ''] = interval.split('/')
  const find = `select ${sharedGrade} as grade from meter_interval i where i.meter = ? and i.sequence = ?`
  const found = one<{ grade: Grade }>(database, find, meter, Number(sequence))
  if (!found) throw new Error(`energy is booked of the interval ${interval}, which is not there`)
  return found.grade
}

export interface SummedEnergy {
  readonly tenant: string
  readonly slot: bigint
  readonly application: string
  readonly grade: Grade
  readonly amount: bigint
}

export const summedEnergyOf = (
  { database }: Reader,
  tenant: string,
  from: number,
  to: number,
): Iterable<SummedEnergy> =>
  stream<SummedEnergy>(
    database,
    'select *, hour as slot from statement_energy where tenant = ? and hour >= ? and hour < ?',
    tenant,
    from,
    to,
  )
