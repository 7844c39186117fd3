import { PostgresError } from '../postgres/postgres-database.ts'

export type StoreFault = 'corrupt' | 'full' | 'locked' | 'no_permission' | 'newer_schema' | 'io' | 'unreachable'

/** The store failed us. Only `full`, `locked`, `io` and `unreachable` may pass by themselves; each says what to do next. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly fault: StoreFault
  readonly next: string

  constructor(fault: StoreFault, path: string, cause?: unknown) {
    super(`store ${path}: ${meaning[fault]}${cause instanceof Error ? ` (${cause.message})` : ''}`, { cause })
    this.fault = fault
    this.next = nextStep[fault]
  }
}

const meaning: Readonly<Record<StoreFault, string>> = {
  corrupt: 'it is damaged or no store',
  full: 'the disk is full',
  locked: 'another operator holds it',
  no_permission: 'this user may not write it',
  newer_schema: 'a newer version of wattmill wrote it',
  io: 'the disk failed to read or write',
  unreachable: 'the database cannot be reached',
}

const nextStep: Readonly<Record<StoreFault, string>> = {
  corrupt: 'stop the factory, keep the file, and restore the last backup',
  full: 'make room on the disk; nothing is lost, the gateways keep their journals',
  locked: 'stop the other operator of this home, or give --home another folder',
  no_permission: 'run as the owner of the home, or give --home another folder',
  newer_schema: 'install the version of wattmill that wrote it, or a later one',
  io: "look at the disk's health; nothing is lost, the gateways keep their journals",
  unreachable: 'start the database, or mend the way to it; nothing is lost, the gateways keep their journals',
}

/** SQLite's result codes by what they mean for the operator; anything else is a fault of ours. */
const codes: ReadonlyMap<number, StoreFault> = new Map([
  [3, 'no_permission'],
  [5, 'locked'],
  [6, 'locked'],
  [8, 'no_permission'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'no_permission'],
  [26, 'corrupt'],
])

/** PostgreSQL's states, whole or by their class. */
const states: readonly (readonly [start: string, fault: StoreFault])[] = [
  ['53100', 'full'],
  ['53', 'unreachable'], // too many connections, or no memory for one
  ['57014', 'locked'], // a statement took too long
  ['55P03', 'locked'],
  ['40', 'locked'], // a deadlock
  ['28', 'no_permission'],
  ['42501', 'no_permission'],
  ['25006', 'no_permission'],
  ['3D000', 'no_permission'], // no such database
  ['58', 'io'],
  ['XX001', 'corrupt'],
  ['XX002', 'corrupt'],
]

const faultOfState = (state: string): StoreFault | undefined => states.find(([start]) => state.startsWith(start))?.[1]

/** Undefined: not the database's, or none that the world is to blame for. */
export function faultOf(cause: unknown): StoreFault | undefined {
  if (cause instanceof PostgresError) return cause.lost ? 'unreachable' : faultOfState(cause.sqlstate)
  const code = (cause as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? codes.get(code & 0xff) : undefined
}

export function asStoreError(path: string, cause: unknown): unknown {
  const fault = faultOf(cause)
  return fault ? new StoreError(fault, path, cause) : cause
}
