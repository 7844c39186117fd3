/**
 * What an engine that does not report its steps must have done, rebuilt from how its answers came (grade *window*).
 *
 * A prompt is spread evenly over the time until its first token, the other tokens evenly from there to the last. Who was in the
 * batch at a moment is who was between the two; how many steps passed is what the fastest stream got tokens, one a step.
 */
import type { StepWork } from '../plant/energy/step-energy.ts'
import type { AttemptId, ReplicaId } from '../units/ids.ts'
import { attemptId } from '../units/ids.ts'
import type { CloseRow } from './row.ts'
import { inputTokens, outputTokens, totalTokens } from './usage.ts'

/** One attempt as the gateway saw it. All tokens as the engine or our own count says, in the end. */
export interface Timeline {
  readonly attempt: AttemptId
  /** When it was sent to the engine. */
  readonly begun_ms: number
  /** When the first token came; null: none did. */
  readonly first_ms: number | null
  /** When the last token came, or when it was given up. */
  readonly last_ms: number
  readonly input_uncached: number
  readonly cache_read: number
  readonly output: number
}

/** An attempt's work in one second, as rebuilt. */
export interface WindowSecond {
  readonly second: number
  readonly attempt: AttemptId
  readonly work: StepWork
}

/**
 * Attempts of one engine → their work by second, in the seconds of a range. Over all seconds the sum of an attempt is exact in
 * every token.
 */
export function windowSeconds(
  timelines: readonly Timeline[],
  batch = usualBatch,
  range: { readonly from: number; readonly until: number } = { from: 0, until: Number.POSITIVE_INFINITY },
): WindowSecond[] {
  const shares = stepShares(timelines, batch)
  return timelines.flatMap((one) => {
    const last = Math.floor(endOf(one) / 1000)
    const seconds: WindowSecond[] = []
    const first = Math.max(range.from, Math.floor(one.begun_ms / 1000))
    for (let second = first; second <= last && second < range.until; second++) {
      const until_ms = second === last ? Number.POSITIVE_INFINITY : (second + 1) * 1000
      const work = workBetween(doneBy(one, second * 1000), doneBy(one, until_ms), one)
      const step_e9 = Math.round(1e9 * (shares.get(key(second, one)) ?? 0))
      if (step_e9 > 0 || work.prefill > 0 || work.decode > 0)
        seconds.push({ second, attempt: one.attempt, work: { ...work, step_e9 } })
    }
    return seconds
  })
}

/** Prompt tokens that engines evaluate in one step at most, where it is not known: vLLM's and llama.cpp's usual budget. */
const usualBatch = 2048

const key = (second: number, { attempt }: Timeline): string => `${second} ${attempt}`
const endOf = (one: Timeline): number => Math.max(one.last_ms, promptEnd(one))

/**
 * When the prompt was done, a moment after it was sent at least, so that every attempt is in some batch. An answer that came in
 * one piece does not show it: there the prompt is given the time of one token.
 */
function promptEnd({ begun_ms, first_ms, last_ms, output }: Timeline): number {
  const whole = output > 1 && (first_ms === null || first_ms >= last_ms)
  return Math.max(begun_ms + 1, whole ? begun_ms + (last_ms - begun_ms) / (output + 1) : (first_ms ?? last_ms))
}

interface Done {
  readonly prefill: number
  readonly decode: number
}

/** Whole tokens done before a moment. */
function doneBy(one: Timeline, at_ms: number): Done {
  const [first, end] = [promptEnd(one), endOf(one)]
  if (at_ms >= end) return { prefill: one.input_uncached, decode: one.output }
  if (at_ms <= one.begun_ms) return { prefill: 0, decode: 0 }
  if (at_ms <= first)
    return { prefill: Math.floor((one.input_uncached * (at_ms - one.begun_ms)) / (first - one.begun_ms)), decode: 0 }
  const rest = Math.max(0, one.output - 1)
  const decode = Math.min(one.output, 1 + Math.floor((rest * (at_ms - first)) / (end - first)))
  return { prefill: one.input_uncached, decode }
}

/** Whole tokens of an attempt between two moments: sums over a time do not depend on how it is cut. */
export function tokensBetween(one: Timeline, from_ms: number, to_ms: number): Done {
  const [from, to] = [doneBy(one, from_ms), doneBy(one, to_ms)]
  return { prefill: to.prefill - from.prefill, decode: to.decode - from.decode }
}

