/** The keeper of allowances on the store: loads, asks `Leased`, saves, in one transaction, before anything is granted. */
import type { Allowance } from '../../books/allowance.ts'
import { periodOf } from '../../books/allowance.ts'
import type { CloseRow } from '../../books/row.ts'
import { Leased, type Out } from '../../control/lease/authority.ts'
import { usedOf } from '../../control/lease/used.ts'
import type { LeaseAsk, LeaseGrant, Recall } from '../../lines/inference/lease.ts'
import type { Incarnation } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'
import { Prices } from './price-of.ts'
import { all, allBig, one, run, stream } from './query.ts'
import { everyAllowance } from './registry/allowances.ts'
import { snapshotNumber } from './registry/snapshot.ts'
import type { Store } from './store.ts'

export interface Answer {
  readonly grants: readonly LeaseGrant[]
  readonly recalls: readonly Recall[]
}

export class Leases {
  readonly #store: Store
  /** What the own gateways hold of rates. Of what a budget has left only the store knows: other operators grant of it too. */
  readonly #rates = new Map<string, Leased>()
  #allowances = new Map<string, Allowance>()
  /** Snapshot that the allowances are of. */
  #of = -1

  constructor(store: Store) {
    this.#store = store
  }

  answer(who: Incarnation, asks: readonly LeaseAsk[], now_ms: number): Answer {
    return this.#store.transaction(() => {
      this.#refresh()
      const grants = asks.map((ask) => this.#one(who, ask, now_ms))
      const rates = [...this.#rates.values()].filter((one) => one.isShort)
      const recalls = rates.map(({ allowance, period }) => ({ allowance: allowance.id, period }))
      return { grants, recalls: [...recalls, ...this.#short(now_ms)] }
    })
  }

  /** What is left of an allowance now. */
  left(allowance: Allowance, now_ms: number): bigint {
    const [leased, now] = this.#load(allowance, periodOf(allowance.renews, now_ms), now_ms)
    return leased.available(now)
  }

  /** What of every budget is used now, as far as gateways have told. */
  *used(now_ms: number): Generator<readonly [Allowance, bigint]> {
    this.#refresh()
    for (const allowance of this.#allowances.values()) {
      if (allowance.renews === 'minute') continue
      yield [allowance, this.#budget(allowance, periodOf(allowance.renews, now_ms), now_ms).used]
    }
  }

  /** Dead gateways whose every request is settled: what they were granted and did not use is free again. */
  settleDead(): false {
    this.#store.transaction(() => {
      const dead = all<{ incarnation: Incarnation }>(this.#store.database, settledGateways)
      if (dead.length > 0) this.#refresh() // nobody may have asked since the start: what is not known would count as unused
      for (const { incarnation } of dead) for (const row of this.#rowsOf(incarnation)) this.#settle(incarnation, row)
    })
    return false
  }

  #one(who: Incarnation, ask: LeaseAsk, now_ms: number): LeaseGrant {
    const { allowance: id, period } = ask
    const allowance = this.#allowances.get(id)
    // It was taken away, or renewed: nothing more of it is given.
    if (!allowance || period !== periodOf(allowance.renews, now_ms))
      return (
        this.#giveBack(who, ask) ?? { allowance: id, period, amount: 0n, left: 0n, exhausted: true, retry_ms: null }
      )
    const [leased, now] = this.#load(allowance, period, now_ms)
    const grant = leased.answer(who, ask, now)
    if (allowance.renews === 'minute') this.#saveRate(leased, now)
    else this.#save(leased, who)
    return grant
  }

  /** What comes back of a period that is over frees nothing: it is noted, and forgotten with the period. */
  #giveBack(who: Incarnation, { allowance, period, returned }: LeaseAsk): undefined {
    run(
      this.#store.database,
      `update lease set granted = case when granted > ? then granted - ? else 0 end
       where allowance = ? and period = ? and incarnation = ? and settled = 0`,
      returned,
      returned,
      allowance,
      period,
      who,
    )
    return undefined
  }

  #refresh(): void {
    const number = snapshotNumber(this.#store)
    if (number === this.#of) return
    this.#of = number
    this.#allowances = new Map(everyAllowance(this.#store).map((one) => [one.id, one]))
    for (const [id, { allowance }] of this.#rates)
      if (this.#allowances.get(id)?.amount !== allowance.amount) this.#rates.delete(id)
  }

  /** As the store has it in this transaction, and the clock by which it is asked. */
  #load(allowance: Allowance, period: number, now_ms: number): readonly [Leased, Seconds] {
    if (allowance.renews !== 'minute') return [this.#budget(allowance, period, now_ms), seconds(now_ms / 1000)]
    const now = seconds(this.#rateClock_ms(now_ms) / 1000)
    return [this.#rate(allowance, period, now), now]
  }

  /** Operators on several machines refill a rate by one clock: what two clocks differ by would be had again with each change. */
  #rateClock_ms(now_ms: number): number {
    const { database } = this.#store
    if (database.dialect === 'sqlite') return now_ms
    const ask = 'select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as at_ms'
    return one<{ at_ms: number }>(database, ask)?.at_ms ?? now_ms
  }

  #rate(allowance: Allowance, period: number, now: Seconds): Leased {
    const kept = one<{ level: number; at_ms: number }>(
      this.#store.database,
      'select level, at_ms from lease_rate where allowance = ?',
      allowance.id,
    )
    const amount = Number(allowance.amount)
    const since_s = kept ? Math.max(0, now - kept.at_ms / 1000) : 0
    const level = kept ? kept.level + (since_s * amount) / 60 : amount
    const leased = new Leased(allowance, period, now, Math.min(amount, level))
    for (const [who, out] of this.#rates.get(allowance.id)?.out ?? []) leased.out.set(who, out)
    this.#rates.set(allowance.id, leased)
    return leased
  }

  #budget(allowance: Allowance, period: number, now_ms: number): Leased {
    const leased = new Leased(allowance, period, seconds(now_ms / 1000))
    const settled =
      allBig<{ granted: bigint }>(this.#store.database, settledSum, allowance.id, period)[0]?.granted ?? 0n
    if (settled > 0n) leased.settleDead(id('settled'), settled)
    const rows = allBig<LeaseRow>(this.#store.database, `${openLeases} where ${ofOne}`, allowance.id, period)
    for (const row of rows) leased.out.set(row.incarnation, nearOf(row, now_ms))
    return leased
  }

  /** Budgets that somebody waits for and does not get. */
  #short(now_ms: number): Recall[] {
    const rows = allBig<LeaseRow>(this.#store.database, `${openLeases} where l.settled = 0 and l.short > 0`)
    const names = rows.flatMap((row) => {
      const known = this.#allowances.get(row.allowance)
      const waits = known && row.period === BigInt(periodOf(known.renews, now_ms)) && nearOf(row, now_ms).short > 0n
      return waits ? row.allowance : []
    })
    return [...new Set(names)].flatMap((allowance) => {
      const known = this.#allowances.get(allowance)
      return known ? { allowance, period: periodOf(known.renews, now_ms) } : []
    })
  }

  #save({ allowance, period, out }: Leased, who: Incarnation): void {
    const { granted, free, reserved, short } = out.get(who) as Out
    run(this.#store.database, saveLease, allowance.id, period, who, granted, free, reserved, short)
  }

  #saveRate(leased: Leased, now: Seconds): void {
    run(
      this.#store.database,
      `insert into lease_rate (allowance, level, at_ms) values (?, ?, ?)
       on conflict (allowance) do update set level = excluded.level,
         at_ms = case when lease_rate.at_ms > excluded.at_ms then lease_rate.at_ms else excluded.at_ms end`,
      leased.allowance.id,
      leased.level(now) ?? 0,
      Math.round(now * 1000),
    )
  }

  #rowsOf(incarnation: Incarnation): { allowance: string; period: number }[] {
    const open = 'select allowance, period from lease where incarnation = ? and settled = 0'
    return all(this.#store.database, open, incarnation)
  }

  #settle(incarnation: Incarnation, { allowance: id, period }: { allowance: string; period: number }): void {
    const allowance = this.#allowances.get(id)
    const used = allowance ? usedBy(this.#store, incarnation, allowance, period) : 0n
    run(
      this.#store.database,
      `update lease set granted = ?, free = 0, reserved = 0, short = 0, settled = 1
       where allowance = ? and period = ? and incarnation = ?`,
      used,
      id,
      period,
      incarnation,
    )
  }
}

interface LeaseRow extends Out {
  readonly allowance: string
  readonly period: bigint
  readonly incarnation: Incarnation
  readonly dead_ms: bigint | null
  readonly read_to_ms: bigint | null
}

/** One whose journal nobody has read for so long is away, and its operator with it. */
const away_ms = 10_000

/** As far as it counts now: a dead gateway waits for nothing, and what an absent one holds does not come back soon. */
function nearOf({ granted, free, reserved, short, dead_ms, read_to_ms }: LeaseRow, now_ms: number): Out {
  if (dead_ms !== null) return { granted, free, reserved, short: 0n }
  const away = read_to_ms !== null && read_to_ms > 0n && Number(read_to_ms) < now_ms - away_ms
  return away ? { granted, free: 0n, reserved: 0n, short: 0n } : { granted, free, reserved, short }
}

const openLeases = `
  select l.allowance, l.period, l.incarnation, l.granted, l.free, l.reserved, l.short, j.dead_ms, j.read_to_ms
  from lease l left join journal j on j.incarnation = l.incarnation`
const ofOne = 'l.allowance = ? and l.period = ? and l.settled = 0'
const settledSum = `
  select coalesce(sum(granted), 0) as granted from lease where allowance = ? and period = ? and settled = 1`

/** What was asked for until then is in a sum of its own. */
const settledUntil = `
  select coalesce(max(until_ms), 0) as at_ms from lease where allowance = ? and period = ? and settled = 1`

const saveLease = `
  insert into lease (allowance, period, incarnation, granted, free, reserved, short) values (?, ?, ?, ?, ?, ?, ?)
  on conflict (allowance, period, incarnation) do update set
    granted = excluded.granted, free = excluded.free, reserved = excluded.reserved, short = excluded.short`

const settledGateways = `
  select distinct l.incarnation from lease l join journal j on j.incarnation = l.incarnation
  where l.settled = 0 and j.dead_ms is not null
    and not exists (select 1 from open_request o where o.incarnation = l.incarnation)`

/** Its requests, by the range of their names: `-` is followed by `.` in the order of bytes. */
const ofGateway = `
  select r.body, (select coalesce(sum(t.amount), 0) from transfer t
    where t.request = r.id and t.unit = 'mJ' and instr(t.credit, 'tenant/') = 1) as energy_mj
  from request r where r.id >= ? and r.id < ?`

/** What the requests of a dead gateway used of an allowance in a period, from the books. */
function usedBy({ database }: Store, incarnation: Incarnation, allowance: Allowance, period: number): bigint {
  const prices = new Prices(database)
  const until_ms = one<{ at_ms: number }>(database, settledUntil, allowance.id, period)?.at_ms ?? 0
  let used = 0n
  const range = [`${incarnation}-`, `${incarnation}.`] as const
  for (const { body, energy_mj } of stream<{ body: string; energy_mj: bigint }>(database, ofGateway, ...range)) {
    const row = JSON.parse(body) as CloseRow
    if (row.at_ms > until_ms) used += usedOf(allowance, period, row, prices.of(row.price_version ?? 0), energy_mj)
  }
  return used
}
