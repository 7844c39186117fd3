import type { Grade } from '../plant/energy/meter.ts'
import { formatDecimal, formatDollars, nanoDollars } from '../units/amount.ts'
import { assert } from '../units/assert.ts'
import type { Billed, BilledPart, StatementBilling } from './exchange/statement-billing.ts'
import { BillingSums } from './exchange/statement-billing.ts'
import type { TenantExchange } from './exchange/tenant-exchange.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow, WasteCause } from './row.ts'
import type { SloClass } from './slo-class.ts'
import type { StatementPart } from './statement-part.ts'
import { priceOfPart, statementPartsOf } from './statement-part.ts'
import type { Adjustment, AgreedLine, CreditMove } from './terms/adjustment.ts'
import { isAgreed } from './terms/adjustment.ts'
import type { AgreementKind } from './terms/agreement.ts'
import type { CreditKind } from './terms/credit.ts'
import type { TokenClass } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** What was billed of one class of token at one price. Amounts are decimal text: exact, whatever reads them. */
export interface StatementLine {
  readonly application: string
  readonly model: string
  /** Null: the model had no price when it was asked. */
  readonly price_version: number | null
  /** Class of requests that this price is for; null: every class that has none of its own. */
  readonly slo: SloClass | null
  readonly class: TokenClass
  /** Where it was answered. */
  readonly site: string
  /** They were answers from the cache: what is charged is for tokens that no engine had to make. */
  readonly cached: boolean
  readonly requests: number
  readonly tokens: number
  /** USD per million tokens. */
  readonly usd_per_million: string | null
  /** Sum of the requests' charges, each rounded to a whole nano-dollar. */
  readonly usd: string
  /** The same in the currency in which the tenant is billed, where that is another one. */
  readonly billed?: string
}

/** What engines made for a tenant's requests and nobody paid for. */
export interface WasteLine {
  readonly application: string
  readonly model: string
  readonly cause: WasteCause
  readonly class: TokenClass
  readonly site: string
  readonly tokens: number
}

/** What came back of what was billed, since the promise of its price was missed. */
export interface RefundLine {
  readonly application: string
  readonly model: string
  readonly price_version: number | null
  readonly slo: SloClass | null
  readonly site: string
  readonly requests: number
  readonly usd: string
  readonly billed?: string
}

export interface EnergyLine {
  readonly application: string
  readonly grade: Grade
  readonly energy_mj: string
}

/** What became of a credit: granted, used for what was billed, and what was left at its end. */
export interface CreditLine {
  readonly credit: string
  readonly kind: CreditKind
  readonly granted_usd: string
  readonly used_usd: string
  readonly expired_usd: string
  readonly returned_usd: string
  /** What was used of it, in the currency in which the tenant is billed. */
  readonly billed?: string
}

/** What was taken off for how much was used, or is owed of what a month was promised to come to. */
export interface AgreedSum {
  /** Version of the agreement. */
  readonly terms: number
  readonly kind: AgreementKind
  /** Empty: of the tenant as a whole; so is a commitment of no model. */
  readonly application: string
  readonly model: string
  readonly usd: string
  readonly billed?: string
}

export interface Statement {
  readonly tenant: string
  /** Requests settled from … until, the end not in it; so is the energy of intervals that ended in it. */
  readonly from_ms: number
  readonly to_ms: number
  readonly currency: 'USD'
  readonly lines: readonly StatementLine[]
  readonly refunds: readonly RefundLine[]
  /** Billed, less refunds. */
  readonly total_usd: string
  /** Terms are worked out by the hour, when it is over: of hours that are not, nothing is taken off yet. */
  readonly agreed: readonly AgreedSum[]
  /** Of the total, by free quotas and tiers. */
  readonly taken_off_usd: string
  /** What months that ended lacked of commitments: owed beside the total. */
  readonly shortfall_usd: string
  /** Credit is drawn by the hour, when it is over: of hours that are not, nothing is drawn yet. */
  readonly credits: readonly CreditLine[]
  /** Paid with them. */
  readonly credit_usd: string
  /** The total, less what was taken off and what credits paid, and what commitments lack. */
  readonly due_usd: string
  readonly waste: readonly WasteLine[]
  readonly energy: readonly EnergyLine[]
  readonly requests: number
  /** Billed requests of which some count is missing: they are charged for what is known. */
  readonly requests_with_missing_counts: number
  /** Where the tenant is billed in another currency than dollars. */
  readonly billing?: StatementBilling
}

