/** A statement in the currency in which its tenant is billed, beside the dollars of the books. */
import { formatDecimal } from '../../units/amount.ts'
import { assert } from '../../units/assert.ts'
import { dayOf } from '../account.ts'
import type { DayRate } from './rate.ts'
import { dayText, exchanged, formatRate, roundedOnce, roundedTogether } from './rate.ts'
import type { TenantExchange } from './tenant-exchange.ts'

export interface UsedRate {
  /** ISO 4217. */
  readonly currency: string
  /** Of the currency for a dollar. */
  readonly rate: string
  /** It holds from this day, UTC, until the next that has a rate. */
  readonly rate_day: string
  /** Of the declaration that the rate came with. */
  readonly exchange_version: number
}

export interface StatementBilling {
  readonly currency: string
  /** All that was declared until then of currencies and rates: with it the same statement can be made for ever. */
  readonly exchange_version: number
  readonly total: string
  readonly taken_off: string
  readonly shortfall: string
  readonly credit: string
  /** The total, less what was taken off and what credits paid, and what commitments lack. */
  readonly due: string
  readonly rounding: string
  readonly rates: readonly UsedRate[]
}

/** What lines are part of, and whether that adds to what is due. */
const signs = { charged: 1n, refunded: -1n, takenOff: -1n, shortfall: 1n, credit: -1n } as const
export type BilledPart = keyof typeof signs

export interface Billed {
  readonly billing: StatementBilling
  readonly shares: Readonly<Record<BilledPart, ReadonlyMap<string, string>>>
}

const rounding =
  'amounts of each UTC day × the rate of that day, exactly; what is due is rounded once, half away from zero, to nine decimals, and what it is made of shares that by largest remainder'

/** Exact sums of lines, in 10^-21 of the currency; rounded when all is known. */
export class BillingSums {
  private readonly exchange: TenantExchange
  private readonly currency: string
  private readonly used = new Map<string, DayRate>()
  private readonly sums: Record<BilledPart, Map<string, bigint>> = {
    charged: new Map(),
    refunded: new Map(),
    takenOff: new Map(),
    shortfall: new Map(),
    credit: new Map(),
  }

  /** `from_ms`: where the statement begins, all of which is in one currency. */
  constructor(exchange: TenantExchange, from_ms: number) {
    this.exchange = exchange
    this.currency = exchange.currencyOn(dayOf(from_ms))
  }

  add(part: BilledPart, line: string, nanoUsd: bigint, at_ms: number | undefined): void {
    assert(at_ms !== undefined, 'money of another currency is of a day')
    const rate = this.exchange.on(dayOf(at_ms))
    assert(rate?.currency === this.currency, 'a statement is in one currency')
    if (nanoUsd !== 0n) this.used.set(`${rate.day} ${rate.version}`, rate)
    const sums = this.sums[part]
    sums.set(line, (sums.get(line) ?? 0n) + exchanged(nanoUsd, rate))
  }

  done(): Billed {
    const { charged, refunded, takenOff, shortfall, credit } = this.sums
    const owed = sum(charged) - sum(refunded)
    const due = [owed, -sum(takenOff), sum(shortfall), -sum(credit)]
    const rounded = roundedOnce(due.reduce((a, b) => a + b, 0n))
    const [total = 0n, off = 0n, lack = 0n, paid = 0n] = roundedTogether(due, rounded)
    const lines = shared([charged, refunded], total)
    return {
      billing: {
        currency: this.currency,
        exchange_version: this.exchange.version,
        total: text(total),
        taken_off: text(-off),
        shortfall: text(lack),
        credit: text(-paid),
        due: text(rounded),
        rounding,
        rates: [...this.used.values()].sort((a, b) => a.day - b.day || a.version - b.version).map(usedRate),
      },
      shares: {
        charged: lines[0] ?? new Map(),
        refunded: lines[1] ?? new Map(),
        takenOff: shared([takenOff], -off)[0] ?? new Map(),
        shortfall: shared([shortfall], lack)[0] ?? new Map(),
        credit: shared([credit], -paid)[0] ?? new Map(),
      },
    }
  }
}

/** Lines in the order of their keys, so that the same lines in another order share alike; those of a second kind count against the first. */
function shared(kinds: readonly ReadonlyMap<string, bigint>[], of: bigint): ReadonlyMap<string, string>[] {
  const lines = kinds.flatMap((sums, kind) =>
    [...sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ kind, key, value: kind === 0 ? value : -value })),
  )
  const shares = roundedTogether(
    lines.map(({ value }) => value),
    of,
  )
  const found = kinds.map(() => new Map<string, string>())
  for (const [at, { kind, key }] of lines.entries()) {
    const share = shares[at] ?? 0n
    found[kind]?.set(key, text(kind === 0 ? share : -share))
  }
  return found
}

const sum = (sums: ReadonlyMap<string, bigint>): bigint => [...sums.values()].reduce((a, b) => a + b, 0n)
const text = (value: bigint): string => formatDecimal(value, 9)

const usedRate = ({ currency, rate, day, version }: DayRate): UsedRate => ({
  currency,
  rate: formatRate(rate),
  rate_day: dayText(day),
  exchange_version: version,
})
