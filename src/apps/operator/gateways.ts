import type { SyncReply, SyncRequest, WireSnapshot } from '../../adapters/operator/contract.ts'
import { raiseSnapshot } from '../../adapters/sqlite/registry/change.ts'
import { snapshotNumber, wireSnapshot } from '../../adapters/sqlite/registry/snapshot.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { Published } from './factory.ts'

/** A gateway that is quiet for so long is gone; a living one asks every second. */
const gone_ms = 3_000
/** How long a gateway's question stays open when there is no news. */
const poll_ms = 1_000

/** What a gateway told, less what it counted. */
export type Told = Omit<SyncRequest, 'metrics'>

export interface GatewayState extends Told {
  readonly seen_ms: number
}

/** The live gateways: what each last said, and the questions that wait for news. */
export class Gateways {
  readonly #store: Store
  readonly #now: () => number
  readonly #acknowledged: (incarnation: string) => number
  /** So many there should be: an operator that has just started has not heard of them yet. */
  readonly #expected: number
  readonly #states = new Map<string, GatewayState>()
  /** Questions without news yet; woken by a change. */
  readonly #polls = new Set<() => void>()
  /** Changes that wait to be confirmed; woken by a question. */
  readonly #publishers = new Set<() => void>()
  #snapshot: WireSnapshot | undefined

  constructor(store: Store, now: () => number, acknowledged: (incarnation: string) => number, expected: number) {
    this.#store = store
    this.#now = now
    this.#acknowledged = acknowledged
    this.#expected = expected
  }

  list(): GatewayState[] {
    for (const [incarnation, state] of this.#states)
      if (state.seen_ms < this.#now() - gone_ms) this.#states.delete(incarnation)
    return [...this.#states.values()]
  }

  /** Requests under way at an engine, as all gateways tell. */
  running(engine: string): number {
    const views = this.list().flatMap(({ replicas }) => replicas.filter(({ id }) => id === engine))
    return views.reduce((sum, view) => sum + view.running, 0)
  }

  /** A gateway's question; answered at once when its snapshot is old, else after news or a second. */
  async sync(request: Told): Promise<SyncReply> {
    this.#states.set(request.incarnation, { ...request, seen_ms: this.#now() })
    // The store was put back to an older copy: numbers must never go backwards under a gateway.
    if (request.snapshot > snapshotNumber(this.#store)) raiseSnapshot(this.#store, request.snapshot)
    wakeAll(this.#publishers)
    if (snapshotNumber(this.#store) === request.snapshot) await news(this.#polls, poll_ms)
    const acknowledged = this.#acknowledged(request.incarnation)
    const snapshot = this.#current()
    return snapshot.number > request.snapshot ? { snapshot, acknowledged } : { acknowledged }
  }

  /** Answers every open question with the new snapshot, and waits until all live gateways serve under it. */
  async publish(longest_ms: number): Promise<Published> {
    const snapshot = snapshotNumber(this.#store)
    const until = this.#now() + longest_ms
    wakeAll(this.#polls)
    for (;;) {
      const states = this.list()
      const confirmed = states.filter((state) => state.snapshot >= snapshot).length
      const all = confirmed === states.length && confirmed >= this.#expected
      if (all || this.#now() >= until) return { snapshot, gateways: Math.max(states.length, this.#expected), confirmed }
      await news(this.#publishers, Math.max(1, until - this.#now()))
    }
  }

  #current(): WireSnapshot {
    if (this.#snapshot?.number !== snapshotNumber(this.#store)) this.#snapshot = wireSnapshot(this.#store, this.#now())
    return this.#snapshot as WireSnapshot
  }
}

function wakeAll(sleepers: Set<() => void>): void {
  for (const wake of [...sleepers]) wake()
}

const news = (sleepers: Set<() => void>, longest_ms: number): Promise<void> =>
  new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      sleepers.delete(wake)
      resolve()
    }
    const timer = setTimeout(wake, longest_ms)
    sleepers.add(wake)
  })
