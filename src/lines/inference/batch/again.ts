import type { Seconds } from '../../../units/quantity.ts'
import { seconds } from '../../../units/quantity.ts'
import type { ErrorCode, Refusal } from '../errors.ts'
import { errorCatalogue } from '../errors.ts'

/** Something broke over this very line: it gets a few tries, since it may be the line that breaks it. */
const suspect: ReadonlySet<ErrorCode> = new Set([
  'engine_failed',
  'engine_bad_reply',
  'stream_truncated',
  'timeout',
  'internal_error',
])
const mostTries = 5
const [firstPause, longestPause] = [0.5, 30]

/**
 * When a line of a batch that was refused is tried again; undefined: never, the refusal is its answer. What is only busy, or
 * used up for now, is waited for until the batch expires: that is what a batch is for. `alone`: nobody grants leases just now, so
 * that a budget that looks used up may not be.
 */
export function againAfter({ code, retry_after_ms }: Refusal, tries: number, alone = false): Seconds | undefined {
  const renews = code === 'budget_exhausted' && (retry_after_ms !== undefined || alone)
  if (!errorCatalogue[code].retry && !renews) return undefined
  if (suspect.has(code) && tries >= mostTries) return undefined
  const pause = Math.max((retry_after_ms ?? 0) / 1000, firstPause * 2 ** Math.min(tries - 1, 10))
  return seconds(Math.min(longestPause, pause)) // looked at anew now and then: a budget may be raised
}
