import type { StrandedCause } from '../plant/energy/idle.ts'
import type { ApplicationId, KeyId, ModelId, ReplicaId, TenantId } from '../units/ids.ts'
import type { WasteCause } from './row.ts'
import type { TokenClass } from './usage.ts'

/** Units of the ledger, each of which sums to zero over all accounts. */
export const ledgerUnits = ['nano-USD', 'mJ', 'token', 'ugCO2e'] as const
export type LedgerUnit = (typeof ledgerUnits)[number]

/** A path such as `tenant/acme/support`; names inside it are URI-encoded, so a slash in a model's name does no harm. */
export type Account = string & { readonly account: true }

/** To whom a request belongs, as far as its cost must know. */
interface Whose {
  readonly tenant: TenantId
  readonly application: ApplicationId
  readonly key: KeyId
  readonly model: ModelId
}

const account = (...path: readonly string[]): Account => path.map(encodeURIComponent).join('/') as Account

/**
 * The chart of accounts. One name, several units: `tenant/T/A` owes dollars, was served tokens, and drew joules.
 *
 *     tokens   engine/R → tenant/T/A/class | waste/cause/class        made = served + wasted
 *     money    tenant/T/A → revenue/model/class                       owed = earned
 *              tenant/T/A → revenue/model/cache_hit/class              an answer from the cache
 *              refund/T/A → tenant/T/A                                a missed promise, given back
 *              payment/T | promo/T → credit/prepaid|promo/T/id         bought or given: owed to the tenant until it is used
 *              credit/…/T/id → tenant/T/A | breakage/T                 paid with; left over when it ended
 *              discount/T/A → tenant/T/A                              taken off for how much was used
 *              commitment/T → shortfall/T                             what a month lacks of what was promised
 *     energy   meter/M → tenant/T/A | waste/cause | idle/…            drawn = attributed + wasted + idle
 *              meter/M → overhead/host | overhead/facility | overhead/unseen   of a meter above others: what it shows beyond them
 *
 *     cost     capacity/R | electricity/M | demand/M | hosted/R | overhead/kind/name | job/kind/model/name
 *                       → cost/usage/T/A/model/class/key | cost/waste/cause | cost/idle/… | cost/overhead/kind | cost/making/model/kind
 *     carbon   electricity/M → the same accounts of cost
 *
 * Idle is `idle/shared-pool`, `idle/reserved-warm/T/A` (kept warm for its owner) or `idle/stranded/cause`: never smeared.
 */
export const accounts = {
  engine: (replica: ReplicaId): Account => account('engine', replica),
  tenant: (tenant: TenantId, application: ApplicationId): Account => account('tenant', tenant, application),
  served: (tenant: TenantId, application: ApplicationId, tokenClass: TokenClass): Account =>
    account('tenant', tenant, application, tokenClass),
  waste: (cause: WasteCause): Account => account('waste', cause),
  wasted: (cause: WasteCause, tokenClass: TokenClass): Account => account('waste', cause, tokenClass),
  revenue: (model: ModelId, tokenClass: TokenClass): Account => account('revenue', model, tokenClass),
  hitRevenue: (model: ModelId, tokenClass: TokenClass): Account => account('revenue', model, 'cache_hit', tokenClass),
  refund: (tenant: TenantId, application: ApplicationId): Account => account('refund', tenant, application),
  /** As `tenant`, of names that come from the books themselves. */
  owed: (tenant: string, application: string): Account => account('tenant', tenant, application),
  credit: (kind: 'prepaid' | 'promo', tenant: string, id: string): Account => account('credit', kind, tenant, id),
  creditSource: (kind: 'prepaid' | 'promo', tenant: string): Account =>
    account(kind === 'prepaid' ? 'payment' : 'promo', tenant),
  breakage: (tenant: string): Account => account('breakage', tenant),
  discount: (tenant: string, application: string): Account => account('discount', tenant, application),
  /** Owed by the tenant as a whole, and by no application. */
  committed: (tenant: string): Account => account('commitment', tenant),
  shortfall: (tenant: string): Account => account('shortfall', tenant),
  meter: (meter: string): Account => account('meter', meter),
  idle: (): Account => account('idle', 'shared-pool'),
  reserved: (tenant: TenantId, application: ApplicationId): Account =>
    account('idle', 'reserved-warm', tenant, application),
  stranded: (cause: StrandedCause): Account => account('idle', 'stranded', cause),
  capacity: (replica: string): Account => account('capacity', replica),
  electricity: (meter: string): Account => account('electricity', meter),
  demand: (connection: string): Account => account('demand', connection),
  hosted: (replica: string): Account => account('hosted', replica),
  /** Work that made a model, or made it better. */
  job: (kind: string, model: string, name: string): Account => account('job', kind, model, name),
  overhead: (kind: string, name: string): Account => account('overhead', kind, name),
  overheadEnergy: (of: 'host' | 'facility' | 'unseen'): Account => account('overhead', of),
  usageCost: ({ tenant, application, model, key }: Whose, tokenClass: TokenClass): Account =>
    account('cost', 'usage', tenant, application, model, tokenClass, key),
  wasteCost: (cause: WasteCause): Account => account('cost', 'waste', cause),
  /** Of an account of idle energy. */
  idleCost: (idle: Account): Account => `cost/${idle}` as Account,
  overheadCost: (kind: string): Account => account('cost', 'overhead', kind),
  makingCost: (model: string, kind: string): Account => account('cost', 'making', model, kind),
} as const

/** An immutable movement of a positive amount; a correction is another transfer. */
export interface Transfer {
  /** Says what it posts, so that the same posting twice is the same transfer. */
  readonly id: string
  readonly unit: LedgerUnit
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  /** The request it belongs to; null for what belongs to none, such as idle energy. */
  readonly request: string | null
  readonly at_ms: number
}

/** The UTC day, counted from 1970. */
export const dayOf = (at_ms: number): number => Math.floor(at_ms / 86_400_000)

/** Balances per account and unit: what came in less what went out. */
export type Balances = Map<string, bigint>

export const balanceKey = (unit: LedgerUnit, of: Account): string => `${unit} ${of}`

export function apply(balances: Balances, transfer: Transfer): void {
  const move = (of: Account, amount: bigint): void => {
    const key = balanceKey(transfer.unit, of)
    balances.set(key, (balances.get(key) ?? 0n) + amount)
  }
  move(transfer.from, -transfer.amount)
  move(transfer.to, transfer.amount)
}
