import type { Span } from './tally.ts'

/** Lengths of time that pages offer, and the slots that each is shown in: enough for a line, few enough for a moment. */
export const ranges = {
  '15m': { span: 10, slots: 90 },
  '1h': { span: 60, slots: 60 },
  '6h': { span: 60, slots: 360 },
  '24h': { span: 600, slots: 144 },
  '7d': { span: 3600, slots: 168 },
  '30d': { span: 3600, slots: 720 },
} as const satisfies Record<string, { span: Span; slots: number }>

export type Range = keyof typeof ranges

/** A stretch of time in slots of `span` seconds. */
export interface Stretch {
  readonly from_s: number
  /** Not included. */
  readonly to_s: number
  readonly span: Span
}

/** The whole slots up to now: the one under way would look like a fall. */
export function wholeSlots(range: Range, now_ms: number): Stretch {
  const { span, slots } = ranges[range]
  const to_s = Math.floor(now_ms / 1000 / span) * span
  return { from_s: to_s - slots * span, to_s, span }
}

/** The slots of a range and the one under way; and how many seconds of it are over. */
export function untilNow(range: Range, now_ms: number): Stretch & { readonly seconds: number } {
  const { from_s, to_s, span } = wholeSlots(range, now_ms)
  return { from_s: from_s + span, to_s: to_s + span, span, seconds: now_ms / 1000 - from_s - span }
}

/** What is called now: the last minute or a little less, in the shortest slots. */
export function lastMinute(now_ms: number): Stretch & { readonly seconds: number } {
  const to_s = Math.floor(now_ms / 10_000) * 10 + 10
  return { from_s: to_s - 60, to_s, span: 10, seconds: now_ms / 1000 - to_s + 60 }
}
