import { usageFrom } from '../../books/usage.ts'
import type { WorkLine } from '../../books/work.ts'
import { lineOfStep } from '../../books/work.ts'
import type { Event } from '../../lines/inference/flow.ts'
import type { AttemptId, Incarnation, ReplicaId } from '../../units/ids.ts'
import { gatewayOf, requestOf } from '../../units/ids.ts'
import { tokens } from '../../units/quantity.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Disk, LogFile } from './disk.ts'
import type { ClientPlan } from './plan.ts'

/** What an engine tells of an attempt, without its number. */
export type Told = Event extends infer E ? (E extends { attempt: number } ? Omit<E, 'attempt'> : never) : never

export interface EnginePorts {
  readonly agenda: Agenda
  readonly disk: Disk
  readonly life: Life
  readonly replica: ReplicaId
  readonly incarnation: string
  /** Wall clock, which somebody may set. */
  now_ms(): number
  /** The batch takes so much longer just now. */
  slowness(): number
  /** W × s drawn by a step above what is drawn at rest; J. */
  draw(joules: number): void
  readonly logFirst: boolean
}

interface Stream {
  readonly attempt: AttemptId
  readonly ask: ClientPlan
  readonly tell: (told: Told) => void
  begun: boolean
  made: number
  cancelled: boolean
}

const slots = 3
const mostWaiting = 16
const activeWatts = 30

/**
 * An engine of ours as the books know it: step by step, log first, then tell. How long a step takes matters little here;
 * what may be lost between two effects is the point.
 */
export class SimEngine {
  readonly #ports: EnginePorts
  readonly #log: LogFile
  #waiting: Stream[] = []
  #running: Stream[] = []
  #busy = false

  constructor(ports: EnginePorts) {
    this.#ports = ports
    this.#log = { replica: ports.replica, lines: [], alive: true }
    ports.disk.logs.set(ports.incarnation, this.#log)
    this.#log.lines.push({ log: 'host', at_ms: ports.now_ms() })
  }

  get incarnation(): string {
    return this.#ports.incarnation
  }

  get life(): Life {
    return this.#ports.life
  }

  submit(attempt: AttemptId, ask: ClientPlan, tell: (told: Told) => void): void {
    if (this.#waiting.length >= mostWaiting)
      return tell({ kind: 'failed', failure: { fault: 'overloaded', message: 'the queue is full' }, usage: undefined })
    this.#waiting.push({ attempt, ask, tell, begun: false, made: 0, cancelled: false })
    this.#turn()
  }

  cancel(attempt: AttemptId): void {
    for (const stream of [...this.#waiting, ...this.#running]) if (stream.attempt === attempt) stream.cancelled = true
    this.#turn()
  }

  /** The connection of a gateway closed: nobody wants its work any more. */
  gatewayGone(gateway: Incarnation): void {
    for (const stream of [...this.#waiting, ...this.#running])
      if (gatewayOf(requestOf(stream.attempt)) === gateway) stream.cancelled = true
    this.#turn()
  }

  /** Its death as its gateways hear it. */
  hangUp(): void {
    for (const { tell } of [...this.#waiting, ...this.#running])
      tell({ kind: 'failed', failure: { fault: 'crashed', message: 'the engine died' }, usage: undefined })
  }

  #turn(): void {
    if (this.#busy) return
    this.#busy = true
    this.#ports.agenda.in(0.1, this.life, () => this.#begin())
  }

  #begin(): void {
    this.#settle(this.#sweep())
    const lines: WorkLine[] = []
    const begun: (() => void)[] = []
    while (this.#waiting.length > 0 && this.#running.length < slots) {
      const stream = this.#waiting.shift() as Stream
      this.#running.push(stream)
      stream.begun = true
      const { cached, prompt } = stream.ask
      const input = { input_uncached: tokens(prompt - cached), cache_read: tokens(cached) }
      lines.push({
        log: 'begin',
        at_ms: this.#ports.now_ms(),
        id: stream.attempt,
        model: 'm',
        prompt_in_steps: true,
        ...input,
      })
      begun.push(() => stream.tell({ kind: 'begun', ...input }))
    }
    this.#effects(lines, begun)
    if (this.#running.length === 0) {
      this.#busy = false
      return
    }
    const prefill = this.#running.reduce((sum, { made, ask }) => sum + (made === 0 ? ask.prompt - ask.cached : 0), 0)
    const took_ms = (4 + this.#running.length + 0.02 * prefill) * this.#ports.slowness()
    this.#ports.agenda.in(took_ms, this.life, () => this.#end(took_ms))
  }

  #end(took_ms: number): void {
    this.#ports.draw((activeWatts * took_ms) / 1000)
    const step = lineOfStep({
      model: 'm',
      at_ms: this.#ports.now_ms(),
      took_us: Math.round(took_ms * 1000),
      cpu_us: null,
      sequences: this.#running.map(({ attempt, made, ask }) => ({
        attempt,
        decode: 1,
        prefill: made === 0 ? ask.prompt - ask.cached : 0,
        context: made === 0 ? ask.cached : ask.prompt + made - 1,
      })),
    })
    for (const stream of this.#running) stream.made++
    const tellings = this.#running.map(
      (stream) => () => stream.tell({ kind: 'chunk', tokens: tokens(1), bytes: undefined }),
    )
    this.#effects([step], tellings)
    this.#settle(this.#running.filter((stream) => stream.made >= stream.ask.output || stream.cancelled))
    this.#busy = false
    this.#turn()
  }

  #sweep(): Stream[] {
    return [...this.#waiting, ...this.#running].filter((stream) => stream.cancelled)
  }

  #settle(over: readonly Stream[]): void {
    this.#waiting = this.#waiting.filter((stream) => !over.includes(stream))
    this.#running = this.#running.filter((stream) => !over.includes(stream))
    const counts = over.map((stream) => ({
      input_uncached: stream.begun ? stream.ask.prompt - stream.ask.cached : 0,
      cache_read: stream.begun ? stream.ask.cached : 0,
      output: stream.made,
    }))
    this.#effects(
      over.map((stream, index) => ({
        log: 'end',
        at_ms: this.#ports.now_ms(),
        id: stream.attempt,
        count: counts[index] as (typeof counts)[number],
      })),
      over.map((stream, index) => () => {
        const { output, ...input } = counts[index] as (typeof counts)[number]
        const usage = usageFrom('engine', { ...input, cache_write: 0, output_visible: output, reasoning: 0 })
        stream.tell({ kind: 'ended', usage })
      }),
    )
  }

  /** Log first, then tell: whoever is told of a step may act on it. */
  #effects(lines: readonly WorkLine[], tellings: readonly (() => void)[]): void {
    const write = (): void => {
      if (lines.length === 0) return
      this.life.effect()
      this.#log.lines.push(...lines)
    }
    const tell = (): void => {
      for (const telling of tellings) {
        this.life.effect()
        telling()
      }
    }
    for (const act of this.#ports.logFirst ? [write, tell] : [tell, write]) act()
  }
}
