import type { MemoryBooks } from '../../books/memory.ts'
import type { MeterSample } from '../../plant/energy/meter.ts'
import { watts } from '../../units/quantity.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Disk } from './disk.ts'
import type { SimLeases } from './leases.ts'
import type { Parts } from './parts.ts'

export interface OperatorPorts {
  readonly agenda: Agenda
  readonly disk: Disk
  readonly life: Life
  readonly books: MemoryBooks
  readonly parts: Parts
  now_ms(): number
  /** The energy counter, µJ; undefined: it cannot be read. */
  read(): number | undefined
  readonly leases: SimLeases
  /** The next piece of a journal is one that was shipped before. */
  shipsAgain(): boolean
}

export const idleWatts = watts(20)
export const wraps_at_uj = 900_000_000
const meter = 'sim-0'
const rowsAtOnce = 12
const linesAtOnce = 40

/** The operator on simulated time: what the keeper does in a turn, one transaction after the other, and a meter each second. */
export class SimOperator {
  readonly #ports: OperatorPorts

  constructor(ports: OperatorPorts) {
    this.#ports = ports
    const { agenda, life } = ports
    const turns = (): void => {
      this.turn()
      agenda.in(120, life, turns)
    }
    const samples = (): void => {
      this.#sample()
      agenda.in(1000, life, samples)
    }
    agenda.in(30, life, turns)
    agenda.in(1000 - (agenda.now_ms % 1000), life, samples)
  }

  turn(): void {
    const { books, life } = this.#ports
    this.#takeJournals()
    this.#takeLogs()
    this.#bookSamples()
    const steps = [
      (now_ms: number) => books.settleOrphans(now_ms),
      () => books.reconcile(),
      (now_ms: number) => books.closeIntervals(now_ms),
      () => this.#ports.leases.settleDead(),
    ]
    for (const step of steps) {
      life.effect()
      step(this.#ports.now_ms())
    }
  }

  /** Dead is asked first, then read to the end: nothing is written after a death. */
  #takeJournals(): void {
    const { disk, books, life, parts } = this.#ports
    for (const [incarnation, file] of disk.journals) {
      const dead = !file.alive
      life.effect()
      books.note(incarnation)
      for (;;) {
        const { seq } = books.cursor(incarnation)
        const from = this.#ports.shipsAgain() ? Math.max(0, seq - 5) : seq
        const rows = file.rows.slice(from, from + rowsAtOnce)
        if (rows.length > 0) {
          life.effect()
          parts.ship(books, incarnation, rows, () => life.effect())
        }
        if (books.cursor(incarnation).seq === seq || from + rows.length >= file.rows.length) break
      }
      if (!dead) continue
      life.effect()
      books.dead(incarnation, file.rows.length, this.#ports.now_ms())
    }
  }

  #takeLogs(): void {
    const { disk, books, life } = this.#ports
    for (const [incarnation, { replica, lines, alive }] of disk.logs) {
      const asked_ms = this.#ports.now_ms()
      for (let from = books.heardTo(incarnation); from < lines.length; from = books.heardTo(incarnation)) {
        life.effect()
        books.hear(incarnation, replica, lines.slice(from, from + linesAtOnce), from)
      }
      life.effect()
      if (alive) books.readTo(incarnation, asked_ms)
      else books.engineDead(incarnation)
    }
  }

  /** Reading → raw sample on disk → interval in the books, in this order. */
  #sample(): void {
    const energy_uj = this.#ports.read()
    const before = this.#ports.disk.samples.at(-1)
    const at_ms = Math.floor(this.#ports.now_ms())
    if (energy_uj === undefined || (before && at_ms <= before.at_ms)) return
    const sequence = (before?.sequence ?? 0) + 1
    const sample: MeterSample = { meter, sequence, at_ms, kind: 'energy_counter', energy_uj, wraps_at_uj }
    this.#ports.life.effect()
    this.#ports.disk.samples.push(sample)
    this.#bookSamples()
  }

  /** Intervals between samples that a death left out of the books. */
  #bookSamples(): void {
    const { disk, books, life, parts } = this.#ports
    for (let index = books.meteredTo(meter); index < disk.samples.length; index++) {
      const [before, after] = [disk.samples[index - 1], disk.samples[index]]
      if (!before || !after) continue
      life.effect()
      books.meter(parts.interval(before, after, idleWatts))
    }
  }
}
