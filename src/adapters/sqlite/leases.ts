/** The keeper of allowances on the store: loads, asks `Leased`, saves, in one transaction, before anything is granted. */
import type { Allowance } from '../../books/allowance.ts'
import { periodOf } from '../../books/allowance.ts'
import type { CloseRow } from '../../books/row.ts'
import { Leased } from '../../control/lease/authority.ts'
import { usedOf } from '../../control/lease/used.ts'
import type { LeaseAsk, LeaseGrant, Recall } from '../../lines/inference/lease.ts'
import type { Incarnation } from '../../units/ids.ts'
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
  readonly #leased = new Map<string, Leased>()
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
      const recalls = [...this.#leased.values()].filter((one) => one.isShort)
      return { grants, recalls: recalls.map(({ allowance, period }) => ({ allowance: allowance.id, period })) }
    })
  }

  /** What is left of an allowance now. */
  left(allowance: Allowance, now_ms: number): bigint {
    return this.#leasedOf(allowance, periodOf(allowance.renews, now_ms), now_ms).available(seconds(now_ms / 1000))
  }

  /** What of every allowance is used now, as far as gateways have told. */
  *used(now_ms: number): Generator<readonly [Allowance, bigint]> {
    this.#refresh()
    for (const allowance of this.#allowances.values())
      yield [allowance, this.#leasedOf(allowance, periodOf(allowance.renews, now_ms), now_ms).used]
  }

  /** Dead gateways whose every request is settled: what they were granted and did not use is free again. */
  settleDead(): false {
    this.#store.transaction(() => {
      for (const { incarnation } of all<{ incarnation: Incarnation }>(this.#store.database, settledGateways))
        for (const row of this.#rowsOf(incarnation)) this.#settle(incarnation, row)
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
    const leased = this.#leasedOf(allowance, period, now_ms)
    const now = seconds(now_ms / 1000)
    const grant = leased.answer(who, ask, now)
    if (allowance.renews === 'minute') this.#saveRate(leased, now_ms)
    else this.#save(id, period, who, leased.out.get(who)?.granted ?? 0n)
    return grant
  }

  /** What comes back of a period that is over frees nothing: it is noted, and forgotten with the period. */
  #giveBack(who: Incarnation, { allowance, period, returned }: LeaseAsk): undefined {
    run(
      this.#store.database,
      'update lease set granted = granted - ? where allowance = ? and period = ? and incarnation = ? and settled = 0',
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
    for (const [name, { allowance }] of this.#leased)
      if (this.#allowances.get(allowance.id)?.amount !== allowance.amount) this.#leased.delete(name)
  }

  #leasedOf(allowance: Allowance, period: number, now_ms: number): Leased {
    const name = `${allowance.id}@${period}`
    let leased = this.#leased.get(name)
    if (!leased) {
      leased = this.#load(allowance, period, now_ms)
      this.#leased.set(name, leased)
    }
    return leased
  }

  #load(allowance: Allowance, period: number, now_ms: number): Leased {
    const { database } = this.#store
    const now = seconds(now_ms / 1000)
    if (allowance.renews === 'minute') {
      const kept = one<{ level: number; at_ms: number }>(
        database,
        'select level, at_ms from lease_rate where allowance = ?',
        allowance.id,
      )
      const since_s = kept ? Math.max(0, now_ms - kept.at_ms) / 1000 : 0
      const level = kept ? kept.level + (since_s * Number(allowance.amount)) / 60 : Number(allowance.amount)
      return new Leased(allowance, period, now, Math.min(Number(allowance.amount), level))
    }
    const leased = new Leased(allowance, period, now)
    const rows = allBig<{ incarnation: Incarnation; granted: bigint }>(
      database,
      'select incarnation, granted from lease where allowance = ? and period = ?',
      allowance.id,
      period,
    )
    for (const { incarnation, granted } of rows) leased.settleDead(incarnation, granted)
    return leased
  }

  #save(allowance: string, period: number, who: Incarnation, granted: bigint): void {
    run(
      this.#store.database,
      `insert into lease (allowance, period, incarnation, granted) values (?, ?, ?, ?)
       on conflict (allowance, period, incarnation) do update set granted = excluded.granted`,
      allowance,
      period,
      who,
      granted,
    )
  }

  #saveRate(leased: Leased, now_ms: number): void {
    run(
      this.#store.database,
      `insert into lease_rate (allowance, level, at_ms) values (?, ?, ?)
       on conflict (allowance) do update set level = excluded.level, at_ms = excluded.at_ms`,
      leased.allowance.id,
      leased.level(seconds(now_ms / 1000)) ?? 0,
      now_ms,
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
      'update lease set granted = ?, settled = 1 where allowance = ? and period = ? and incarnation = ?',
      used,
      id,
      period,
      incarnation,
    )
    this.#leased.get(`${id}@${period}`)?.settleDead(incarnation, used)
  }
}

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
  let used = 0n
  const range = [`${incarnation}-`, `${incarnation}.`] as const
  for (const { body, energy_mj } of stream<{ body: string; energy_mj: bigint }>(database, ofGateway, ...range)) {
    const row = JSON.parse(body) as CloseRow
    used += usedOf(allowance, period, row, prices.of(row.price_version ?? 0), energy_mj)
  }
  return used
}
