import type { IncomingHttpHeaders } from 'node:http'
import { hashKey } from '../../adapters/random/secret.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import type { Seconds } from '../../units/quantity.ts'

export type Authorised =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly refusal: Refusal }

const refused = (why: Refusal): Authorised => ({ ok: false, refusal: why })

/** The key → what it allows. Found by its hash: no comparison takes longer the more of a key is right. */
export function authorise(
  headers: IncomingHttpHeaders,
  snapshot: Snapshot,
  pepper: Uint8Array,
  now: Seconds,
): Authorised {
  const key = keyIn(headers)
  if (key === undefined) return refused(refusal('invalid_api_key', 'no API key was sent'))
  const grant = snapshot.grants.get(hashKey(pepper, key))
  if (!grant) return refused(refusal('invalid_api_key', 'this API key is not known'))
  if (grant.expires_ms !== null && grant.expires_ms <= now * 1000)
    return refused(refusal('expired_api_key', 'this API key has expired'))
  return { ok: true, grant }
}

/** OpenAI's way, Anthropic's, and Azure's: every client library sends one of them. */
function keyIn(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const others = [headers['x-api-key'], headers['api-key']].flat()
  return bearer ?? others.find((key) => key !== undefined && key !== '')
}
