/** Curate: raw labelled messages become three disjoint, repeatable parts. */
import type { Dataset, Labelled } from './dataset.ts'

/** Digest of a text as lower-case hex. The caller brings it: SHA-256 lives in the runtime, not here. */
export type Digest = (text: string) => string

/** First digest byte below this is test: 38 / 256 = 14.8 %. */
const TEST_BELOW = 38
/** From there to here is calibration: 16 / 256 = 6.3 %, about fifty messages for each step of confidence. */
const CALIBRATE_BELOW = 54

/**
 * What two messages share when they say the same: their set of words, without case, punctuation, order or repeats.
 * Hashing this and not the text keeps "Where is my card?" and "where is my card" on one side of the split.
 */
export function fingerprint(text: string): string {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  return [...new Set(words)].sort().join(' ')
}

/** Drops repeats, then splits by digest: the part a message falls into depends on nothing but the message. */
export function curate(rows: readonly Labelled[], digest: Digest): Dataset {
  const seen = new Set<string>()
  const parts = { train: [] as Labelled[], calibrate: [] as Labelled[], test: [] as Labelled[] }
  for (const row of rows) {
    const print = fingerprint(row.text)
    if (seen.has(print)) continue
    seen.add(print)
    const byte = Number.parseInt(digest(print).slice(0, 2), 16)
    parts[byte < TEST_BELOW ? 'test' : byte < CALIBRATE_BELOW ? 'calibrate' : 'train'].push(row)
  }
  return { ...parts, dropped: rows.length - seen.size }
}
