import { ControlError } from './errors.ts'

/** Calls of one tenant in a minute: several people with a page open ask a tenth of it, and a loop would keep the books busy. */
const mostPerMinute = 600

/** Counts what each tenant asks of its own view: reading the books takes their keeper's time. */
export class CallRate {
  #minute = -1
  readonly #calls = new Map<string, number>()

  count(tenant: string, now_ms: number): void {
    const minute = Math.floor(now_ms / 60_000)
    if (minute !== this.#minute) this.#calls.clear()
    this.#minute = minute
    const calls = (this.#calls.get(tenant) ?? 0) + 1
    this.#calls.set(tenant, calls)
    if (calls > mostPerMinute)
      throw new ControlError('too_many_calls', `more than ${mostPerMinute} calls of tenant ${tenant} in this minute`)
  }
}
