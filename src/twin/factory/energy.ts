import type { Account, Transfer } from '../../books/account.ts'
import { accounts } from '../../books/account.ts'
import { bearerOf } from '../../books/bearer.ts'
import { energyOf } from '../../plant/energy/step-energy.ts'
import { apportion } from '../../units/amount.ts'
import { attemptId } from '../../units/ids.ts'
import type { Attempt } from './attempt.ts'
import type { Station } from './station.ts'

/**
 * What a station's chips drew, and for whom: the counter's whole energy, of which the idle floor is idle and the rest is
 * divided in proportion to the work of each attempt's steps (F / |S| + v_i, summed), to the millijoule.
 */
export class StationEnergy {
  readonly #station: Station
  /** Work of attempts that are over, in microjoules by the model, by who bears it. */
  readonly #borne_uj = new Map<Account, number>()
  #last_j = 0
  #last_ns = 0
  /** The most that was drawn on average from one look at the meter to the next. */
  peak_w = 0

  constructor(station: Station) {
    this.#station = station
  }

  get total_j(): number {
    return this.#last_j
  }

  /** A look at the meter. What is over since the last look is added up and forgotten. */
  look(now_ns: number): number {
    const { energy_j } = this.#station.engine.reading()
    const watts = now_ns > this.#last_ns ? ((energy_j - this.#last_j) * 1e9) / (now_ns - this.#last_ns) : 0
    this.#last_j = energy_j
    this.#last_ns = now_ns
    this.peak_w = Math.max(this.peak_w, watts)
    this.#gather()
    return watts
  }

  /** At the end: the meter's energy → idle, tenants and waste. */
  post(meter: string, at_ms: number): Transfer[] {
    this.#gather()
    this.#gather() // nothing is under way any more: what is over grows no more
    const total = BigInt(Math.round(this.#last_j * 1000))
    const idle_mj = BigInt(Math.round((this.#station.cost.idle_w * this.#last_ns) / 1e6))
    const borne = [...this.#borne_uj].filter(([, work]) => work > 0).sort(([a], [b]) => (a < b ? -1 : 1))
    const active = borne.length > 0 && total > idle_mj ? total - idle_mj : 0n
    const shares =
      borne.length > 0
        ? apportion(
            active,
            borne.map(([, work]) => BigInt(Math.round(work))),
          )
        : []
    const posting = (to: Account, amount: bigint): Transfer => ({
      id: `${meter}/${to}`,
      unit: 'mJ',
      from: accounts.meter(meter),
      to,
      amount,
      request: null,
      at_ms,
    })
    return [...borne.map(([to], at) => posting(to, shares[at] ?? 0n)), posting(accounts.idle(), total - active)].filter(
      ({ amount }) => amount > 0n,
    )
  }

  /** Attempts whose request is settled: who bears them is known. A step under way may add to one: it waits for the next look. */
  #gather(): void {
    const { attempts } = this.#station
    let kept = 0
    for (const attempt of attempts) {
      if (attempt.isOver && attempt.running.flow.phase === 'done' && this.#isQuiet(attempt)) this.#bear(attempt)
      else attempts[kept++] = attempt
    }
    attempts.length = kept
  }

  #isQuiet(attempt: Attempt): boolean {
    const seen = attempt.seenWork === attempt.work.step_e9
    attempt.seenWork = attempt.work.step_e9
    return seen
  }

  #bear(attempt: Attempt): void {
    const { flow } = attempt.running
    const bearer = bearerOf(flow.closing, attemptId(flow.id, attempt.number))
    const work_uj = energyOf(attempt.work, this.#station.cost.coefficients) * 1e6
    this.#borne_uj.set(bearer, (this.#borne_uj.get(bearer) ?? 0) + work_uj)
  }
}
