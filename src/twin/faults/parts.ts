import { MemoryBooks } from '../../books/memory.ts'
import type { JournalRow } from '../../books/ship.ts'
import { usedOf } from '../../control/lease/used.ts'
import { inferenceLine } from '../../lines/inference/line.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import { livePolicy } from '../../lines/inference/policy.ts'
import { UpstreamAnswer } from '../../lines/inference/upstream.ts'
import { interval } from '../../plant/energy/meter.ts'
import type { Incarnation } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'

/**
 * The code under test, as the live factory runs it. A planted bug replaces one of these, and the laws must find it.
 */
export interface Parts {
  readonly line: typeof inferenceLine
  policy(): LivePolicy
  answer(): UpstreamAnswer
  books(hash: (body: string) => string): MemoryBooks
  /** Rows → the books; `effect` is where the operator may die. */
  ship(books: MemoryBooks, incarnation: Incarnation, rows: readonly JournalRow[], effect: () => void): void
  /** What a gateway is told of a commit. */
  committed(durable: boolean): boolean
  readonly interval: typeof interval
  /** What a dead gateway's requests used of its leases. */
  readonly usedOf: typeof usedOf
  readonly engineLogsFirst: boolean
}

export const liveParts: Parts = {
  line: inferenceLine,
  policy: () =>
    livePolicy({
      queueLength: 8,
      queueTime: seconds(5),
      absentTime: seconds(1),
      leaseTime: seconds(1),
      attempts: 3,
      hedging: { share: 1, samples: 1 }, // far more than anybody would pay for, so that it happens often
    }),
  answer: () => new UpstreamAnswer(),
  books: (hash) => new MemoryBooks(hash),
  ship: (books, incarnation, rows) => void books.ship(incarnation, rows),
  committed: (durable) => durable,
  interval,
  usedOf,
  engineLogsFirst: true,
}