function workBetween(from: Done, to: Done, { cache_read, input_uncached }: Timeline): Omit<StepWork, 'step_e9'> {
  const looked = (p: number): number => p * cache_read + (p * (p + 1)) / 2
  // The n-th token reads the prompt and the n − 2 before the one it follows; the first comes with the prompt.
  const read = (n: number): number => (n < 2 ? 0 : (n - 1) * (cache_read + input_uncached) + ((n - 1) * (n - 2)) / 2)
  return {
    prefill: to.prefill - from.prefill,
    prefill_context: looked(to.prefill) - looked(from.prefill),
    decode: to.decode - from.decode,
    kv_read: read(to.decode) - read(from.decode),
  }
}

/** Shares of steps by second and attempt: between two changes of the batch, its steps over its streams. */
function stepShares(timelines: readonly Timeline[], batch: number): Map<string, number> {
  const shares = new Map<string, number>()
  const coming = [...timelines].sort((a, b) => a.begun_ms - b.begun_ms)
  let active: Timeline[] = []
  let next = 0
  let at_ms = coming[0]?.begun_ms ?? 0
  while (next < coming.length || active.length > 0) {
    if (active.length === 0) at_ms = Math.max(at_ms, coming[next]?.begun_ms ?? at_ms)
    for (let one = coming[next]; one && one.begun_ms <= at_ms; one = coming[++next]) active.push(one)
    const until_ms = Math.min(
      (Math.floor(at_ms / 1000) + 1) * 1000,
      coming[next]?.begun_ms ?? Number.POSITIVE_INFINITY,
      ...active.flatMap((one) => [promptEnd(one), endOf(one)].filter((change) => change > at_ms)),
    )
    const share = stepsBetween(active, at_ms, until_ms, batch) / active.length
    for (const one of active) {
      const name = key(Math.floor(at_ms / 1000), one)
      shares.set(name, (shares.get(name) ?? 0) + share)
    }
    at_ms = until_ms
    active = active.filter((one) => endOf(one) > at_ms)
  }
  return shares
}

/** Steps in a time without changes: what the fastest stream needed, or what the prompts filled; a prompt is one at least. */
function stepsBetween(active: readonly Timeline[], from_ms: number, to_ms: number, batch: number): number {
  let [fastest, prompts, filled] = [0, 0, 0]
  for (const one of active) {
    const first = promptEnd(one)
    if (from_ms < first) {
      const part = (to_ms - from_ms) / (first - one.begun_ms)
      prompts = Math.max(prompts, part)
      filled += (part * one.input_uncached) / batch
    } else fastest = Math.max(fastest, (Math.max(0, one.output - 1) * (to_ms - from_ms)) / (endOf(one) - first))
  }
  return Math.max(fastest, prompts, filled)
}

/**
 * The attempts of a settled request on an engine. Only the last one's first token has its time in the row: those that were
 * retried came before it, and share the time until then in equal parts. What has no token was refused, and in no batch.
 */
export function timelinesOf(row: CloseRow, replica: ReplicaId): Timeline[] {
  const first_ms = row.stream && row.ttft_ms !== null ? row.at_ms - row.queued_ms + row.ttft_ms : null
  const end_ms = Math.max(row.closed_ms, row.at_ms)
  const each_ms = ((first_ms ?? end_ms) - row.at_ms) / row.attempts.length
  return row.attempts.flatMap((attempt, at): Timeline[] => {
    if (attempt.replica !== replica || totalTokens(attempt.usage) === 0) return []
    const { usage } = attempt
    const begun_ms = row.at_ms + Math.max(0, at * each_ms)
    const isLast = at === row.attempts.length - 1
    return [
      {
        attempt: attemptId(row.id, attempt.number),
        begun_ms,
        first_ms: isLast ? first_ms : null,
        last_ms: isLast ? end_ms : begun_ms + Math.max(0, each_ms),
        input_uncached: inputTokens(usage) - (usage.cache_read?.tokens ?? 0),
        cache_read: usage.cache_read?.tokens ?? 0,
        output: outputTokens(usage),
      },
    ]
  })
}

/**
 * KV cache that an attempt held while it was under way, tokens × milliseconds: growing from what was cached to the prompt, then by its
 * answer.
 *
 *     (cached + prompt) ÷ 2 × time to the first token + (prompt + answer ÷ 2) × time from there
 *
 * What an engine keeps for others afterwards is not in it; what it had not begun is.
 */
export function heldTokenMs(one: Timeline): number {
  const { begun_ms, cache_read, input_uncached, output } = one
  const [first, end, prompt] = [promptEnd(one), endOf(one), cache_read + input_uncached]
  return Math.round(((cache_read + prompt) / 2) * (first - begun_ms) + (prompt + output / 2) * (end - first))
}
