import type { JournalRow } from '../../books/ship.ts'
import type { WorkLine } from '../../books/work.ts'
import type { MeterSample } from '../../plant/energy/meter.ts'
import type { Incarnation, ReplicaId } from '../../units/ids.ts'

/** What is durable: it survives every process. */
export class Disk {
  readonly journals = new Map<Incarnation, JournalFile>()
  readonly logs = new Map<string, LogFile>()
  readonly samples: MeterSample[] = []

  journal(incarnation: Incarnation): JournalFile {
    let file = this.journals.get(incarnation)
    if (!file) {
      file = { rows: [], alive: true }
      this.journals.set(incarnation, file)
    }
    return file
  }
}

export interface JournalFile {
  readonly rows: JournalRow[]
  /** The lock that its gateway holds. */
  alive: boolean
}

/** An engine's own log; undefined stands for a line that its death tore. */
export interface LogFile {
  readonly replica: ReplicaId
  readonly lines: (WorkLine | undefined)[]
  alive: boolean
}

/** FNV-1a, 32 bits: tells one body from another in a test; the live journal uses SHA-256. */
export function hashOf(body: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < body.length; at++) hash = Math.imul(hash ^ body.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16)
}
