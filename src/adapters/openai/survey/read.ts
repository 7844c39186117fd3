import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { Heard } from './ask.ts'
import type { Saw } from './finding.ts'

export const choicesOf = (body: JsonObject): JsonObject[] =>
  Array.isArray(body.choices) ? body.choices.filter(isObject) : []

/** The text of a first answer, reasoning left out. */
export function textOf(heard: Heard): string {
  if (heard.kind === 'whole') {
    const [choice] = choicesOf(heard.body)
    const message = isObject(choice?.message) ? choice.message.content : choice?.text
    return typeof message === 'string' ? message : ''
  }
  if (heard.kind !== 'events') return ''
  return heard.chunks
    .flatMap(choicesOf)
    .filter((choice) => (choice.index ?? 0) === 0)
    .map((choice) => (isObject(choice.delta) ? choice.delta.content : choice.text))
    .filter((text) => typeof text === 'string')
    .join('')
}

/** Why the first answer ended; the last word of a stream. */
export function endOf(heard: Heard): unknown {
  const bodies = heard.kind === 'whole' ? [heard.body] : heard.kind === 'events' ? heard.chunks : []
  return bodies
    .flatMap(choicesOf)
    .map((choice) => choice.finish_reason)
    .findLast((reason) => reason !== undefined && reason !== null)
}

/** A usage, and where it stood: `usage`, or within something of the engine's own such as `x_groq.usage`. */
export interface FoundUsage {
  readonly at: string
  readonly report: JsonObject
}

/** The last usage of an answer. */
export function usageOf(heard: Heard): FoundUsage | undefined {
  const bodies = heard.kind === 'whole' ? [heard.body] : heard.kind === 'events' ? heard.chunks : []
  return bodies
    .flatMap((body) => [
      ...(isObject(body.usage) ? [{ at: 'usage', report: body.usage }] : []),
      ...Object.entries(body).flatMap(([name, inner]) =>
        isObject(inner) && isObject(inner.usage) ? [{ at: `${name}.usage`, report: inner.usage }] : [],
      ),
    ])
    .findLast(({ report }) => Object.values(report).some((value) => typeof value === 'number'))
}

/** A count within a usage by what it is called, wherever it stands. */
export function countNamed(report: JsonObject, named: RegExp, path = ''): { path: string; value: number } | undefined {
  for (const [name, value] of Object.entries(report)) {
    if (typeof value === 'number' && named.test(name)) return { path: `${path}${name}`, value }
    const inner = isObject(value) ? countNamed(value, named, `${path}${name}.`) : undefined
    if (inner) return inner
  }
  return undefined
}

/** Where the reason of an error stands in its body. */
export function errorShape(body: unknown): { readonly saw: Saw; readonly reason: string } | undefined {
  if (!isObject(body)) return undefined
  const { error, message, detail } = body
  if (isObject(error) && typeof error.message === 'string') return { saw: 'error.message', reason: error.message }
  if (typeof error === 'string') return { saw: 'error', reason: error }
  if (typeof message === 'string') return { saw: 'message', reason: message }
  if (detail !== undefined) return { saw: 'detail', reason: JSON.stringify(detail) }
  return undefined
}

/** Why it said no, shortened, for people. */
export function refusalOf(heard: Heard): string {
  if (heard.kind === 'trouble') return heard.why
  if (heard.kind !== 'refused') return ''
  const reason = errorShape(heard.body)?.reason ?? (typeof heard.body === 'string' ? heard.body : '')
  return `${heard.status}${reason ? `: ${reason.replace(/\s+/g, ' ').slice(0, 100)}` : ''}`
}