/**
 * A tenant's statement from its settled requests, one after the other. It says nothing that is not in the rows and prices,
 * both of which never change, so the statement of a past month is the same for ever.
 */
export class StatementBuilder {
  private readonly lines = new Map<string, { line: Omit<StatementLine, 'usd'>; amount: bigint }>()
  private readonly back = new Map<string, { line: Omit<RefundLine, 'usd'>; amount: bigint }>()
  private readonly waste = new Map<string, WasteLine>()
  private readonly credits = new Map<string, CreditSums>()
  private readonly agreed = new Map<string, { line: Omit<AgreedSum, 'usd'>; amount: bigint }>()
  private readonly joules = new Map<string, { application: string; grade: Grade; amount: bigint }>()
  private requests = 0
  private missing = 0
  private total = 0n
  private paid = 0n
  private takenOff = 0n
  private shortfall = 0n
  private readonly head: Pick<Statement, 'tenant' | 'from_ms' | 'to_ms'>
  private readonly billing: BillingSums | undefined

  /** `exchange`: where the tenant is billed in another currency; then each part must say of when it is. */
  constructor(tenant: string, from_ms: number, to_ms: number, exchange?: TenantExchange) {
    this.head = { tenant, from_ms, to_ms }
    this.billing = exchange && new BillingSums(exchange, from_ms)
  }

  add(row: CloseRow, price: PriceVersion | undefined): void {
    const { parts, missing } = statementPartsOf(row, price)
    this.count(1, missing ? 1 : 0)
    for (const part of parts) this.part(part, price, row.closed_ms)
  }

  /** Requests that it stands for, and how many of them lack some count. */
  count(requests: number, missing: number): void {
    this.requests += requests
    this.missing += missing
  }

  part(part: StatementPart, price: PriceVersion | undefined, at_ms?: number): void {
    if (part.cause === 'refund') this.refunded(part, price, at_ms)
    else if (part.class === null) assert(false, 'only a refund is of no class')
    else if (part.cause === null || part.cause === 'cache_hit') this.billed(part, part.class, price, at_ms)
    else this.wasted(part, part.class, part.cause)
  }

  adjusted(adjustment: Adjustment): void {
    if (isAgreed(adjustment)) this.agreedOn(adjustment)
    else this.credited(adjustment)
  }

  private agreedOn({ kind, of: model, name, application, amount, at_ms }: AgreedLine): void {
    if (kind === 'commitment') this.shortfall += amount
    else this.takenOff += amount
    const key = JSON.stringify([name.padStart(16, '0'), application, model])
    const known = this.agreed.get(key)?.amount ?? 0n
    this.billing?.add(kind === 'commitment' ? 'shortfall' : 'takenOff', key, amount, at_ms)
    this.agreed.set(key, { line: { terms: Number(name), kind, application, model }, amount: known + amount })
  }

  private credited({ kind, of, name, amount, at_ms }: CreditMove): void {
    const sums = this.credits.get(name) ?? { credit: name, kind: of, granted: 0n, used: 0n, expired: 0n, returned: 0n }
    this.credits.set(name, sums)
    switch (kind) {
      case 'granted':
        sums.granted += amount
        return
      case 'promo':
      case 'prepaid':
        sums.used += amount
        this.paid += amount
        this.billing?.add('credit', name, amount, at_ms)
        return
      case 'breakage':
      case 'expired':
        sums.expired += amount
        return
      case 'returned':
        sums.returned += amount
    }
  }

  energy(application: string, grade: Grade, amount: bigint): void {
    const key = JSON.stringify([application, grade])
    const known = this.joules.get(key)
    if (known) known.amount += amount
    else this.joules.set(key, { application, grade, amount })
  }

