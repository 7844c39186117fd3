import type { Row } from '../../books/row.ts'
import type { Ask, Ending, Event, Flow, World } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import { inferenceLine } from '../../lines/inference/line.ts'
import type { Snapshot } from '../../lines/inference/snapshot.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { Incarnation, ReplicaId } from '../../units/ids.ts'
import { requestId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import type { EngineTrouble } from '../engine/step.ts'
import type { Kernel } from '../kernel.ts'
import { order } from '../kernel.ts'
import type { Request } from '../workload/request.ts'
import { Attempt, type AttemptListener, type Running } from './attempt.ts'
import { heardFrom } from './heard.ts'
import { TwinJournal } from './journal.ts'
import type { TriedPolicy } from './policy.ts'
import type { Station } from './station.ts'

export interface GatewayPorts {
  readonly kernel: Kernel
  readonly incarnation: Incarnation
  /** Seconds since 1970 at which the run begins. */
  readonly start_s: number
  readonly policy: TriedPolicy
  /** What flows are admitted under from now on. */
  snapshot(): Snapshot
  station(replica: ReplicaId): Station | undefined
  /** From admission to the last byte, at most. */
  readonly deadline_ns: number
  readonly commit_ns: number
  /** A row is durable. */
  durable(row: Row): void
  over(running: Running, ending: Ending): void
}

/** A gateway on simulated time: the live line under a policy, between clients, engines and a journal. */
export class TwinGateway implements World, AttemptListener {
  readonly policy: TriedPolicy
  readonly #ports: GatewayPorts
  readonly #kernel: Kernel
  readonly #journal: TwinJournal
  readonly #step: (flow: Flow, event: Event, now: Seconds) => void
  #requests = 0

  constructor(ports: GatewayPorts) {
    this.#ports = ports
    this.#kernel = ports.kernel
    this.policy = ports.policy
    this.#step = inferenceLine(ports.policy, this)
    this.#journal = new TwinJournal(ports.kernel, ports.commit_ns, this.#durable)
  }

  ask(request: Request, ask: Omit<Ask, 'body'>): void {
    const { kernel, incarnation, deadline_ns, snapshot } = this.#ports
    const running: Opening = {
      request,
      flow: undefined,
      attempt: undefined,
      engine: undefined,
      rival: undefined,
      late: undefined,
      deadline: 0,
      turn: undefined,
      leaves: undefined,
      received: 0,
      released_ns: undefined,
      first_ns: undefined,
    }
    // A flow's body is for engines alone: here it leads back from what the line says to the request.
    running.flow = newFlow(requestId(incarnation, ++this.#requests), { ...ask, body: running }, snapshot(), this.#now)
    const whole = running as Running
    whole.deadline = kernel.schedule(kernel.now_ns + deadline_ns, order.arrives, () =>
      this.tell(whole, { kind: 'deadline' }),
    )
    const { leavesAfter } = request
    if (leavesAfter && 'ns' in leavesAfter)
      whole.leaves = kernel.schedule(kernel.now_ns + leavesAfter.ns, order.arrives, () => this.#leaves(whole))
    this.tell(whole, { kind: 'asked' })
  }

  tell(running: Running, event: Event): void {
    this.#step(running.flow, event, this.#now)
    if (event.kind === 'ended' || event.kind === 'failed') this.#turnNext()
  }

  generate(flow: Flow, replica: Replica): void {
    const running = flow.ask.body as Running
    const station = this.#ports.station(replica.id)
    if (!station) {
      const failure = { fault: 'unreachable', message: `engine ${replica.id} was removed` } as const
      const event = { kind: 'failed', attempt: flow.attempt, failure, usage: undefined } as const
      this.#kernel.schedule(this.#kernel.now_ns, order.arrives, () => this.tell(running, event))
      return
    }
    const attempt = new Attempt(running, station.speech, this)
    this.#listen(attempt)
    if (flow.rival) running.rival = { attempt: running.attempt, engine: running.engine }
    running.attempt = attempt
    running.engine = station.engine
    station.attempts.push(attempt)
    station.engine.submit(attempt)
  }

  cancel(flow: Flow, number: number): void {
    const running = flow.ask.body as Running
    const { attempt, engine } = running.attempt?.number === number ? running : (running.rival ?? running)
    if (attempt?.number !== number) return
    engine?.cancel(attempt)
    if (attempt.speech === 'own') return // it says itself when it has stopped
    // Of an upstream nothing more is heard once its connection is cut.
    const failure = { fault: 'crashed', message: 'cancelled' } as const
    const event = { kind: 'failed', attempt: attempt.number, failure, usage: undefined } as const
    this.#kernel.schedule(this.#kernel.now_ns, order.arrives, () => this.tell(running, event))
  }

  watch(flow: Flow, after: Seconds): void {
    const running = flow.ask.body as Running
    const { attempt } = flow
    if (running.late !== undefined) this.#kernel.cancel(running.late)
    running.late = this.#kernel.schedule(this.#kernel.now_ns + Math.round(after * 1e9), order.arrives, () => {
      running.late = undefined
      this.tell(running, { kind: 'late', attempt })
    })
  }

  write(): void {
    // What its client has received is counted where it is made: no bytes pass here.
  }

  release(flow: Flow): void {
    const running = flow.ask.body as Running
    running.released_ns = this.#kernel.now_ns
    if (running.received > 0) running.first_ns ??= this.#kernel.now_ns
  }

  append(flow: Flow, row: Row): void {
    this.#journal.append(flow, row)
  }

  keep(_: Flow, row: Row): void {
    this.#ports.durable(row)
  }

  wait(flow: Flow, after: Seconds): void {
    const running = flow.ask.body as Running
    if (running.turn !== undefined) this.#kernel.cancel(running.turn)
    running.turn = this.#kernel.schedule(this.#kernel.now_ns + Math.round(after * 1e9), order.arrives, () => {
      running.turn = undefined
      this.tell(running, { kind: 'turn' })
    })
  }

  finish(flow: Flow, ending: Ending): void {
    const running = flow.ask.body as Running
    this.#kernel.cancel(running.deadline)
    if (running.turn !== undefined) this.#kernel.cancel(running.turn)
    if (running.leaves !== undefined) this.#kernel.cancel(running.leaves)
    if (running.late !== undefined) this.#kernel.cancel(running.late)
    this.#ports.over(running, ending)
  }

  begun(attempt: Attempt): void {
    if (attempt.speech !== 'own') return
    this.tell(attempt.running, {
      kind: 'begun',
      attempt: attempt.number,
      input_uncached: tokens(attempt.prompt.tokens - attempt.hit),
      cache_read: tokens(attempt.hit),
    })
  }

  made(attempt: Attempt, count: number): void {
    const { running, number } = attempt
    if (number !== running.flow.rival?.attempt || !running.flow.rival.lost) {
      running.received += count
      if (running.released_ns !== undefined) running.first_ns ??= this.#kernel.now_ns
      if (running.rival?.attempt === attempt) {
        const { attempt: other, engine } = running
        Object.assign(running, running.rival, { rival: { attempt: other, engine } })
      }
    }
    this.tell(running, { kind: 'chunk', attempt: number, tokens: tokens(count) })
    const { leavesAfter } = running.request
    if (leavesAfter && 'tokens' in leavesAfter && running.received >= leavesAfter.tokens) this.#leaves(running)
    this.#listen(attempt)
  }

  ended(attempt: Attempt): void {
    const { speech, number, usage, running } = attempt
    this.tell(running, speech === 'own' ? { kind: 'ended', attempt: number, usage } : heardFrom(speech, attempt))
  }

  failed(attempt: Attempt, fault: EngineTrouble): void {
    const failure = { fault, message: `engine ${attempt.running.flow.replica?.id}: ${fault}` }
    // What a crashed engine had done is known from what it told, not from its own word.
    this.tell(attempt.running, { kind: 'failed', attempt: attempt.number, failure, usage: undefined })
  }

  /**
   * The next token that must be heard of when it comes: the one with which its client leaves; each, where an allowance may
   * run out under it. All others may come in one piece.
   */
  #listen(attempt: Attempt): void {
    const { flow, request } = attempt.running
    if (flow.holds && flow.holds.length > 0) attempt.hearAt = attempt.out + 1
    else if (request.leavesAfter && 'tokens' in request.leavesAfter && request.leavesAfter.tokens > attempt.out)
      attempt.hearAt = request.leavesAfter.tokens
  }

  #leaves(running: Running): void {
    this.tell(running, { kind: 'client_closed' })
  }

  readonly #durable = (flow: Flow, row: Row): void => {
    this.#ports.durable(row)
    this.tell(flow.ask.body as Running, { kind: 'journaled', row: row.kind })
  }

  /** Places are free: each goes to whom it is due. */
  #turnNext(): void {
    for (let flow = this.policy.next(this.#now); flow; flow = this.policy.next(this.#now)) {
      const running = flow.ask.body as Running
      if (running.turn !== undefined) this.#kernel.cancel(running.turn)
      running.turn = undefined
      this.tell(running, { kind: 'turn' })
      if (flow.phase === 'queued') return
    }
  }

  get #now(): Seconds {
    return seconds(this.#ports.start_s + this.#kernel.now_ns / 1e9)
  }
}

type Opening = { -readonly [Field in keyof Running]: Field extends 'flow' ? Flow | undefined : Running[Field] }
