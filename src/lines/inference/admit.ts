import { inputTokens, outputTokens, totalTokens } from '../../books/usage.ts'
import type { KeyId, ModelId } from '../../units/ids.ts'
import type { Seconds, Tokens } from '../../units/quantity.ts'
import { plus, seconds, smaller, tokens } from '../../units/quantity.ts'
import type { ErrorCode, Refusal } from './errors.ts'
import { refusal } from './errors.ts'
import type { Admission, Flow, Room } from './flow.ts'
import { Bucket } from './limit.ts'
import { OutputLengths } from './reserve.ts'
import type { Bounds, Grant } from './snapshot.ts'

/** Until a model has answered once, its answers are taken to be this long. */
const firstGuess = tokens(256)

/** S1: limits of the key, reserve at a learned output length, and a bounded queue when all replicas are busy. */
export class Admitter {
  readonly #bounds: Bounds
  readonly #limits = new Map<KeyId, KeyLimits>()
  readonly #lengths = new Map<ModelId, OutputLengths>()
  readonly #waiting = new Set<Flow>()

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  get waiting(): number {
    return this.#waiting.size
  }

  admit(flow: Flow, room: Room, now: Seconds): Admission {
    const refused = this.#limit(flow, now) ?? this.#crowd(flow, room, now)
    if (refused) return { verdict: 'refused', refusal: refused }
    if (room === 'full') {
      this.#waiting.add(flow)
      return { verdict: 'queued', retryAfter: seconds(0.25) }
    }
    this.#waiting.delete(flow)
    return { verdict: 'admitted', reserve: flow.reserved ?? tokens(0) }
  }

  /** Gives back what was reserved and not used; what was used beyond it is taken, into debt if need be. */
  settle(flow: Flow, now: Seconds): void {
    this.#waiting.delete(flow)
    if (flow.reserved === undefined) return
    const used = flow.attempts.reduce((sum, attempt) => plus(sum, totalTokens(attempt.usage)), tokens(0))
    this.#limits.get(flow.ask.grant.key)?.tokens?.take(used - flow.reserved, now)
    const last = flow.attempts.at(-1)
    if (last && !flow.cut && inputTokens(last.usage) > 0)
      this.#lengthsOf(flow.ask.model).learn(outputTokens(last.usage))
  }

  /** Requests and tokens left in the key's minute, for the rate headers; null: no limit. */
  left(grant: Grant, now: Seconds): { requests: number | null; tokens: number | null } {
    const limits = this.#limits.get(grant.key)
    const level = (bucket: Bucket | undefined): number | null =>
      bucket ? Math.max(0, Math.floor(bucket.level(now))) : null
    return { requests: level(limits?.requests), tokens: level(limits?.tokens) }
  }

  #limit(flow: Flow, now: Seconds): Refusal | undefined {
    if (flow.reserved !== undefined) return undefined // taken when it came; a turn in the queue takes nothing again
    const limits = this.#limitsOf(flow, now)
    const reserve = this.#reserve(flow)
    const late =
      overdrawn(limits.requests, 1, 'requests_per_minute', now) ??
      overdrawn(limits.tokens, reserve, 'tokens_per_minute', now)
    if (late) return late
    limits.requests?.take(1, now)
    limits.tokens?.take(reserve, now)
    flow.reserved = reserve
    return undefined
  }

  #crowd(flow: Flow, room: Room, now: Seconds): Refusal | undefined {
    if (room === 'none')
      return refusal('engine_unavailable', `no engine that serves "${flow.ask.model}" answers`, {
        retry_after_ms: 1000,
      })
    if (room === 'free') return undefined
    if (now - flow.askedAt >= this.#bounds.queueTime)
      return refusal('overloaded', `waited ${this.#bounds.queueTime} s for a free engine`, { retry_after_ms: 2000 })
    if (!this.#waiting.has(flow) && this.#waiting.size >= this.#bounds.queueLength)
      return refusal('overloaded', `${this.#waiting.size} requests wait already`, { retry_after_ms: 1000 })
    return undefined
  }

  #reserve(flow: Flow): Tokens {
    const likely = this.#lengthsOf(flow.ask.model).quantile(0.9, firstGuess)
    return plus(
      flow.ask.promptEstimate,
      flow.ask.maxOutput === undefined ? likely : smaller(likely, flow.ask.maxOutput),
    )
  }

  #limitsOf(flow: Flow, now: Seconds): KeyLimits {
    const { grant } = flow.ask
    const share = (limit: number | null): number | null => (limit === null ? null : limit / flow.snapshot.gateways)
    const [requests, tokenCount] = [share(grant.requests_per_minute), share(grant.tokens_per_minute)]
    let limits = this.#limits.get(grant.key)
    if (
      !limits ||
      (limits.requests?.capacity ?? null) !== requests ||
      (limits.tokens?.capacity ?? null) !== tokenCount
    ) {
      limits = {
        requests: requests === null ? undefined : new Bucket(requests, now),
        tokens: tokenCount === null ? undefined : new Bucket(tokenCount, now),
      }
      this.#limits.set(grant.key, limits)
    }
    return limits
  }

  #lengthsOf(model: ModelId): OutputLengths {
    let lengths = this.#lengths.get(model)
    if (!lengths) {
      lengths = new OutputLengths()
      this.#lengths.set(model, lengths)
    }
    return lengths
  }
}

interface KeyLimits {
  readonly requests: Bucket | undefined
  readonly tokens: Bucket | undefined
}

function overdrawn(bucket: Bucket | undefined, amount: number, code: ErrorCode, now: Seconds): Refusal | undefined {
  const delay = bucket?.delay(amount, now) ?? 0
  if (delay === 0) return undefined
  if (delay === Number.POSITIVE_INFINITY)
    return refusal(
      'request_too_large_for_limit',
      `the request may use ${amount} tokens; the key allows ${bucket?.capacity} a minute`,
    )
  return refusal(code, `the key's limit of ${bucket?.capacity} ${code.replaceAll('_', ' ')} is used up`, {
    retry_after_ms: Math.ceil(delay * 1000),
  })
}