  done(): Statement {
    const billed = this.billing?.done()
    const money = (part: BilledPart) => (key: string, amount: bigint) => ({
      usd: formatDollars(nanoDollars(amount)),
      ...inCurrency(billed, part, key),
    })
    return {
      ...this.head,
      currency: 'USD',
      lines: entriesInOrder(this.lines).map(([key, { line, amount }]) => ({
        ...line,
        ...money('charged')(key, amount),
      })),
      refunds: entriesInOrder(this.back).map(([key, { line, amount }]) => ({
        ...line,
        ...money('refunded')(key, amount),
      })),
      total_usd: formatDollars(nanoDollars(this.total)),
      agreed: entriesInOrder(this.agreed).map(([key, { line, amount }]) => ({
        ...line,
        ...money(line.kind === 'commitment' ? 'shortfall' : 'takenOff')(key, amount),
      })),
      taken_off_usd: formatDollars(nanoDollars(this.takenOff)),
      shortfall_usd: formatDollars(nanoDollars(this.shortfall)),
      credits: entriesInOrder(this.credits).map(([key, sums]) => ({
        ...creditLine(sums),
        ...inCurrency(billed, 'credit', key),
      })),
      credit_usd: formatDollars(nanoDollars(this.paid)),
      due_usd: formatDollars(nanoDollars(this.total - this.takenOff + this.shortfall - this.paid)),
      waste: inOrder(this.waste),
      energy: inOrder(this.joules).map(({ amount, ...line }) => ({ ...line, energy_mj: amount.toString() })),
      requests: this.requests,
      requests_with_missing_counts: this.missing,
      ...(billed && { billing: billed.billing }),
    }
  }

  private refunded(
    { application, model, price_version, site, requests, amount }: StatementPart,
    price: PriceVersion | undefined,
    at_ms: number | undefined,
  ) {
    this.total -= amount
    const key = JSON.stringify([application, model, price_version, site])
    this.billing?.add('refunded', key, amount, at_ms)
    const known = this.back.get(key)
    this.back.set(key, {
      line: {
        application,
        model,
        price_version,
        slo: price?.slo ?? null,
        site,
        requests: (known?.line.requests ?? 0) + requests,
      },
      amount: (known?.amount ?? 0n) + amount,
    })
  }

  private billed(part: StatementPart, tokenClass: TokenClass, price: PriceVersion | undefined, at_ms?: number): void {
    const { application, model, price_version, site, requests, tokens, amount } = part
    this.total += amount
    const cached = part.cause === 'cache_hit'
    const key = JSON.stringify([application, model, price_version, site, cached, tokenClasses.indexOf(tokenClass)])
    this.billing?.add('charged', key, amount, at_ms)
    const known = this.lines.get(key)
    const perMillion = priceOfPart(part, price)?.[tokenClass]
    this.lines.set(key, {
      line: {
        application,
        model,
        price_version,
        slo: price?.slo ?? null,
        class: tokenClass,
        site,
        cached,
        requests: (known?.line.requests ?? 0) + requests,
        tokens: (known?.line.tokens ?? 0) + tokens,
        usd_per_million: perMillion === undefined ? null : formatDecimal(perMillion, 9),
      },
      amount: (known?.amount ?? 0n) + amount,
    })
  }

  private wasted({ application, model, site, tokens }: StatementPart, tokenClass: TokenClass, cause: WasteCause): void {
    const key = JSON.stringify([application, model, cause, site, tokenClasses.indexOf(tokenClass)])
    const known = this.waste.get(key)?.tokens ?? 0
    this.waste.set(key, { application, model, cause, class: tokenClass, site, tokens: known + tokens })
  }
}

interface CreditSums {
  readonly credit: string
  readonly kind: CreditKind
  granted: bigint
  used: bigint
  expired: bigint
  returned: bigint
}

const creditLine = ({ credit, kind, granted, used, expired, returned }: CreditSums): CreditLine => ({
  credit,
  kind,
  granted_usd: formatDollars(nanoDollars(granted)),
  used_usd: formatDollars(nanoDollars(used)),
  expired_usd: formatDollars(nanoDollars(expired)),
  returned_usd: formatDollars(nanoDollars(returned)),
})

/** By key, so that the same requests in another order make the same statement. */
const entriesInOrder = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
const inOrder = <T>(map: ReadonlyMap<string, T>): T[] => entriesInOrder(map).map(([, value]) => value)

/** A line's share of what is billed in the tenant's currency; nothing where that is dollars. */
const inCurrency = (billed: Billed | undefined, part: BilledPart, key: string): { readonly billed?: string } =>
  billed ? { billed: billed.shares[part].get(key) ?? '0' } : {}

/** Whether something lies between the total and what is due. */
export const isDueOther = ({ credits, agreed }: Statement): boolean => credits.length > 0 || agreed.length > 0
