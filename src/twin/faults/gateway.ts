import type { CloseRow, Row } from '../../books/row.ts'
import type { Ask, Ending, Event, Flow, World } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import type { Snapshot } from '../../lines/inference/snapshot.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { AttemptId, Incarnation, ReplicaId, RequestId } from '../../units/ids.ts'
import { attemptId, requestId } from '../../units/ids.ts'
import type { Seconds, Tokens } from '../../units/quantity.ts'
import { minus, plus, seconds, tokens } from '../../units/quantity.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Told } from './engine.ts'
import type { SimJournal } from './journal.ts'
import type { Parts } from './parts.ts'
import type { ClientPlan } from './plan.ts'

/** A client as it sees itself: what reached it, and how it ended for it. */
export interface Client {
  readonly plan: ClientPlan
  request: RequestId | undefined
  readonly came_ms: number
  ended_ms: number | undefined
  received: Tokens
  /** Its connection is gone, by whoever's doing. */
  gone: boolean
  ending: Ending | undefined
}

export interface GatewayPorts {
  readonly agenda: Agenda
  readonly life: Life
  readonly incarnation: Incarnation
  readonly journal: Pick<SimJournal, 'append' | 'keep'>
  readonly snapshot: Snapshot
  readonly parts: Parts
  /** Starts an attempt somewhere; gives what cancels it. */
  generate(replica: ReplicaId, attempt: AttemptId, ask: ClientPlan, tell: (told: Told) => void): () => void
  /** Before the world sees it: the laws of what may be seen when. */
  watch(seen: { readonly what: 'content' | 'last byte'; readonly flow: Flow; readonly row: CloseRow | undefined }): void
  /** Ends of attempts come twice just now. */
  tellsTwice(): boolean
  now(): Seconds
}

interface Running {
  readonly flow: Flow
  readonly client: Client
  readonly cancels: Map<number, () => void>
  /** Content that may not leave yet: until the open row is durable, and the last piece until the close row is. */
  held: Tokens
  last: Tokens
  released: boolean
  readonly confirming: Set<number>
  turns: number
}

const deadline_ms = 15_000
const confirm_ms = 5_000

/** A gateway on simulated time: the live line and the live policy, between simulated clients, engines and a journal. */
export class SimGateway implements World {
  readonly policy: LivePolicy
  readonly running = new Map<RequestId, Running>()
  readonly #ports: GatewayPorts
  readonly #step: (flow: Flow, event: Event, now: Seconds) => void
  #requests = 0

  constructor(ports: GatewayPorts) {
    this.#ports = ports
    this.policy = ports.parts.policy()
    this.#step = ports.parts.line(this.policy, this)
  }

  get life(): Life {
    return this.#ports.life
  }

  get incarnation(): Incarnation {
    return this.#ports.incarnation
  }

  now(): Seconds {
    return this.#ports.now()
  }

