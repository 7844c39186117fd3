import { ControlError } from './errors.ts'

/** Calls of one tenant in a minute: several people with a page open ask a tenth of it. */
const mostCalls = 600
/** A tenth of the operator's time: it books and grants leases too, and a statement of years takes it a second. */
const mostWork_ms = 6_000

/** What each tenant asks of its own view in a minute: reading the books takes the time of their keeper. */
export class CallRate {
  #minute = -1
  readonly #tenants = new Map<string, { calls: number; work_ms: number }>()

  /** Lets a call in, or not. */
  count(tenant: string, now_ms: number): void {
    const minute = Math.floor(now_ms / 60_000)
    if (minute !== this.#minute) this.#tenants.clear()
    this.#minute = minute
    const used = this.#of(tenant)
    used.calls++
    if (used.calls > mostCalls)
      throw new ControlError('too_many_calls', `more than ${mostCalls} calls of tenant ${tenant} in this minute`)
    if (used.work_ms > mostWork_ms)
      throw new ControlError(
        'too_many_calls',
        `what tenant ${tenant} asked in this minute took ${mostWork_ms / 1000} s`,
      )
  }

  /** How long the last one kept the operator busy. */
  took(tenant: string, ms: number): void {
    this.#of(tenant).work_ms += ms
  }

  #of(tenant: string): { calls: number; work_ms: number } {
    const used = this.#tenants.get(tenant) ?? { calls: 0, work_ms: 0 }
    this.#tenants.set(tenant, used)
    return used
  }
}
