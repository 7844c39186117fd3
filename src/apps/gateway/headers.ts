import { idHeaders } from '../../adapters/http/errors.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import type { Seconds } from '../../units/quantity.ts'

type Headers = Readonly<Record<string, string>>

/** What every answer to an asked request can carry from its first byte on. */
export function flowHeaders(flow: Flow, policy: LivePolicy, now: Seconds): Headers {
  return {
    ...idHeaders(flow.id),
    ...rateHeaders(flow.ask.grant, flow.snapshot, policy, now),
    ...(flow.replica
      ? {
          'x-wattmill-replica': encodeURIComponent(flow.replica.id),
          'x-wattmill-queue-ms': String(Math.round((flow.admittedAt - flow.askedAt) * 1000)),
        }
      : {}),
  }
}

/** The limits as *this* gateway holds them: each has an equal part, and a client's connection stays with one. */
export function rateHeaders(grant: Grant, snapshot: Snapshot, policy: LivePolicy, now: Seconds): Headers {
  const left = policy.admitter.left(grant, now)
  return {
    ...limitHeaders('requests', grant.requests_per_minute, left.requests, snapshot.gateways),
    ...limitHeaders('tokens', grant.tokens_per_minute, left.tokens, snapshot.gateways),
  }
}

function limitHeaders(of: string, perMinute: number | null, left: number | null, gateways: number): Headers {
  if (perMinute === null || left === null) return {}
  const limit = perMinute / gateways
  return {
    [`x-ratelimit-limit-${of}`]: String(Math.floor(limit)),
    [`x-ratelimit-remaining-${of}`]: String(left),
    [`x-ratelimit-reset-${of}`]: duration((60_000 * Math.max(0, limit - left)) / limit),
  }
}

/** As OpenAI writes it: `12ms`, `1.5s`, `1m0s`. */
export function duration(ms: number): string {
  const whole = Math.ceil(ms)
  if (whole < 1000) return `${whole}ms`
  if (whole < 60_000) return `${whole / 1000}s`
  return `${Math.floor(whole / 60_000)}m${(whole % 60_000) / 1000}s`
}
