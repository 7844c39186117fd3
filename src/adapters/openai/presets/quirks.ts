import { mergeUsage } from '../../../lines/inference/wire-usage.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { KeyRule, RequestQuirks, UsageQuirks } from './preset.ts'

/** The header that carries the key, as this engine wants it; none without a key. */
export function keyHeader({ header }: Pick<KeyRule, 'header'>, key: string | undefined): Record<string, string> {
  if (key === undefined) return {}
  return header === 'authorization' ? { authorization: `Bearer ${key}` } : { [header]: key }
}

/** A chat request in this engine's words. Of two names for one thing the newer is obeyed, as OpenAI does. */
export function adapted(body: JsonObject, { rename, refuses }: RequestQuirks): JsonObject {
  const fields = Object.entries(body).filter(
    ([field, value]) => !(refuses.includes(field) && asksNothing(field, value)),
  )
  const given = Object.fromEntries(fields)
  for (const [from, to] of Object.entries(rename)) {
    if (given[from] === undefined) continue
    const isNewer = from === 'max_completion_tokens'
    if (given[from] !== null && (isNewer || (given[to] ?? null) === null)) given[to] = given[from]
    delete given[from]
  }
  return given
}

/** Values that say what would happen without them: libraries send them unasked. */
function asksNothing(field: string, value: unknown): boolean {
  if (value === null || value === undefined || value === 0 || value === false) return true
  if (field === 'service_tier') return value === 'auto'
  if (field === 'parallel_tool_calls') return value === true
  return field === 'logit_bias' && isObject(value) && Object.keys(value).length === 0
}

/** An answer or chunk whose usage stands where OpenAI has it, if it stands anywhere. */
export function withPlainUsage(chunk: JsonObject, quirks: UsageQuirks): JsonObject {
  const elsewhere = quirks.at === undefined ? undefined : at(chunk, quirks.at)
  const usage = isObject(chunk.usage) ? chunk.usage : isObject(elsewhere) ? elsewhere : undefined
  if (!usage) return chunk
  const plain = plainUsage(usage, quirks)
  return plain === chunk.usage ? chunk : { ...chunk, usage: plain }
}

function plainUsage(usage: JsonObject, { cached, reasoning, includesCached }: UsageQuirks): JsonObject {
  const own: [string, string, unknown][] = []
  if (cached !== undefined) own.push(['prompt_tokens_details', 'cached_tokens', at(usage, cached)])
  if (reasoning !== undefined) own.push(['completion_tokens_details', 'reasoning_tokens', at(usage, reasoning)])
  // What is nested is later and better than what stands at the top, unless it is an empty zero.
  const moved = own.filter(
    ([group, field, value]) => Number(value) > 0 && !(Number(at(usage, `${group}.${field}`)) > 0),
  )
  const plain = moved.reduce((sum, [group, field, value]) => mergeUsage(sum, { [group]: { [field]: value } }), usage)
  return includesCached ? plain : withCached(plain)
}

/** `prompt_tokens` that leaves the cached ones out is made to count them, as everybody else's does. */
function withCached(usage: JsonObject): JsonObject {
  const [prompt, cached] = [Number(usage.prompt_tokens), Number(at(usage, 'prompt_tokens_details.cached_tokens') ?? 0)]
  return Number.isSafeInteger(prompt) && cached > 0 ? { ...usage, prompt_tokens: prompt + cached } : usage
}

/** What stands at a path of names with dots between them. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value)
