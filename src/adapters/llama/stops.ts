/**
 * Stop strings over token borders, as a pure function: what may be shown, what must be held because it may yet become a
 * stop string, and whether one came.
 *
 * The stop string that is complete first wins, the longest of those that end there: so the answer does not depend on how
 * the text was cut into tokens.
 */

export interface Stopped {
  /** Text that is certainly not part of a stop string. */
  readonly show: string
  /** Text that may be the beginning of one. Empty after a hit. */
  readonly held: string
  /** The stop string that came. */
  readonly hit: string | undefined
}

export function passStops(held: string, piece: string, stops: readonly string[]): Stopped {
  const text = held + piece
  const first = earliest(text, stops)
  if (first) return { show: text.slice(0, first.begin), held: '', hit: text.slice(first.begin, first.end) }

  const keep = longestBeginning(text, stops)
  return { show: text.slice(0, text.length - keep), held: text.slice(text.length - keep), hit: undefined }
}

/** Where the stop string stands that is complete first. */
function earliest(text: string, stops: readonly string[]): { begin: number; end: number } | undefined {
  let begin = -1
  let end = Number.POSITIVE_INFINITY
  for (const stop of stops) {
    const at = text.indexOf(stop)
    if (at === -1) continue
    const stopEnd = at + stop.length
    if (stopEnd < end || (stopEnd === end && at < begin)) [begin, end] = [at, stopEnd]
  }
  return begin === -1 ? undefined : { begin, end }
}

/** Length of the longest end of `text` that is the beginning of a stop string. */
function longestBeginning(text: string, stops: readonly string[]): number {
  let longest = 0
  for (const stop of stops)
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--)
      if (text.endsWith(stop.slice(0, length))) {
        longest = length
        break
      }
  return longest
}
