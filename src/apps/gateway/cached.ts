import type { IncomingHttpHeaders } from 'node:http'
import type { AnswerCache, CachedAnswer } from '../../adapters/cache/answer-cache.ts'
import { type CacheWish, isExact, requestKey, wishOf } from '../../adapters/cache/request-key.ts'
import type { Piece } from '../../adapters/openai/engine.ts'
import type { ApiRequest } from '../../adapters/openai/request.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import { railsFor } from '../../lines/inference/rail.ts'
import { chainOf } from '../../lines/inference/snapshot.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { Answer } from './world.ts'

/** What the cache does with one request. */
export interface CacheUse {
  readonly wish: CacheWish
  readonly key: string
  readonly result: 'hit' | 'miss'
  readonly found: CachedAnswer | undefined
}

/** Undefined: it is not for the cache, because nobody wished it or chance is in its answer. */
export function cacheUse(
  cache: AnswerCache,
  headers: IncomingHttpHeaders,
  request: ApiRequest,
  grant: Flow['ask']['grant'],
  snapshot: FactorySnapshot,
  now: Seconds,
): CacheUse | Refusal | undefined {
  const wish = wishOf(headers['x-wattmill-cache'])
  if (wish === 'invalid')
    return refusal(
      'invalid_value',
      'the header x-wattmill-cache is max-age=SECONDS, up to a week, and perhaps ", sampled"',
      {
        param: 'x-wattmill-cache',
      },
    )
  if (!wish || !(wish.sampled || isExact(request))) return undefined
  const models = chainOf(snapshot, request.model)
  const rails = railsFor(snapshot.rails, grant, [request.model, ...models])
  const key = requestKey(request, { tenant: grant.tenant, models, engines: snapshot.engines, rails })
  const found = cache.find(key, now * 1000 - wish.maxAge_ms)
  return { wish, key, found, result: found ? 'hit' : 'miss' }
}

/** Whether it had one, and how old that is, as HTTP says it; s. */
export const cacheHeaders = ({ result, found }: CacheUse, now: Seconds): Record<string, string> => ({
  'x-wattmill-cache': result,
  ...(found && { age: String(Math.max(0, Math.floor(now - found.at_ms / 1000))) }),
})

/** An answer that is kept for the next one who asks the same, once it is whole and settled. */
export function keptAnswer(answer: Answer, cache: AnswerCache, key: string, now: () => Seconds): Answer {
  const pieces: Piece[] = []
  return {
    write(more) {
      pieces.push(...more)
      answer.write(more)
    },
    release: () => answer.release(),
    finish(flow, ending) {
      const { usage, site } = flow.closing?.attempts.at(-1) ?? {}
      if (ending.kind === 'settled' && ending.outcome === 'complete' && usage)
        cache.keep(key, {
          pieces,
          usage,
          model: flow.model,
          ...(site && { site }),
          from: flow.id,
          at_ms: now() * 1000,
        })
      answer.finish(flow, ending)
    },
  }
}

/** The line takes it from here: it reserves what a hit costs, and its row is durable before a byte leaves. */
export function hitOf({ from, model, site, usage, pieces }: CachedAnswer, flow: Flow): void {
  flow.model = model
  flow.hit = { from, ...(site && { site }), usage, bytes: pieces }
}
