import type { Sequence } from './sequence.ts'
import type { Heard } from './step.ts'

/**
 * More steps in which a decoding sequence merely gets one more token, while `under` are under way: until its limit shows
 * (its last token is under way and it is left out), its stop token comes, somebody listens, or the model's length is full.
 */
export function goesOn(sequence: Sequence, under: number, maxModelTokens: number): number {
  const { out, most, length, hearAt, computed } = sequence
  const toLimit = length < most ? length - out - 1 : most - out - under
  const toEar = hearAt > out ? hearAt - out - 1 : Number.POSITIVE_INFINITY
  return Math.min(toLimit, toEar, maxModelTokens - 1 - computed)
}

/** Tokens that were made since it was last told. */
export function tell(sequence: Sequence, heard: Heard): void {
  const tokens = sequence.out - sequence.told
  if (tokens === 0) return
  sequence.told = sequence.out
  if (sequence.out >= sequence.hearAt) sequence.hearAt = Number.POSITIVE_INFINITY
  heard.made(sequence, tokens)
}
