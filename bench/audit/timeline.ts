import type { RequestRecord } from './records.ts'

/** One attempt as its row tells it: when it was sent, had its prompt done, and ended. */
export interface Attempted {
  readonly number: number
  readonly begun_ms: number
  readonly prompt_ms: number
  readonly end_ms: number
  /** Tokens of the prompt that were not cached. */
  readonly prompt: number
  readonly cached: number
  readonly output: number
}

/**
 * Attempts of a request on an engine that keeps no log for us. Only the last one's first token is timed; those before it share the time until
 * then. A whole answer shows no first token: its prompt is given the time of one token.
 */
export function attempted(row: RequestRecord, replica: string): Attempted[] {
  const { attempts, at_ms = 0, closed_ms = 0, queued_ms = 0, stream, ttft_ms } = row
  const first_ms = stream && typeof ttft_ms === 'number' ? at_ms - queued_ms + ttft_ms : undefined
  const over_ms = Math.max(closed_ms, at_ms)
  const each_ms = ((first_ms ?? over_ms) - at_ms) / attempts.length
  return attempts.flatMap(({ number, replica: on, usage }, at): Attempted[] => {
    const count = (...of: (keyof typeof usage)[]): number => of.reduce((sum, one) => sum + (usage[one]?.tokens ?? 0), 0)
    const [prompt, cached] = [count('input_uncached', 'cache_write'), count('cache_read')]
    const output = count('output_visible', 'reasoning')
    if (on !== replica || prompt + cached + output === 0) return []
    const begun_ms = at_ms + Math.max(0, at * each_ms)
    const last = at === attempts.length - 1
    const last_ms = last ? over_ms : begun_ms + Math.max(0, each_ms)
    const told_ms = last ? first_ms : undefined
    const whole = output > 1 && (told_ms === undefined || told_ms >= last_ms)
    const prompt_ms = Math.max(
      begun_ms + 1,
      whole ? begun_ms + (last_ms - begun_ms) / (output + 1) : (told_ms ?? last_ms),
    )
    return [{ number, begun_ms, prompt_ms, end_ms: Math.max(last_ms, prompt_ms), prompt, cached, output }]
  })
}

/** Seconds [from, until) in which it worked: an answer of one token is over with its prompt. */
export function* secondsOf({ begun_ms, prompt_ms, end_ms, output }: Attempted, from: number, until: number) {
  const over = Math.ceil((output > 1 ? end_ms : prompt_ms) / 1000)
  for (let second = Math.max(from, Math.floor(begun_ms / 1000)); second < Math.min(over, until); second++) yield second
}

/** Whole tokens done before a moment. */
export function doneBy(one: Attempted, at_ms: number): { prompt: number; output: number } {
  const { begun_ms, prompt_ms, end_ms, prompt, output } = one
  if (at_ms >= end_ms) return { prompt, output }
  if (at_ms <= begun_ms) return { prompt: 0, output: 0 }
  if (at_ms <= prompt_ms)
    return { prompt: Math.floor((prompt * (at_ms - begun_ms)) / (prompt_ms - begun_ms)), output: 0 }
  const more = Math.floor((Math.max(0, output - 1) * (at_ms - prompt_ms)) / (end_ms - prompt_ms))
  return { prompt, output: Math.min(output, 1 + more) }
}

/** Tokens in the cache × milliseconds: it grows to the prompt, then by the answer. */
export function heldTokenMs({ begun_ms, prompt_ms, end_ms, prompt, cached, output }: Attempted): bigint {
  const whole = cached + prompt
  return BigInt(
    Math.round(((cached + whole) / 2) * (prompt_ms - begun_ms) + (whole + output / 2) * (end_ms - prompt_ms)),
  )
}
