import type { Attempt, Engine, Piece } from '../../adapters/openai/engine.ts'
import type { ApiRequest } from '../../adapters/openai/request.ts'
import type { Journal } from '../../adapters/sqlite/journal.ts'
import type { Result } from '../../adapters/sqlite/journal-file.ts'
import type { CloseRow, Row } from '../../books/row.ts'
import type { Ending, Event, Flow, World } from '../../lines/inference/flow.ts'
import { inferenceLine } from '../../lines/inference/line.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ReplicaId, RequestId } from '../../units/ids.ts'
import { attemptId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { Measures } from './measures.ts'

/** The client's side of a request: what it hears, and how it ends for it. */
export interface Answer {
  write(pieces: readonly Piece[]): void
  release(): void
  finish(flow: Flow, ending: Ending): void
  /** What is to be durable together with the close row: the answer to a line of a batch. */
  kept?(row: CloseRow): Result | undefined
}

export interface WorldPorts {
  readonly policy: LivePolicy
  readonly journal: Pick<Journal, 'append' | 'keep'>
  readonly measures: Pick<Measures, 'event' | 'finished'>
  readonly now: () => Seconds
  /** From admission to the last byte. */
  readonly requestMs: number
  engine(replica: ReplicaId): Engine | undefined
  /** A flow waits: for a free engine, for its model to be loaded, or for a lease. */
  waits(flow: Flow): void
}

interface Running {
  readonly flow: Flow
  readonly answer: Answer
  readonly deadline: NodeJS.Timeout
  /** By number; more than one only while a hedge runs. */
  readonly attempts: Map<number, Attempt>
  /** Attempts that were cancelled: an engine that does not confirm in time is taken for gone. */
  readonly confirms: Map<number, NodeJS.Timeout>
  late: NodeJS.Timeout | undefined
  turn: NodeJS.Timeout | undefined
  paused: boolean
}

/** What an engine may take to confirm a cancel: a long step of a large model, not more. */
const confirmMs = 5_000

/** The line in the real world: its flows under way, joined to engines, journal, timers and clients. */
export class LiveWorld implements World {
  readonly #ports: WorldPorts
  readonly #running = new Map<RequestId, Running>()
  readonly #step: (flow: Flow, event: Event, now: Seconds) => void

  constructor(ports: WorldPorts) {
    this.#ports = ports
    this.#step = inferenceLine(ports.policy, this)
  }

  get running(): number {
    return this.#running.size
  }

  /** Requests under way, in the order in which they came. */
  get flows(): Iterable<Flow> {
    return this.#running.values().map(({ flow }) => flow)
  }

  begin(flow: Flow, answer: Answer): void {
    const deadline = setTimeout(() => this.tell(flow, { kind: 'deadline' }), this.#ports.requestMs)
    this.#running.set(flow.id, {
      flow,
      answer,
      deadline,
      attempts: new Map(),
      confirms: new Map(),
      late: undefined,
      turn: undefined,
      paused: false,
    })
    this.tell(flow, { kind: 'asked' })
  }

  tell(flow: Flow, event: Event): void {
    const now = this.#ports.now()
    this.#ports.measures.event(flow, event, now)
    this.#step(flow, event, now)
    if (event.kind === 'ended' || event.kind === 'failed') this.#turnNext()
  }

  /** Every flow under way hears that its time is up. */
  deadlineForAll(): void {
    for (const { flow } of [...this.#running.values()]) this.tell(flow, { kind: 'deadline' })
  }

  /** A slow reader: the engine pauses with it, if it can. */
  pause(flow: Flow, paused: boolean): void {
    const running = this.#running.get(flow.id)
    if (!running) return
    running.paused = paused
    for (const attempt of running.attempts.values())
      if (paused) attempt.pause()
      else attempt.resume()
  }

  generate(flow: Flow, replica: Replica): void {
    const running = this.#running.get(flow.id)
    const engine = this.#ports.engine(replica.id)
    const number = flow.attempt
    const failed = (message: string): void =>
      this.tell(flow, { kind: 'failed', attempt: number, failure: { fault: 'unreachable', message }, usage: undefined })
    if (!running || !engine) return queueMicrotask(() => failed(`engine ${replica.id} was removed`))
    const attempt = engine.generate(
      {
        id: attemptId(flow.id, number),
        model: replica.models[flow.model] ?? flow.model,
        request: flow.ask.body as ApiRequest,
      },
      (told) => this.tell(flow, { ...told, attempt: number }),
    )
    running.attempts.set(number, attempt)
    if (running.paused) attempt.pause()
  }

  cancel(flow: Flow, attempt: number): void {
    const running = this.#running.get(flow.id)
    if (!running) return
    running.attempts.get(attempt)?.cancel()
    if (running.confirms.has(attempt)) return
    const silent = { fault: 'timed_out', message: 'the engine did not confirm the cancel' } as const
    const confirm = (): void => this.tell(flow, { kind: 'failed', attempt, failure: silent, usage: undefined })
    running.confirms.set(attempt, setTimeout(confirm, confirmMs))
  }

  watch(flow: Flow, after: Seconds): void {
    const running = this.#running.get(flow.id)
    if (!running) return
    const { attempt } = flow
    clearTimeout(running.late)
    running.late = setTimeout(() => this.tell(flow, { kind: 'late', attempt }), after * 1000)
  }

  write(flow: Flow, bytes: unknown): void {
    this.#running.get(flow.id)?.answer.write(bytes as readonly Piece[])
  }

  release(flow: Flow): void {
    this.#running.get(flow.id)?.answer.release()
  }

  append(flow: Flow, row: Row): void {
    const result = row.kind === 'close' ? this.#running.get(flow.id)?.answer.kept?.(row) : undefined
    this.#ports.journal.append(
      row,
      (durable) => this.tell(flow, { kind: durable ? 'journaled' : 'unjournaled', row: row.kind }),
      result,
    )
  }

  keep(_: Flow, row: Row & { kind: 'close' }): void {
    this.#ports.journal.keep(row)
  }

  wait(flow: Flow, after: Seconds): void {
    const running = this.#running.get(flow.id)
    if (!running) return
    this.#ports.waits(flow)
    clearTimeout(running.turn)
    running.turn = setTimeout(() => this.tell(running.flow, { kind: 'turn' }), after * 1000)
  }

  finish(flow: Flow, ending: Ending): void {
    const running = this.#running.get(flow.id)
    if (!running) return
    this.#running.delete(flow.id)
    for (const timer of [running.deadline, running.late, running.turn, ...running.confirms.values()])
      clearTimeout(timer)
    this.#ports.measures.finished(flow, ending, this.#ports.now())
    running.answer.finish(flow, ending)
  }

  /** A model has come into memory, or an engine answers again: who waits may have a place. */
  look(): void {
    this.#turnNext()
  }

  /** Places are free: each goes to whom it is due. */
  #turnNext(): void {
    for (let flow = this.#next(); flow; flow = this.#next()) {
      this.tell(flow, { kind: 'turn' })
      if (flow.phase === 'queued') return
    }
  }
  #next(): Flow | undefined {
    return this.#ports.policy.next(this.#ports.now())
  }
}
