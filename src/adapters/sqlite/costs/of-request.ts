/**
 * What one request cost the factory, beside what it was charged: its part of the seconds that it worked in, its joules, and what
 * a provider charges for it. Hours are posted as sums by tenant, key, model and class; this is the same division, read for one.
 */
import { chipTime } from '../../../books/chip-time.ts'
import { costBetween, inForce, perHourSpans, seriesOf } from '../../../books/cost.ts'
import { energyCost, hour_ms, hourOf } from '../../../books/cost-hour.ts'
import { rate } from '../../../books/price.ts'
import { isInPue, pueOf } from '../../../books/pue.ts'
import type { CloseRow } from '../../../books/row.ts'
import { joined, parted } from '../../../books/tally.ts'
import { formatDecimal, formatDollars, nanoDollars } from '../../../units/amount.ts'
import { attemptId } from '../../../units/ids.ts'
import { all, allBig } from '../query.ts'
import { givenSpans } from '../registry/meters.ts'
import { rowsUnderWay } from '../seen.ts'
import { fitsIn } from '../step-fits.ts'
import type { Store } from '../store.ts'
import { pueFacts } from '../whole-hours.ts'
import { declarations } from './declarations.ts'
import { workOf } from './gather.ts'

type Reader = Pick<Store, 'database'>

/** Null where nothing of the kind was declared: unknown, which is another thing than free. */
export interface RequestCost {
  readonly capacity_usd: string | null
  readonly electricity_usd: string | null
  readonly hosted_usd: string | null
  readonly usd: string | null
  readonly carbon_g: string | null
  /** Found by a rule. */
  readonly source: 'estimated'
  /** Its hours are closed, and nothing of them is to be worked out again. */
  readonly final: boolean
}

export function costOfRequest(store: Reader, row: CloseRow): RequestCost {
  const declared = declarations(store)
  const capacity = capacityOf(store, row, declared)
  const [electricity, carbon] = (['tariff', 'carbon'] as const).map((kind) => energyOf(store, row, declared, kind))
  const hosted = hostedOf(row, declared)
  const known = [capacity, electricity, hosted].filter((amount) => amount !== undefined)
  const text = (amount: bigint | undefined): string | null =>
    amount === undefined ? null : formatDollars(nanoDollars(amount))
  return {
    capacity_usd: text(capacity),
    electricity_usd: text(electricity),
    hosted_usd: text(hosted),
    usd: known.length === 0 ? null : text(known.reduce((sum, amount) => sum + amount, 0n)),
    carbon_g: carbon === undefined ? null : formatDecimal(carbon, 6),
    source: 'estimated',
    final: hoursClosed(store, hourOf(row.at_ms), hourOf(row.closed_ms)),
  }
}

type Declared = ReturnType<typeof declarations>

/** dollars of its hours × its nanoseconds ÷ those of the hour. */
function capacityOf(store: Reader, row: CloseRow, declared: Declared): bigint | undefined {
  const given = givenSpans(store)
  const fits = fitsIn(store)
  const rows = rowsUnderWay(store, row.at_ms - 1000, row.closed_ms + 1000)
  let sum: bigint | undefined
  for (const replica of new Set(row.attempts.map((attempt) => attempt.replica))) {
    const spans = perHourSpans(declared, 'capacity', replica, given)
    for (let hour = hourOf(row.at_ms); hour <= hourOf(row.closed_ms); hour++) {
      const amount = costBetween(spans, hour * hour_ms, (hour + 1) * hour_ms)
      if (amount === 0n) continue
      const range = {
        from: Math.max(hour * 3600, Math.floor(row.at_ms / 1000)),
        until: Math.min((hour + 1) * 3600, Math.floor(row.closed_ms / 1000) + 1),
      }
      const { held } = chipTime(workOf(store, replica, range, rows), fits)
      const ns = row.attempts.reduce((total, { number }) => total + (held.get(attemptId(row.id, number))?.ns ?? 0n), 0n)
      sum = (sum ?? 0n) + half(amount * ns, hour_ns)
    }
  }
  return sum
}

const hour_ns = 3_600_000_000_000n
const half = (of: bigint, by: bigint): bigint => (2n * of + by) / (2n * by)

const drew = "select debit, amount, at_ms from transfer where request = ? and unit = 'mJ'"

function energyOf(store: Reader, row: CloseRow, declared: Declared, kind: 'tariff' | 'carbon'): bigint | undefined {
  const byHour = new Map<string, { meter: string; hour: number; energy: bigint }>()
  for (const { debit, amount, at_ms } of allBig<{ debit: string; amount: bigint; at_ms: bigint }>(
    store.database,
    drew,
    row.id,
  )) {
    const [, meter = ''] = parted(debit)
    const hour = hourOf(Number(at_ms) - 1)
    const known = byHour.get(`${hour} ${meter}`)
    byHour.set(`${hour} ${meter}`, { meter, hour, energy: (known?.energy ?? 0n) + amount })
  }
  if (byHour.size === 0) return undefined
  const hours = [...byHour.values()].map(({ hour }) => hour)
  const facts = pueFacts(store, declared, Math.min(...hours), Math.max(...hours) + 1)
  let sum: bigint | undefined
  for (const { meter, hour, energy } of byHour.values()) {
    const price = isInPue(facts, meter, hour) ? undefined : seriesOf(declared, kind, meter, hour * hour_ms)
    if (price) sum = (sum ?? 0n) + energyCost(energy, hour, price, pueOf(facts, meter, hour))
  }
  return sum
}

function hostedOf(row: CloseRow, declared: Declared): bigint | undefined {
  let sum: bigint | undefined
  for (const { replica, usage } of row.attempts) {
    const terms = inForce(declared, 'list', joined(replica, row.model), row.closed_ms)?.terms
    if (terms?.per !== 'token') continue
    for (const amount of rate(usage, terms.perMillion).values()) sum = (sum ?? 0n) + amount
  }
  return sum
}

function hoursClosed({ database }: Reader, first: number, last: number): boolean {
  const closed = 'select hour from closed_hour where hour >= ? and hour <= ? and stale = 0'
  return all(database, closed, first, last).length === last - first + 1
}
