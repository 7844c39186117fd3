import { formatDecimal, formatDollars, nanoDollars } from '../units/amount.ts'

/** A line of somebody else's bill, or of their meter: of an engine in tokens, of energy in millijoules. Undefined: not said. */
export interface InvoiceLine {
  readonly kind: 'engine' | 'energy'
  /** The engine; or the meter, or `all` for all of them together. */
  readonly name: string
  readonly quantity: bigint | undefined
  /** Nano-dollars. */
  readonly charged: bigint | undefined
}

/** What the books say of the same: what was used, and what it was declared to cost. */
export interface Known {
  readonly quantity: bigint
  readonly cost: bigint
}

/** What engines elsewhere counted and what of it no request of ours explains. */
export interface EngineCounts {
  readonly engine: string
  readonly counted: bigint
  readonly foreign: bigint
}

/** What the factory's tokens earned, at large: to put a price on tokens that earned nothing. */
export interface Earned {
  readonly tokens: bigint
  readonly billed: bigint
}

export interface Discrepancy {
  readonly check: 'engine counters and requests' | 'engine log and requests' | 'invoice' | 'energy bill'
  readonly name: string
  readonly unit: 'tokens' | 'kWh'
  /** By the books. */
  readonly ours: string
  /** By the counters, the invoice or the meter elsewhere; null: it does not say. */
  readonly theirs: string | null
  /** Theirs less ours. */
  readonly difference: string | null
  readonly ours_usd: string | null
  readonly theirs_usd: string | null
  /** What the difference is worth, either way; null: nothing says what it costs. */
  readonly at_risk_usd: string | null
  readonly note: string
}

export interface Reconciliation {
  readonly from_ms: number
  readonly to_ms: number
  readonly checks: readonly Discrepancy[]
  /** Sum of what is known to be at risk. */
  readonly at_risk_usd: string
  /** Checks whose difference has no price. */
  readonly without_price: number
}

/** Of the same engine or meter there may be several lines: they are one charge. */
export function joinedInvoice(lines: readonly InvoiceLine[]): InvoiceLine[] {
  const joined = new Map<string, InvoiceLine>()
  const plus = (a: bigint | undefined, b: bigint | undefined) => (a === undefined ? b : a + (b ?? 0n))
  for (const line of lines) {
    const name = JSON.stringify([line.kind, line.name])
    const { quantity, charged } = joined.get(name) ?? {}
    joined.set(name, { ...line, quantity: plus(quantity, line.quantity), charged: plus(charged, line.charged) })
  }
  return [...joined.values()]
}

export function reconciliation(
  period: { readonly from_ms: number; readonly to_ms: number },
  told: {
    readonly counts: readonly EngineCounts[]
    /** Tokens that engines of ours made and that no request which was settled accounts for. */
    readonly crashed: bigint
    readonly earned: Earned
    readonly invoice: readonly (readonly [line: InvoiceLine, known: Known | undefined])[]
  },
): Reconciliation {
  const { earned } = told
  const lost = (tokens: bigint): bigint | undefined =>
    tokens === 0n ? 0n : worth(tokens, earned.billed, earned.tokens)
  const counters = told.counts.map(({ engine, counted, foreign }): Found => {
    const base = { check: 'engine counters and requests', name: engine, unit: 'tokens' } as const
    const note =
      foreign === 0n
        ? 'every token is explained'
        : 'tokens that no request of ours explains: someone else asks this engine'
    return {
      ...base,
      ours: counted - foreign,
      theirs: counted,
      oursUsd: undefined,
      theirsUsd: undefined,
      risk: lost(foreign),
      note,
    }
  })
  const crashed: Found = {
    check: 'engine log and requests',
    name: 'own engines',
    unit: 'tokens',
    ours: 0n,
    theirs: told.crashed,
    oursUsd: undefined,
    theirsUsd: undefined,
    risk: lost(told.crashed),
    note:
      told.crashed === 0n
        ? 'every step is on a request'
        : 'made for requests whose gateway or stream died: on nobody’s bill',
  }
  const found = [...counters, crashed, ...told.invoice.map(([line, known]) => compared(line, known))]
  const priced = found.flatMap(({ risk }) => risk ?? [])
  return {
    ...period,
    checks: found.map(shown),
    at_risk_usd: formatDollars(nanoDollars(priced.reduce((sum, one) => sum + one, 0n))),
    without_price: found.length - priced.length,
  }
}

