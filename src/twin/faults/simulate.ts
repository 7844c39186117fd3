import { Factory, start_ms } from './factory.ts'
import { alwaysHolds, holdsAtRest } from './laws.ts'
import type { Parts } from './parts.ts'
import type { Plan } from './plan.ts'
import { Watch } from './watch.ts'

/** The last client has come, the last fault is over, the last deadline has passed, and the books have had time. */
const length_ms = 65_000

export interface Verdict {
  readonly plan: Plan
  /** Laws that were broken; none: the run held. */
  readonly broken: readonly string[]
  readonly story: readonly string[]
  readonly requests: number
  readonly transfers: number
  /** Of these: given back, since a first token was late. */
  readonly refunds: number
  /** Attempts that lost to another: booked as waste. */
  readonly hedges: number
}

/** One run: everything happens, and after everything that happens the laws are asked. */
export function simulate(plan: Plan, parts: Parts): Verdict {
  let now = () => 0
  const watch = new Watch(() => now())
  const factory = new Factory(plan, parts, watch)
  now = () => factory.agenda.now_ms - start_ms
  let transfers = 0
  factory.agenda.after = () => {
    if (factory.books.transfers.size === transfers) return
    transfers = factory.books.transfers.size
    alwaysHolds(factory, watch)
  }
  try {
    factory.agenda.run(start_ms + length_ms)
    holdsAtRest(factory, watch)
  } catch (error) {
    watch.breaks(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  const { books } = factory
  const refunds = books.transfers.values().filter(({ from }) => from.startsWith('refund/'))
  const lost = [...books.settled.values()].flatMap(({ row }) => row.attempts.filter((one) => one.lost))
  const counts = { requests: books.settled.size, transfers, refunds: [...refunds].length, hedges: lost.length }
  return { plan, broken: watch.broken, story: watch.story, ...counts }
}

/** The least of a plan that still breaks a law: clients and faults are left out one by one for as long as it does. */
export function minimize(plan: Plan, parts: Parts): Verdict {
  let least = simulate(plan, parts)
  for (let smaller = true; smaller; ) {
    smaller = false
    for (const part of ['faults', 'clients'] as const)
      for (let index = least.plan[part].length - 1; index >= 0; index--) {
        const without = { ...least.plan, [part]: least.plan[part].filter((_, at) => at !== index) }
        const verdict = simulate(without, parts)
        if (verdict.broken.length === 0) continue
        least = verdict
        smaller = true
      }
  }
  return least
}
