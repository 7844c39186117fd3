/**
 * Costs that are not one hour's alone: a month's demand charge, a model's training. What an hour bears of them changes with other
 * hours, so they are posted beside the hour, each under its own revisions, and no hour is worked out again for it.
 */
import type { Account } from '../../../books/account.ts'
import type { Findings } from '../../../books/check.ts'
import { borneBy, postHour } from '../../../books/cost-hour.ts'
import type { SourceBorne } from '../../../books/pnl-sum.ts'
import { postTransfers } from '../ledger.ts'
import { all, allBig, one, run } from '../query.ts'
import type { Store } from '../store.ts'
import { costTransfers } from './cost-transfers.ts'
import { addPnlCost } from './pnl-sums.ts'

type Reader = Pick<Store, 'database'>

/** Whether the source of a row of `cost_hour` is posted beside its hour. */
export const isBeside = "(source like 'demand/%' or source like 'job/%')"

/** What an hour that is closed bears now of one of them. */
export interface HourShare {
  readonly hour: number
  readonly amount: bigint
  /** Its details are rolled up: it stays as it is. */
  readonly frozen: boolean
}

/** Within the caller's transaction: the difference. Each posting of an hour is one transfer, which numbers the next. */
export function postBeside(
  store: Store,
  { source, to }: { readonly source: Account; readonly to: Account },
  { hour, amount: before, frozen }: HourShare,
  now: bigint,
): void {
  if (frozen || now === before) return
  const cost = { source, hour, unit: 'nano-USD', amount: now, borne: new Map([[to, now]]) } as const
  const revision = costTransfers(store, hour, source, 'nano-USD').length + 1
  postTransfers(store, [{ source: `hour/${hour}`, transfers: postHour(cost, new Map([[to, before]]), revision) }])
  run(store.database, keep, hour, source, now)
  addPnlCost(store, hour, { source, unit: 'nano-USD', borne: new Map([[to, now - before]]) })
}

/** What an hour bears of all of them by now. */
export function* borneBeside({ database }: Reader, hour: number): Generator<SourceBorne> {
  const sources = `select source from cost_hour where hour = ? and rolled = 0 and ${isBeside}`
  for (const { source } of all<{ source: Account }>(database, sources, hour))
    yield { source, unit: 'nano-USD', borne: borneBy(source, costTransfers({ database }, hour, source, 'nano-USD')) }
}

const keep = `
  insert into cost_hour (hour, source, unit, amount, busy_s, all_s) values (?, ?, 'nano-USD', ?, 0, 0)
  on conflict (hour, source, unit) do update set amount = excluded.amount`

/** Hours [from, to) of which something is to be worked out again: what depends on them waits. */
export const isUnderRepair = (
  { database }: Reader,
  { from, to }: { readonly from: number; readonly to: number },
): boolean =>
  one(database, 'select 1 from closed_hour where stale = 1 and hour >= ? and hour < ? limit 1', from, to) !== undefined

interface Charged {
  readonly hour: bigint
  readonly source: Account
  readonly amount: bigint
}

const charged = `select hour, source, amount from cost_hour where rolled = 0 and ${isBeside} order by hour, source`

/** That their transfers add up to what hours bear; returns how many there are. */
export function checkBeside(books: Reader, findings: Findings): number {
  let explained = 0
  for (const { hour, source, amount } of allBig<Charged>(books.database, charged)) {
    const transfers = costTransfers(books, Number(hour), source, 'nano-USD')
    explained += transfers.length
    const booked = [...borneBy(source, transfers).values()].reduce((sum, each) => sum + each, 0n)
    if (booked !== amount) findings.add('hour', `${hour}/${source}`, `cost ${amount} nano-USD, ${booked} are booked`)
  }
  return explained
}
