import type { CloseRow, Row } from '../../books/row.ts'
import type { Incarnation } from '../../units/ids.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Disk } from './disk.ts'
import { hashOf } from './disk.ts'

export interface JournalPorts {
  readonly agenda: Agenda
  readonly disk: Disk
  readonly life: Life
  readonly incarnation: Incarnation
  /** A number in [0, 1). */
  readonly chance: () => number
  isFull(): boolean
  isSlow(): boolean
  /** What the gateway is told of a commit. */
  told(durable: boolean): boolean
}

interface Waiting {
  readonly row: Row
  readonly answer: (durable: boolean) => void
}

const probeAfter_ms = 250

/**
 * A gateway's journal on a simulated disk: group commit, all of a commit or nothing of it. A commit under way when its
 * gateway dies may have reached the disk or not; after a failure every row is refused until there is room again.
 */
export class SimJournal {
  readonly #ports: JournalPorts
  readonly #queue: Waiting[] = []
  #kept: CloseRow[] = []
  #busy = false
  #down = false

  constructor(ports: JournalPorts) {
    this.#ports = ports
    ports.disk.journal(ports.incarnation)
  }

  append(row: Row, answer: (durable: boolean) => void): void {
    this.#queue.push({ row, answer })
    this.#turn()
  }

  /** Written once there is room again. */
  keep(row: CloseRow): void {
    this.#kept.push(row)
  }

  #turn(): void {
    if (this.#busy || this.#queue.length === 0) return
    this.#busy = true
    const batch = this.#queue.splice(0)
    const { agenda, chance, isSlow } = this.#ports
    const took_ms = this.#down ? 0 : isSlow() ? 1000 * chance() : 0.5 + 4 * chance()
    agenda.in(took_ms, undefined, () => this.#commit(batch))
  }

  #commit(batch: readonly Waiting[]): void {
    const { life, chance } = this.#ports
    if (!life.alive && chance() < 0.5) return
    const durable = !this.#down && this.#write(batch.map(({ row }) => row))
    this.#busy = false
    if (!durable && !this.#down) this.#goDown()
    for (const { answer } of batch) {
      life.effect()
      answer(this.#ports.told(durable))
    }
    this.#turn()
  }

  #write(rows: readonly Row[]): boolean {
    if (this.#ports.isFull()) return false
    const file = this.#ports.disk.journal(this.#ports.incarnation)
    for (const row of rows) {
      const body = JSON.stringify(row)
      file.rows.push({ seq: file.rows.length + 1, row, body, hash: hashOf(body) })
    }
    return true
  }

  #goDown(): void {
    this.#down = true
    this.#ports.agenda.in(probeAfter_ms, this.#ports.life, () => this.#probe())
  }

  #probe(): void {
    if (this.#ports.isFull()) return this.#goDown()
    this.#down = false
    const kept = this.#kept
    this.#kept = []
    this.#ports.life.effect()
    if (!this.#write(kept)) this.#kept = kept
  }
}
