import { idHeaders } from '../../adapters/http/errors.ts'
import { bindingOf } from '../../lines/inference/admit.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import type { Seconds } from '../../units/quantity.ts'

type Headers = Readonly<Record<string, string>>

/** What every answer to an asked request can carry from its first byte on. */
export function flowHeaders(flow: Flow, policy: LivePolicy, now: Seconds): Headers {
  return {
    ...idHeaders(flow.id),
    ...rateHeaders(flow, policy, now),
    ...(flow.replica
      ? {
          'x-wattmill-replica': encodeURIComponent(flow.replica.id),
          'x-wattmill-queue-ms': String(Math.round((flow.admittedAt - flow.askedAt) * 1000)),
        }
      : {}),
  }
}

/** Of the limits that bind this key, the nearest: those a minute, as far as this gateway knows what is left of them. */
export function rateHeaders(flow: Pick<Flow, 'ask' | 'snapshot'>, policy: LivePolicy, now: Seconds): Headers {
  const left = policy.admitter.left(bindingOf(flow), now)
  return { ...limitHeaders('requests', left), ...limitHeaders('tokens', left) }
}

type Left = ReturnType<LivePolicy['admitter']['left']>

function limitHeaders(of: 'requests' | 'tokens', all: Left): Headers {
  let nearest: Left[number] | undefined
  for (const one of all)
    if (one.allowance.unit === of && one.allowance.renews === 'minute' && !(nearest && nearest.left <= one.left))
      nearest = one
  if (!nearest) return {}
  const limit = Number(nearest.allowance.amount)
  const left = Math.min(limit, Number(nearest.left))
  return {
    [`x-ratelimit-limit-${of}`]: String(limit),
    [`x-ratelimit-remaining-${of}`]: String(left),
    [`x-ratelimit-reset-${of}`]: duration((60_000 * (limit - left)) / limit),
  }
}

/** As OpenAI writes it: `12ms`, `1.5s`, `1m0s`. */
export function duration(ms: number): string {
  const whole = Math.ceil(ms)
  if (whole < 1000) return `${whole}ms`
  if (whole < 60_000) return `${whole / 1000}s`
  return `${Math.floor(whole / 60_000)}m${(whole % 60_000) / 1000}s`
}
