import type { Allowance } from '../../books/allowance.ts'
import { periodOf } from '../../books/allowance.ts'
import type { MemoryBooks } from '../../books/memory.ts'
import { Leased } from '../../control/lease/authority.ts'
import type { usedOf } from '../../control/lease/used.ts'
import type { LeaseAsk, LeaseGrant, Recall } from '../../lines/inference/lease.ts'
import type { Incarnation } from '../../units/ids.ts'
import { gatewayOf } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'

/** The keeper of allowances as a store has it: what it has granted is durable before it is told. */
export class SimLeases {
  readonly #allowances: ReadonlyMap<string, Allowance>
  readonly #leased = new Map<string, Leased>()
  readonly #settled = new Set<Incarnation>()
  readonly #books: MemoryBooks

  readonly #usedOf: typeof usedOf

  constructor(allowances: readonly Allowance[], books: MemoryBooks, of: typeof usedOf) {
    this.#usedOf = of
    this.#allowances = new Map(allowances.map((one) => [one.id, one]))
    this.#books = books
  }

  answer(
    who: Incarnation,
    asks: readonly LeaseAsk[],
    now_ms: number,
  ): { readonly grants: LeaseGrant[]; readonly recalls: Recall[] } {
    const now = seconds(now_ms / 1000)
    const grants = asks.flatMap((ask) => {
      const allowance = this.#allowances.get(ask.allowance)
      if (!allowance || periodOf(allowance.renews, now_ms) !== ask.period) return []
      const name = `${ask.allowance}@${ask.period}`
      const leased = this.#leased.get(name) ?? new Leased(allowance, ask.period, now)
      this.#leased.set(name, leased)
      return leased.answer(who, ask, now)
    })
    const short = [...this.#leased.values()].filter((one) => one.isShort)
    return { grants, recalls: short.map(({ allowance, period }) => ({ allowance: allowance.id, period })) }
  }

  /** Dead gateways whose every request is settled. */
  settleDead(): void {
    for (const [incarnation, { dead_ms }] of this.#books.journals) {
      if (dead_ms === null || this.#settled.has(incarnation)) continue
      if ([...this.#books.open.values()].some((open) => open.incarnation === incarnation)) continue
      this.#settled.add(incarnation)
      for (const leased of this.#leased.values())
        if (leased.out.has(incarnation)) leased.settleDead(incarnation, this.#used(incarnation, leased))
    }
  }

  #used(incarnation: Incarnation, { allowance, period }: Leased): bigint {
    let used = 0n
    for (const { row } of this.#books.settled.values())
      if (gatewayOf(row.id) === incarnation)
        used += this.#usedOf(allowance, period, row, this.#books.prices.get(row.price_version ?? 0), 0n)
    return used
  }
}
