import { createHash } from 'node:crypto'
import type { Rail } from '../../lines/inference/rail.ts'
import type { TenantId } from '../../units/ids.ts'
import type { ApiRequest } from '../openai/request.ts'
import type { WireEngine } from '../operator/contract.ts'

/** What a request asks of the cache: answers up to an age, and also those that were drawn by chance. */
export interface CacheWish {
  readonly maxAge_ms: number
  readonly sampled: boolean
}

/** A week: after it the world that an answer speaks of is another. */
const longest_s = 7 * 86_400

/** `x-wattmill-cache: max-age=600` or `max-age=600, sampled`; undefined: nothing is wished; 'invalid': it is something else. */
export function wishOf(header: string | readonly string[] | undefined): CacheWish | undefined | 'invalid' {
  if (header === undefined || header === 'off') return undefined
  const [, age = '', sampled] = /^max-age=(\d{1,6})(\s*,\s*sampled)?$/.exec(String(header).trim()) ?? []
  const seconds = Number(age)
  if (age === '' || seconds < 1 || seconds > longest_s) return 'invalid'
  return { maxAge_ms: seconds * 1000, sampled: sampled !== undefined }
}

/** Whether the same request has the same answer again: greedy, seeded, or vectors. */
export const isExact = ({ dialect, body }: ApiRequest): boolean =>
  dialect === 'embeddings' || body.temperature === 0 || typeof body.seed === 'number'

/** All that an answer depends on beside the request. */
export interface Surroundings {
  readonly tenant: TenantId
  /** Of all models that may answer. */
  readonly models: readonly string[]
  readonly engines: readonly WireEngine[]
  readonly rails: readonly Rail[]
}

/**
 * SHA-256 over all that an answer depends on: the tenant, the models that may answer and where they run, the rails that bind,
 * and the whole request with the features that its header asks for. A streamed answer is kept as a stream, and serves streams. Fields that are null are absent, and the
 * order of the fields of a request says nothing; what is within them stays as it is.
 */
export function requestKey({ dialect, stream, body, betas }: ApiRequest, around: Surroundings): string {
  const { stream: _, stream_options: __, ...asked } = body
  const fields = Object.entries(asked)
    .filter(([, value]) => value !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const runs = around.engines
    .flatMap(({ name, vendor, url, models }) =>
      around.models.flatMap((model) =>
        models[model] === undefined ? [] : [[name, vendor, url, model, models[model]]],
      ),
    )
    .sort()
  return createHash('sha256')
    .update(JSON.stringify([around.tenant, around.models, runs, around.rails, dialect, stream, betas, fields]))
    .digest('base64url')
}
