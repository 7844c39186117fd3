/** What is below an interval of an upper meter, and who bears it: read alike to book its rest, and by the audit. */
import type { Account } from '../../books/account.ts'
import type { Below, Borne } from '../../books/level.ts'
import type { BelowPart, MeterPlace } from '../../plant/energy/levels.ts'
import { leaves, placeAt, subtree } from '../../plant/energy/levels.ts'
import { namedUnder } from './ledger.ts'
import type { Store } from './store.ts'
import { type Reaching, reachingInto, type Table } from './upper.ts'

type Reader = Pick<Store, 'database'>

export interface Span {
  readonly from_ms: number
  readonly to_ms: number
}

/** An upper meter's own reading, not what of it is beyond those below it. */
export const tableOf = (places: readonly MeterPlace[], meter: string, at_ms: number): Table =>
  placeAt(places, meter, at_ms) ? 'upper_interval' : 'meter_interval'

export const intervalsBelow = (
  store: Reader,
  places: readonly MeterPlace[],
  below: readonly string[],
  { from_ms, to_ms }: Span,
): Map<string, Reaching[]> =>
  new Map(below.map((one) => [one, reachingInto(store, tableOf(places, one, to_ms), one, from_ms, to_ms)]))

/** `until_ms`: what was booked later than that was not known. */
export const bearersBelow = (
  store: Reader,
  places: readonly MeterPlace[],
  parts: readonly BelowPart[],
  span: Span & { readonly until_ms: number },
): Below[] =>
  parts.map(({ meter, energy_mj }) => ({
    meter,
    energy_mj,
    chips: leaves(places, meter, span.to_ms).length,
    borne: borneUnder(store, subtree(places, meter, span.to_ms), span),
  }))

/** Parts of a second of an interval that reaches over the edge, in thousandths of its length. */
const fine = 1000n

function borneUnder(
  store: Reader,
  meters: readonly string[],
  { from_ms, to_ms, until_ms }: Span & { readonly until_ms: number },
): Borne[] {
  const borne = new Map<string, Borne>()
  for (const meter of meters)
    for (const one of reachingInto(store, 'meter_interval', meter, from_ms, to_ms)) {
      if (one.done_ms === null || one.done_ms > until_ms) continue
      const inside_ms = Math.min(to_ms, one.to_ms) - Math.max(from_ms, one.from_ms)
      const name = `${meter}/${one.sequence}`
      for (const { id, credit, request, amount } of namedUnder(store.database, name)) {
        const of = id.slice(name.length + 1)
        const weight = (amount * BigInt(inside_ms) * fine) / BigInt(one.to_ms - one.from_ms)
        const known = borne.get(of)
        borne.set(of, { name: of, to: credit as Account, request, weight: (known?.weight ?? 0n) + weight })
      }
    }
  return [...borne.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
