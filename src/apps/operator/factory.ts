import { readFileSync } from 'node:fs'
import type { Home } from '../../adapters/files/home.ts'
import type { RoomWatch } from '../../adapters/files/room.ts'
import type { Totals } from '../../adapters/prometheus/totals.ts'
import type { Audit } from '../../adapters/sqlite/audit.ts'
import type { Leases } from '../../adapters/sqlite/leases.ts'
import { all } from '../../adapters/sqlite/registry/change.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { CapDecision } from '../../control/cap/decision.ts'
import type { Admission } from './auth.ts'
import type { Console } from './console.ts'
import type { Listening } from './doctor/network.ts'
import type { EngineHost } from './engine-host.ts'
import { ControlError } from './errors.ts'
import type { Gateways } from './gateways.ts'
import type { Keeper } from './keeper.ts'
import type { Telemetry } from './telemetry.ts'

/** What the routes work on. On a stopped factory the command line runs them in its own process, without `live`. */
export interface Factory {
  readonly home: Home
  readonly store: Store
  /** Under which keys are hashed. */
  readonly pepper: Uint8Array
  /** The Prometheus server that meters are asked for; undefined: none was named. */
  readonly prometheus: string | undefined
  /** Power that the utility has promised, W; undefined: nobody said. */
  readonly contractedWatts?: number | undefined
  readonly live: Live | undefined
  now(): number
  log(line: string): void
}

/** What there is only while the operator runs. */
export interface Live {
  readonly started_ms: number
  /** Where the console is; undefined when the operator was started by itself. */
  readonly url: string | undefined
  /** On which address, and under which certificate; undefined when the operator was started by itself. */
  readonly listening: Listening | undefined
  readonly gateways: Gateways
  /** Who holds how much of which allowance. */
  readonly leases: Leases
  /** What all gateways have counted since this operator began. */
  readonly totals: Totals
  readonly telemetry: Telemetry
  readonly engine: EngineHost
  readonly admission: Admission
  readonly audit: Audit
  readonly console: Console
  readonly keeper: Pick<Keeper, 'lag' | 'meters' | 'backlog'>
  readonly room: RoomWatch
  /** What the machine draws at rest and at full load, as it was told. */
  readonly machine: { readonly idleWatts: number; readonly fullWatts: number }
  /** What was decided of power last; undefined: there is no limit, or nobody has looked yet. */
  readonly power: { now: CapDecision | undefined }
  /** The embedded engine's model files have changed: the launcher must know, for the engine's next start. */
  modelsChanged(): void
  /** One after the other; how many. Rejects when a new one does not start, and then the old ones serve on. */
  restartGateways(): Promise<number>
}

/** How far a change has come: which snapshot holds it, and how many of the live gateways serve under it. */
export interface Published {
  readonly snapshot: number
  readonly gateways: number
  readonly confirmed: number
}

/** The longest a command waits for gateways: a second is one poll, and two that none was missed. */
const longestWait_ms = 2_000

/** Tells the gateways of a change and waits, for a bounded time, until they serve under it. */
export const publish = async (factory: Factory): Promise<Published | undefined> =>
  factory.live?.gateways.publish(longestWait_ms)

/** Without its pepper a store full of keys is a store of which no key can be recognised: better no start than that. */
export function readPepper(home: Home, store: Store): Uint8Array {
  try {
    return Buffer.from(readFileSync(home.pepper, 'utf8').trim())
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause
    const keys = all(store, 'select 1 from api_key where revoked_ms is null limit 1').length
    if (keys > 0) throw new ControlError('pepper_missing', `${home.pepper} is missing`)
    throw new ControlError('no_factory', `${home.root} was never started`, { next: `wattmill up --home ${home.root}` })
  }
}
