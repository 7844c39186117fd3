import type { AttemptId, RequestId } from '../units/ids.ts'
import { requestOf } from '../units/ids.ts'

/** What an engine's log says that bears on the books; other lines say nothing about work. */
export type WorkLine =
  | {
      readonly log: 'begin'
      readonly at_ms: number
      readonly id: string
      readonly model: string
      readonly input_uncached: number
      readonly cache_read: number
    }
  | { readonly log: 'step'; readonly at_ms: number; readonly made: readonly (readonly [string, number])[] }
  | {
      readonly log: 'end'
      readonly at_ms: number
      readonly id: string
      readonly count: { readonly input_uncached: number; readonly cache_read: number; readonly output: number }
    }
  | { readonly log: 'host' | 'close'; readonly at_ms: number }

/** What some lines say of one attempt: `output` adds to what was known, unless they are its last and `final`. */
export interface Heard {
  readonly attempt: AttemptId
  readonly request: RequestId
  model: string
  input_uncached: number
  cache_read: number
  output: number
  last_ms: number
  begun: boolean
  final: boolean
}

/** Prompt tokens evaluated and tokens sampled for an attempt in one second: its share of that second's energy. */
export interface Second {
  readonly second: number
  readonly attempt: string
  tokens: number
}

/**
 * Lines of an engine's log → work by attempt and by second.
 *
 * An attempt that ended before it began (cancelled in the queue) is there with zeros. The prompt counts in the second it
 * began: a log has no line per prompt batch, so a long prefill is dated up to its length too early.
 */
export function workOfLines(lines: Iterable<WorkLine>): { attempts: Map<string, Heard>; seconds: Map<string, Second> } {
  const attempts = new Map<string, Heard>()
  const seconds = new Map<string, Second>()
  const hear = (name: string, at_ms: number): Heard => {
    const heard = attempts.get(name) ?? unheard(name)
    attempts.set(name, heard)
    heard.last_ms = Math.max(heard.last_ms, at_ms)
    return heard
  }
  const add = (attempt: string, at_ms: number, tokens: number): void => {
    if (tokens === 0) return
    const second = Math.floor(at_ms / 1000)
    const key = `${second} ${attempt}`
    const known = seconds.get(key)
    if (known) known.tokens += tokens
    else seconds.set(key, { second, attempt, tokens })
  }
  for (const line of lines) {
    if (line.log === 'begin') {
      const { model, input_uncached, cache_read } = line
      Object.assign(hear(line.id, line.at_ms), { model, input_uncached, cache_read, begun: true })
      add(line.id, line.at_ms, input_uncached)
    }
    if (line.log === 'step')
      for (const [name, tokens] of line.made) {
        hear(name, line.at_ms).output += tokens
        add(name, line.at_ms, tokens)
      }
    if (line.log === 'end') Object.assign(hear(line.id, line.at_ms), { ...line.count, final: true })
  }
  return { attempts, seconds }
}

const unheard = (name: string): Heard => ({
  attempt: name as AttemptId,
  request: name.includes('/') ? requestOf(name as AttemptId) : (name as RequestId),
  model: '',
  input_uncached: 0,
  cache_read: 0,
  output: 0,
  last_ms: 0,
  begun: false,
  final: false,
})