interface Found extends Pick<Discrepancy, 'check' | 'name' | 'unit' | 'note'> {
  readonly ours: bigint
  readonly theirs: bigint | undefined
  readonly oursUsd: bigint | undefined
  readonly theirsUsd: bigint | undefined
  readonly risk: bigint | undefined
}

/**
 * Charged for more or less than was used, or at another price than was declared: in both cases the difference in money is what is at
 * risk. Where one side says no money, the difference in quantity at our own mean price.
 */
function compared({ kind, name, quantity, charged }: InvoiceLine, known: Known | undefined): Found {
  const base = {
    check: kind === 'engine' ? ('invoice' as const) : ('energy bill' as const),
    name,
    unit: kind === 'engine' ? ('tokens' as const) : ('kWh' as const),
    ours: known?.quantity ?? 0n,
    theirs: quantity,
    theirsUsd: charged,
  }
  if (!known)
    return {
      ...base,
      oursUsd: undefined,
      risk: charged,
      note: `the books know nothing of that name in this time${kind === 'energy' ? '; all meters together are `all`' : ''}`,
    }
  const oursUsd = known.cost
  if (charged === undefined) {
    const apart = distance(quantity ?? known.quantity, known.quantity)
    const risk = apart === 0n ? 0n : oursUsd > 0n ? worth(apart, oursUsd, known.quantity) : undefined
    return {
      ...base,
      oursUsd,
      risk,
      note: risk === undefined ? undeclared(kind) : 'quantities compared, at the mean cost of ours',
    }
  }
  const risk = distance(charged, oursUsd)
  if (oursUsd === 0n && charged !== 0n) return { ...base, oursUsd, risk, note: undeclared(kind) }
  const same = quantity === undefined || quantity === known.quantity
  return {
    ...base,
    oursUsd,
    risk,
    note: risk === 0n ? 'agrees' : same ? 'another price than declared' : 'another quantity',
  }
}

const undeclared = (kind: InvoiceLine['kind']): string =>
  kind === 'engine'
    ? 'nothing is declared that it costs: wattmill costs set list, or capacity'
    : 'nothing is declared that energy costs: wattmill costs set tariff'

const distance = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a)

/** `quantity` at the mean price of `money` for `of`, half up; undefined: there is none. */
const worth = (quantity: bigint, money: bigint, of: bigint): bigint | undefined =>
  of <= 0n || money <= 0n ? undefined : (quantity * money * 2n + of) / (of * 2n)

function shown({ check, name, unit, ours, theirs, oursUsd, theirsUsd, risk, note }: Found): Discrepancy {
  const usd = (value: bigint | undefined): string | null =>
    value === undefined ? null : formatDollars(nanoDollars(value))
  return {
    check,
    name,
    unit,
    ours: asUnit(ours, unit),
    theirs: theirs === undefined ? null : asUnit(theirs, unit),
    difference: theirs === undefined ? null : asUnit(theirs - ours, unit),
    ours_usd: usd(oursUsd),
    theirs_usd: usd(theirsUsd),
    at_risk_usd: usd(risk),
    note,
  }
}

/** 1 kWh = 3.6e9 mJ: shown to a millionth, which is 3.6 J. */
function asUnit(value: bigint, unit: Discrepancy['unit']): string {
  if (unit === 'tokens') return value.toString()
  const millionths = (value < 0n ? -value : value) / 3_600n
  return formatDecimal(value < 0n ? -millionths : millionths, 6)
}
