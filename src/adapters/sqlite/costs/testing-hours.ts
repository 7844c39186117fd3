/** Books of three hours, with every kind of cost declared, for tests of what is worked out of them. */
import assert from 'node:assert/strict'
import type { CostDeclaration, CostKind, CostTerms } from '../../../books/cost.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import { priceList } from '../../../books/price.ts'
import type { CloseRow } from '../../../books/row.ts'
import { millijoules, nanoDollars, price } from '../../../units/amount.ts'
import type { SiteId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import { closeIntervals } from '../close-intervals.ts'
import { ingestJournal, journalReadTo } from '../ingest.ts'
import { insertInterval } from '../intervals.ts'
import { standAt } from '../registry/sites.ts'
import type { Store } from '../store.ts'
import { closeRow, dice, gateway, journaled, measuredStore, type testHome } from '../testing.ts'
import { closeHours } from './close-hours.ts'
import { declare } from './declarations.ts'

/** Midnight of some day. */
export const begin_ms = 500_016 * hour_ms
export const first = 500_016
export const hours = 3

export const usd = (amount: number): CostTerms => ({
  per: 'hour',
  amount: nanoDollars(BigInt(Math.round(amount * 1e9))),
})
export const asked = (
  kind: CostKind,
  name: string,
  terms: CostTerms,
): Omit<CostDeclaration, 'version' | 'declared_ms'> => ({
  kind,
  name,
  terms,
  from_ms: begin_ms,
  note: '',
})

/** Where `far` stands. */
export const farSite = id<SiteId>('eu-north')

/** Requests of some tenants over three hours on `gpu`, which a board measures, and on `far`, which nothing does. */
export function traffic(seed: number, count = 60): CloseRow[] {
  const roll = dice(seed)
  return Array.from({ length: count }, (_, number) => {
    const at_ms = begin_ms + roll(hours * hour_ms - 20_000)
    const base = closeRow(number + 1, { at_ms, closed_ms: at_ms + 500 + roll(15_000), tenant: id(`t${roll(3)}`) })
    const [attempt] = base.attempts
    assert(attempt)
    const isFar = roll(4) === 0
    return {
      ...base,
      key: id(`k${roll(2)}`),
      outcome: roll(8) === 0 ? 'timeout' : 'complete',
      attempts: [{ ...attempt, replica: id(isFar ? 'far' : 'gpu'), ...(isFar && { site: farSite }) }],
    }
  })
}

export function booked(home: ReturnType<typeof testHome>, seed: number): { store: Store; rows: CloseRow[] } {
  const store = measuredStore(home)
  store.transaction(() => standAt(store, 'far', farSite, 0))
  const rows = traffic(seed)
  ingestJournal(store, gateway, journaled(rows))
  for (let minute = 0; minute < hours * 60; minute++) {
    const [from_ms, to_ms] = [begin_ms + minute * 60_000, begin_ms + (minute + 1) * 60_000]
    const energy = millijoules(BigInt(10_000_000 + minute))
    const idle = millijoules(4_000_000n)
    insertInterval(store, {
      meter: 'board',
      sequence: minute + 1,
      from_ms,
      to_ms,
      energy,
      idle,
      grade: 'measured',
      reset: false,
    })
  }
  const now_ms = begin_ms + hours * hour_ms + 5000
  declare(store, asked('capacity', 'gpu', usd(2.4)), now_ms)
  declare(store, asked('staff', 'ops', usd(1.1)), now_ms)
  declare(
    store,
    asked('tariff', 'all', {
      per: 'time',
      series: { usual: 80_000_000n, rules: [{ hours: [1, 2], value: 200_000_000n }] },
    }),
    now_ms,
  )
  declare(store, asked('pue', 'all', { per: 'time', series: { usual: 1_250_000n } }), now_ms)
  declare(store, asked('carbon', 'board', { per: 'time', series: { usual: 350_000_000n } }), now_ms)
  declare(
    store,
    asked('list', 'far/m', { per: 'token', perMillion: priceList(price(150_000_000n), price(600_000_000n)) }),
    now_ms,
  )
  settle(store, now_ms)
  return { store, rows }
}

export function settle(store: Store, now_ms: number): void {
  journalReadTo(store, gateway, now_ms)
  while (closeIntervals(store, now_ms));
  for (let turn = 0; turn < 1000 && closeHours(store, now_ms); turn++);
}
