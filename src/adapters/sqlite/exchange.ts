/** Currencies of tenants and rates as they were declared: read as of a declaration, and added to. */
import type { DayRate, Rate } from '../../books/exchange/rate.ts'
import { dayText, formatRate } from '../../books/exchange/rate.ts'
import type { CurrencyFrom } from '../../books/exchange/tenant-exchange.ts'
import { RateTable, TenantExchange } from '../../books/exchange/tenant-exchange.ts'
import { insertMany } from './insert-many.ts'
import { all, allBig, run } from './query.ts'
import { RegistryError } from './registry/change.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

interface RateRow {
  readonly version: bigint
  readonly currency: string
  readonly day: bigint
  readonly rate: bigint
}

const rateOf = ({ version, currency, day, rate }: RateRow): DayRate => ({
  version: Number(version),
  currency,
  day: Number(day),
  rate: rate as Rate,
})

/** Every version of every rate, in the order of currencies, days and versions. */
const ratesOf = ({ database }: Reader, currency?: string): DayRate[] =>
  allBig<RateRow>(
    database,
    `select * from exchange_rate ${currency === undefined ? '' : 'where currency = ?'} order by currency, day, version`,
    ...(currency === undefined ? [] : [currency]),
  ).map(rateOf)

const currenciesOf = ({ database }: Reader, tenant: string): CurrencyFrom[] =>
  all<CurrencyFrom>(
    database,
    'select version, currency, from_day from tenant_currency where tenant = ? order by version',
    tenant,
  )

/** By tenant, of those of whom something was said: in what each is billed on a day. */
export function currenciesOn({ database }: Reader, day: number): ReadonlyMap<string, string> {
  const find = 'select tenant, currency from tenant_currency where from_day <= ? order by version'
  return new Map(
    all<{ tenant: string; currency: string }>(database, find, day).map(({ tenant, currency }) => [tenant, currency]),
  )
}

/** The number of the last declaration; 0: there is none. */
export const newestExchange = ({ database }: Reader): number =>
  Number(
    all<{ newest: number | null }>(database, 'select max(version) as newest from exchange_version')[0]?.newest ?? 0,
  )

/** That number, or the newest; one that nothing has is refused. */
export function knownExchange(store: Reader, version: number | undefined): number {
  const newest = newestExchange(store)
  if (version === undefined || version <= newest) return version ?? newest
  throw new RegistryError('not_found', `nothing was declared of currencies under number ${version}`, {
    param: 'exchange_version',
    next: 'wattmill rates list',
  })
}

/** Undefined: it was never said that the tenant is billed in another currency than dollars. `version`: as all until then say it. */
export function tenantExchange(store: Reader, tenant: string, version?: number): TenantExchange | undefined {
  const known = knownExchange(store, version)
  const currencies = currenciesOf(store, tenant)
  if (currencies.length === 0) return undefined
  const needed = new Set(currencies.map(({ currency }) => currency))
  return new TenantExchange(
    known,
    currencies,
    [...needed].flatMap((currency) => ratesOf(store, currency)),
  )
}

/** Of one tenant after the other, each looked up once. */
export function exchanges(store: Reader, version?: number): (tenant: string) => TenantExchange | undefined {
  const known = new Map<string, TenantExchange | undefined>()
  return (tenant) => {
    if (!known.has(tenant)) known.set(tenant, tenantExchange(store, tenant, version))
    return known.get(tenant)
  }
}

export interface ListedRate extends DayRate {
  readonly declared_ms: number
  readonly note: string
  /** It was given another value later on. */
  readonly corrected: boolean
}

export function listRates(store: Reader, currency?: string): ListedRate[] {
  const declared = new Map(
    all<{ version: number; declared_ms: number; note: string }>(store.database, 'select * from exchange_version').map(
      (one) => [one.version, one],
    ),
  )
  const rates = ratesOf(store, currency)
  return rates.map((rate, at) => {
    const next = rates[at + 1]
    const { declared_ms = 0, note = '' } = declared.get(rate.version) ?? {}
    return { ...rate, declared_ms, note, corrected: next?.currency === rate.currency && next.day === rate.day }
  })
}

export interface Declaring {
  readonly currency: string
  readonly rates: readonly { readonly day: number; readonly rate: Rate }[]
  readonly note: string
  /** A day that has a rate may be given another one. */
  readonly correct: boolean
}

/** Days that are said again as they are change nothing. `version` null: nothing was new. */
export function declareRates(store: Store, asked: Declaring, now_ms: number): { version: number | null; days: number } {
  const { currency, rates, note, correct } = asked
  return store.transaction(() => {
    const known = new Map(ratesOf(store, currency).map((rate) => [rate.day, rate]))
    const fresh = rates.filter(({ day, rate }) => known.get(day)?.rate !== rate)
    const other = fresh.map(({ day }) => known.get(day)).find((rate) => rate !== undefined)
    if (other && !correct) throw alreadyOther(other)
    if (other && note === '')
      throw new RegistryError('invalid', 'a correction says why it is made', {
        param: 'note',
        next: 'Give a reason: --note TEXT',
      })
    if (fresh.length === 0) return { version: null, days: 0 }
    const version = nextVersion(store, note, now_ms)
    const columns = { version: 'integer', currency: 'text', day: 'integer', rate: 'integer' } as const
    const rows = fresh.map(({ day, rate }) => [version, currency, day, rate])
    insertMany(store.database, { table: 'exchange_rate', columns }, rows)
    return { version, days: fresh.length }
  })
}

const alreadyOther = ({ currency, day, rate, version }: DayRate): RegistryError =>
  new RegistryError(
    'conflict',
    `the rate of ${currency} for ${dayText(day)} is ${formatRate(rate)} (declaration ${version}), and is not changed`,
    {
      param: 'rates',
      next: 'A correction is a declaration of its own: add --correct and --note TEXT. Statements that name an earlier one stay as they are.',
    },
  )

/** Within a transaction of the caller's. */
function nextVersion(store: Store, note: string, now_ms: number): number {
  const version = newestExchange(store) + 1
  const sql = 'insert into exchange_version (version, declared_ms, note) values (?, ?, ?)'
  run(store.database, sql, version, now_ms, note)
  return version
}

/** From a day on, the first of a month, a tenant is billed in that currency, of which there is a rate for that day. */
export function setCurrency(
  store: Store,
  { tenant, currency, from_day, note }: { tenant: string; currency: string; from_day: number; note: string },
  now_ms: number,
): { version: number } {
  return store.transaction(() => {
    if (currency !== 'USD') new RateTable(currency, ratesOf(store, currency)).on(from_day)
    const said = currenciesOf(store, tenant).at(-1)
    if (said?.currency === currency && said.from_day === from_day) return { version: said.version }
    const version = nextVersion(store, note, now_ms)
    run(
      store.database,
      'insert into tenant_currency (version, tenant, currency, from_day) values (?, ?, ?, ?)',
      ...[version, tenant, currency, from_day],
    )
    return { version }
  })
}

/** What was said of a tenant, oldest first. */
export const saidCurrencies = (store: Reader, tenant: string): readonly CurrencyFrom[] => currenciesOf(store, tenant)
