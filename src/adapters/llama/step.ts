/**
 * What goes into one step: every stream that decodes, one token each, then prompt tokens of the others in order of arrival,
 * up to the batch size (chunked prefill).
 *
 * Decode first, because a stream that is being read must not wait for somebody's long prompt; one prompt at a time up to
 * the budget, because sharing it would make every first token late. A step never holds more than one batch of llama.cpp,
 * so its measured time is the time of exactly that batch.
 */
import { promptLeft, type Stream } from './stream.ts'

export interface Work {
  readonly stream: Stream
  /** Prompt tokens to evaluate; 0 decodes. */
  readonly prompt: number
}

export function planStep(running: readonly Stream[], batch: number): Work[] {
  const work: Work[] = running.filter((stream) => promptLeft(stream) === 0).map((stream) => ({ stream, prompt: 0 }))
  let room = batch - work.length
  for (const stream of running) {
    const take = Math.min(promptLeft(stream), room)
    if (take === 0) continue
    work.push({ stream, prompt: take })
    room -= take
  }
  return work
}
