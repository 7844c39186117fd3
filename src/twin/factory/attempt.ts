import type { Usage } from '../../books/usage.ts'
import { usageFrom } from '../../books/usage.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { Engine } from '../engine/engine.ts'
import { Sequence } from '../engine/sequence.ts'
import type { EngineTrouble } from '../engine/step.ts'
import type { Ticket } from '../kernel.ts'
import type { StreamShape } from '../stream-shapes.ts'
import type { Request } from '../workload/request.ts'

/** One request at a gateway: what the line knows of it, and what its client has seen. */
export interface Running {
  readonly request: Request
  readonly flow: Flow
  attempt: Attempt | undefined
  /** Where the attempt is. */
  engine: Engine | undefined
  /** The other one, while two are under way. */
  rival: { readonly attempt: Attempt | undefined; readonly engine: Engine | undefined } | undefined
  late: Ticket | undefined
  deadline: Ticket
  turn: Ticket | undefined
  leaves: Ticket | undefined
  received: number
  released_ns: number | undefined
  /** The first content that its client could see: made, and allowed to leave. */
  first_ns: number | undefined
}

/** `own`: the engine reports by itself what it found, did and counted, as our embedded one does. */
export type Speech = 'own' | StreamShape

/** One try of one replica for a request, and the work that its engine did for it. */
export class Attempt extends Sequence {
  readonly number: number
  readonly running: Running
  /** Whom its engine tells. */
  readonly listener: AttemptListener
  readonly work = { step_e9: 0, prefill: 0, prefill_context: 0, decode: 0, kv_read: 0 }
  /** Of its work, what a look at the meter has seen: it grows no more when the next look sees the same. */
  seenWork = -1

  /** What its gateway hears of it at the end: our own engines count for themselves, upstreams end their streams in many shapes. */
  readonly speech: Speech

  constructor(running: Running, speech: Speech, listener: AttemptListener) {
    const { prompt, limit, answer } = running.request
    // Engines take no request without a limit; live ones set the rest of the context then, which is what `limit()` does.
    super(running.flow.attempt, prompt, { most: limit ?? Number.MAX_SAFE_INTEGER, length: answer })
    this.number = running.flow.attempt
    this.running = running
    this.speech = speech
    this.listener = listener
  }

  /** As its engine tells it at the end: of a prompt that was given up, what was evaluated; nothing before it began. */
  get usage(): Usage {
    const input =
      this.first_ns >= 0 ? this.prompt.tokens : Math.max(this.hit, Math.min(this.computed, this.prompt.tokens))
    const began = this.scheduled_ns >= 0
    return usageFrom('engine', {
      input_uncached: began ? input - this.hit : 0,
      cache_read: this.hit,
      cache_write: 0,
      output_visible: this.told,
      reasoning: 0,
    })
  }
}

export interface AttemptListener {
  begun(attempt: Attempt): void
  made(attempt: Attempt, tokens: number): void
  ended(attempt: Attempt): void
  failed(attempt: Attempt, fault: EngineTrouble): void
}