  ask(client: Client, ask: Ask): void {
    const { agenda, life, incarnation, snapshot } = this.#ports
    const flow = newFlow(requestId(incarnation, ++this.#requests), ask, snapshot, this.#ports.now())
    client.request = flow.id
    this.running.set(flow.id, {
      flow,
      client,
      cancels: new Map(),
      held: tokens(0),
      last: tokens(0),
      released: false,
      confirming: new Set(),
      turns: 0,
    })
    agenda.in(deadline_ms, life, () => this.tell(flow, { kind: 'deadline' }))
    this.tell(flow, { kind: 'asked' })
  }

  leaves(client: Client): void {
    client.gone = true
    const running = client.request && this.running.get(client.request)
    if (running) this.tell(running.flow, { kind: 'client_closed' })
  }

  tell(flow: Flow, event: Event): void {
    if (!this.running.has(flow.id)) return
    this.#step(flow, event, this.#ports.now())
    if (event.kind === 'ended' || event.kind === 'failed') this.#turnNext()
  }

  generate(flow: Flow, replica: Replica): void {
    const running = this.running.get(flow.id)
    if (!running) return
    this.life.effect()
    const attempt = flow.attempt
    // What a chunk weighs is all there is of its bytes.
    const hear = (told: Told): void => {
      const event = told.kind === 'chunk' ? { ...told, attempt, bytes: told.tokens } : { ...told, attempt }
      this.#ports.agenda.in(0.2, this.life, () => this.tell(flow, event))
      if ((told.kind === 'ended' || told.kind === 'failed') && this.#ports.tellsTwice())
        this.#ports.agenda.in(4, this.life, () => this.tell(flow, event))
    }
    const ask = flow.ask.body as ClientPlan
    running.cancels.set(attempt, this.#ports.generate(replica.id, attemptId(flow.id, attempt), ask, hear))
  }

  cancel(flow: Flow, attempt: number): void {
    const running = this.running.get(flow.id)
    if (!running) return
    this.life.effect()
    running.cancels.get(attempt)?.()
    if (running.confirming.has(attempt)) return
    running.confirming.add(attempt)
    const failure = { fault: 'timed_out', message: 'the engine did not confirm the cancel' } as const
    this.#ports.agenda.in(confirm_ms, this.life, () =>
      this.tell(flow, { kind: 'failed', attempt, failure, usage: undefined }),
    )
  }

  watch(flow: Flow, after: Seconds): void {
    const { attempt } = flow
    this.#ports.agenda.in(after * 1000, this.life, () => this.tell(flow, { kind: 'late', attempt }))
  }

  write(flow: Flow, bytes: unknown): void {
    const running = this.running.get(flow.id)
    if (!running) return
    const piece = bytes as Tokens
    if (running.released) this.#send(running)
    running.held = plus(running.held, piece)
    running.last = piece // waits for the close row
  }

  release(flow: Flow): void {
    const running = this.running.get(flow.id)
    if (!running) return
    running.released = true
    this.#send(running, minus(running.held, running.last))
  }

  append(flow: Flow, row: Row): void {
    this.#ports.journal.append(row, (durable) =>
      this.tell(flow, { kind: durable ? 'journaled' : 'unjournaled', row: row.kind }),
    )
  }

  keep(_: Flow, row: CloseRow): void {
    this.#ports.journal.keep(row)
  }

  wait(flow: Flow, after: Seconds): void {
    const running = this.running.get(flow.id)
    if (!running) return
    const turn = ++running.turns
    this.#ports.agenda.in(after * 1000, this.life, () => {
      if (running.turns === turn) this.tell(flow, { kind: 'turn' })
    })
  }

  finish(flow: Flow, ending: Ending): void {
    const running = this.running.get(flow.id)
    if (!running) return
    this.running.delete(flow.id)
    const whole = ending.kind === 'settled' && ending.outcome === 'complete'
    if (whole && !running.client.gone) {
      this.#ports.watch({ what: 'last byte', flow, row: flow.closing })
      this.#send(running)
    }
    running.client.ending = ending
    running.client.ended_ms = this.#ports.agenda.now_ms
  }

  #send(running: Running, count = running.held): void {
    if (count === 0) return
    running.held = tokens(running.held - count)
    if (running.client.gone) return
    this.life.effect()
    this.#ports.watch({ what: 'content', flow: running.flow, row: undefined })
    running.client.received = plus(running.client.received, count)
    const { leavesAfter } = running.client.plan
    if (leavesAfter !== undefined && running.client.received >= leavesAfter)
      this.#ports.agenda.in(0.5, this.life, () => this.leaves(running.client))
  }

  /** Places are free: each goes to whom it is due. */
  #turnNext(): void {
    for (let flow = this.policy.next(this.now()); flow; flow = this.policy.next(this.now())) {
      this.tell(flow, { kind: 'turn' })
      if (flow.phase === 'queued') return
    }
  }
}

/** The ask of a simulated client. */
export const askOf = (plan: ClientPlan, snapshot: Snapshot): Ask => {
  const grant = snapshot.grants.get(plan.tenant)
  if (!grant) throw new Error(`no grant for ${plan.tenant}`)
  return {
    grant,
    model: plan.model as Ask['model'],
    promptEstimate: tokens(plan.prompt),
    maxOutput: undefined,
    stream: true,
    slo: grant.slo,
    clientRetry: 0,
    body: plan,
  }
}

export const secondsOf = (at_ms: number): Seconds => seconds(at_ms / 1000)
