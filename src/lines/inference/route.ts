import type { Replica, ReplicaLoad } from '../../plant/infrastructure/replica.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { ReplicaId } from '../../units/ids.ts'
import type { Flow, Room } from './flow.ts'

/** S2: least loaded, as a share of what each replica takes at once; ties go round. */
export class Router {
  readonly #loads = new Map<ReplicaId, ReplicaLoad>()
  #turn = 0

  room(flow: Flow): Room {
    const able = flow.snapshot.replicas.filter((replica) => this.#able(flow, replica))
    if (able.length === 0) return 'none'
    return able.some((replica) => this.load(replica.id).running < replica.concurrency) ? 'free' : 'full'
  }

  /** A retry goes to a replica that has not failed this request. */
  route(flow: Flow): Replica | undefined {
    const tried = new Set(flow.attempts.map((attempt) => attempt.replica))
    const able = flow.snapshot.replicas.filter((replica) => this.#able(flow, replica) && !tried.has(replica.id))
    const share = (replica: Replica): number => this.load(replica.id).running / replica.concurrency
    const least = Math.min(...able.map(share))
    const tied = able.filter((replica) => share(replica) === least)
    const chosen = tied[this.#turn++ % Math.max(1, tied.length)]
    if (chosen) this.load(chosen.id).running++
    return chosen
  }

  left(replica: ReplicaId): void {
    const load = this.load(replica)
    load.running = Math.max(0, load.running - 1)
  }

  hear(replica: ReplicaId, up: boolean): void {
    this.load(replica).up = up
  }

  load(replica: ReplicaId): ReplicaLoad {
    let load = this.#loads.get(replica)
    if (!load) {
      load = { running: 0, up: true }
      this.#loads.set(replica, load)
    }
    return load
  }

  #able(flow: Flow, replica: Replica): boolean {
    return serves(replica, flow.ask.model) && !replica.draining && this.load(replica.id).up
  }
}
