import type { Replica } from '../../plant/infrastructure/replica.ts'
import { alikeRate, type Rate } from './rate.ts'
import type { ReplicaView } from './replica-view.ts'

/** Replicas that are declared alike share what is learned of how fast they compute prompts. */
export class Kinds {
  readonly #prefill = new Map<string, Rate>()

  /** One whose declaration has changed is taken to be as fast as it was, unless others of its new kind have answered. */
  liken(view: ReplicaView): void {
    const kind = kindOf(view.replica)
    if (view.kind === kind) return
    const said = view.replica.facts?.prefillTokensPerSecond
    const rate = this.#prefill.get(kind) ?? alikeRate(said ?? view.prefillRate)
    this.#prefill.set(kind, rate)
    view.liken(kind, rate)
  }
}

/** What is declared of a replica, but for its name. */
const kindOf = ({ vendor, models, concurrency, facts }: Replica): string =>
  JSON.stringify([vendor, models, concurrency, facts])
