import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

/** Says in words what a field must be; undefined: it is. `Value`: what that is to the compiler. */
export interface Check<Value = unknown> {
  (value: unknown): string | undefined
  readonly takes?: Value
}

/** Fields as a table of checks takes them, null as absent: held against the types of the clients' own libraries in `deep/`. */
export type FieldsOf<Table> = {
  readonly [Field in keyof Table]?: Table[Field] extends Check<infer Value> ? Value | null | undefined : never
}

export const number =
  (least: number, most: number): Check<number> =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most ? undefined : `a number from ${least} to ${most}`

export const whole =
  (least: number, most: number): Check<number> =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `a whole number from ${least} to ${most}`

export const boolean: Check<boolean> = (value) => (typeof value === 'boolean' ? undefined : 'true or false')
export const text: Check<string> = (value) => (typeof value === 'string' ? undefined : 'a string')
export const object: Check<object> = (value) => (isObject(value) ? undefined : 'an object')
export const list: Check<readonly unknown[]> = (value) => (Array.isArray(value) ? undefined : 'an array')

/** Every shown character is compared with every stop string. */
const mostStops = 16
const longestStop = 512
export const stops: Check<string | readonly string[]> = (value) => {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  const fine = all.every((one) => typeof one === 'string' && one.length > 0 && one.length <= longestStop)
  return fine && all.length <= mostStops ? undefined : `a string or at most ${mostStops} strings`
}

const encoding: Check<'float' | 'base64'> = (value) =>
  value === 'float' || value === 'base64' ? undefined : 'float or base64'

/** No context is longer; a limit of output beyond it is a mistake in the caller's arithmetic. */
export const mostTokens = 100_000_000

/** What we look at. Fields not listed pass through unseen. */
const checks = {
  stream: boolean,
  stream_options: object,
  temperature: number(0, 2),
  top_p: number(0, 1),
  min_p: number(0, 1),
  top_k: whole(-1, 1_000_000),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  seed: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  max_tokens: whole(1, mostTokens),
  max_completion_tokens: whole(1, mostTokens),
  stop: stops,
  n: whole(1, 128),
  best_of: whole(1, 128),
  echo: boolean,
  suffix: text,
  user: text,
  tools: list,
  parallel_tool_calls: boolean,
  response_format: object,
  encoding_format: encoding,
  dimensions: whole(1, 1_000_000),
} satisfies Readonly<Record<string, Check>>

export type OpenaiFields = FieldsOf<typeof checks>

export const invalid = (param: string, message: string): Refusal => refusal('invalid_value', message, { param })

/** The first field of a table that is not what its check wants. Null is taken as absent, as OpenAI's schema does. */
export function firstWrong(body: JsonObject, table: Readonly<Record<string, Check>>, at = ''): Refusal | undefined {
  for (const [field, check] of Object.entries(table)) {
    const value = body[field]
    if (value === undefined || value === null) continue
    const expected = check(value)
    if (expected) return invalid(at + field, `"${at}${field}" must be ${expected}`)
  }
  return undefined
}

/** What is wrong with the fields of a request in OpenAI's language. */
export function wrongField(body: JsonObject): Refusal | undefined {
  const wrong = firstWrong(body, checks)
  if (wrong) return wrong
  const include = isObject(body.stream_options) ? body.stream_options.include_usage : undefined
  if (include !== undefined && include !== null && typeof include !== 'boolean')
    return invalid('stream_options.include_usage', '"stream_options.include_usage" must be true or false')
  return undefined
}
