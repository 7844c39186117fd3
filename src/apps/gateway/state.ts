import { readFileSync } from 'node:fs'
import type { AnswerCache } from '../../adapters/cache/answer-cache.ts'
import type { BatchFolders } from '../../adapters/files/batch-folders.ts'
import type { RoomWatch } from '../../adapters/files/room.ts'
import type { TenantFiles } from '../../adapters/files/tenant-files.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import type { Journal } from '../../adapters/sqlite/journal.ts'
import type { ResponseStore } from '../../adapters/sqlite/responses/store.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import type { Incarnation, RequestId } from '../../units/ids.ts'
import { requestId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { Fleet } from './fleet.ts'
import type { Log } from './log.ts'
import type { Measures } from './measures.ts'
import type { Settings } from './settings.ts'
import type { LiveWorld } from './world.ts'

/** What the parts of one gateway share; the snapshot is the one reference that is swapped. */
export interface State {
  readonly incarnation: Incarnation
  readonly settings: Settings
  readonly now: () => Seconds
  readonly log: Log
  readonly policy: LivePolicy
  readonly world: LiveWorld
  readonly measures: Measures
  readonly fleet: Fleet
  readonly journal: Pick<Journal, 'append' | 'keep' | 'forget' | 'acknowledge' | 'depth' | 'state' | 'close'>
  readonly responses: ResponseStore
  /** Where rows wait to be booked. */
  readonly room: RoomWatch
  readonly cache: AnswerCache
  readonly files: TenantFiles
  readonly batches: BatchFolders
  readonly startedAt: Seconds
  snapshot: FactorySnapshot | undefined
  pepper: Uint8Array | undefined
  /** The operator answered when it was last asked. */
  operatorUp: boolean
  /** Takes nothing new. */
  draining: boolean
  /** Another gateway has the port: what comes is served, and each answer closes its connection. */
  retiring: boolean
  warm: boolean
  asked: number
  /** Prompts whose size is being found out. */
  counting: number
}

/** One number per request of this incarnation, refused ones too: an id is never used again. */
export const nextId = (state: State): RequestId => requestId(state.incarnation, ++state.asked)

/** The operator makes it on its first start; until then no key can be recognised. */
export function readPepper(path: string): Uint8Array | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? undefined : Buffer.from(text)
  } catch {
    return undefined
  }
}
