/** Whose the time of engines was in an hour, and what they did in it: what utilisation is worked out from, long after. */
import type { StepWork } from '../plant/energy/step-energy.ts'
import { noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { AttemptId, ReplicaId } from '../units/ids.ts'
import { causeOf } from './bearer.ts'
import type { ChipTime } from './chip-time.ts'
import { hourOf } from './cost-hour.ts'
import type { CloseRow } from './row.ts'
import { heldTokenMs, timelinesOf } from './window.ts'

export interface WorkShare {
  readonly replica: string
  /** Empty: nobody of ours asked for it. */
  readonly tenant: string
  readonly application: string
  readonly model: string
  /** Why it was for nothing; empty: it was not. */
  readonly cause: string
  /** Of the engine's time. */
  readonly held_ns: bigint
  readonly did: StepWork
  /** Of requests that ended in the hour. */
  readonly kv_token_ms: bigint
}

export interface BusySeconds {
  readonly replica: string
  readonly busy_s: number
  readonly all_s: number
}

export interface HourWork {
  readonly shares: readonly WorkShare[]
  readonly busy: readonly BusySeconds[]
}

type Whose = Pick<WorkShare, 'replica' | 'tenant' | 'application' | 'model' | 'cause'>
export const shareName = ({ replica, tenant, application, model, cause }: Whose): string =>
  JSON.stringify([replica, tenant, application, model, cause])

/** Adds up what attempts did, by whose they were. */
export class WorkShares {
  readonly #shares = new Map<string, WorkShare>()

  held(replica: string, { held }: ChipTime, rowOf: (attempt: AttemptId) => CloseRow | undefined): void {
    for (const [attempt, { ns, did, model }] of held)
      this.#add(whose(replica, model, rowOf(attempt), attempt), { held_ns: ns, did, kv_token_ms: 0n })
  }

  cached(replica: string, rows: Iterable<CloseRow>, hour: number): void {
    for (const row of rows) {
      if (hourOf(row.closed_ms) !== hour) continue
      for (const one of timelinesOf(row, replica as ReplicaId))
        this.#add(whose(replica, row.model, row, one.attempt), {
          held_ns: 0n,
          did: noWork,
          kv_token_ms: BigInt(heldTokenMs(one)),
        })
    }
  }

  all(): WorkShare[] {
    return [...this.#shares.values()]
      .filter(({ held_ns, kv_token_ms }) => held_ns > 0n || kv_token_ms > 0n)
      .sort((a, b) => (shareName(a) < shareName(b) ? -1 : 1))
  }

  #add(of: Whose, more: Pick<WorkShare, 'held_ns' | 'did' | 'kv_token_ms'>): void {
    const known = this.#shares.get(shareName(of))
    this.#shares.set(shareName(of), {
      ...of,
      held_ns: (known?.held_ns ?? 0n) + more.held_ns,
      did: plusWork(known?.did ?? noWork, more.did),
      kv_token_ms: (known?.kv_token_ms ?? 0n) + more.kv_token_ms,
    })
  }
}

const whose = (replica: string, model: string, row: CloseRow | undefined, attempt: AttemptId): Whose => ({
  replica,
  tenant: row?.tenant ?? '',
  application: row?.application ?? '',
  model: row?.model ?? model,
  cause: causeOf(row, attempt) ?? '',
})
