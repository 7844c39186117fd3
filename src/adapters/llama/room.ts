/** Who must go, so that a model may come into memory: the decision alone, without its doing. */

export interface Resident {
  readonly name: string
  /** Estimated from the file before it was loaded. */
  readonly bytes: number
  /** It has streams, running or waiting. */
  readonly busy: boolean
  /** It takes no more, and goes when its streams have ended. */
  readonly leaving: boolean
  /** When it was last asked, and since when it is here; ms on one clock. */
  readonly used: number
  readonly since: number
}

export type Verdict =
  | { readonly verdict: 'fits' }
  | { readonly verdict: 'leave'; readonly name: string }
  /** Nobody may go yet: look again when somebody has gone, or after this. */
  | { readonly verdict: 'wait'; readonly ms: number }

/** Looking again costs nothing, and a model that has become idle meanwhile is a better choice than a busy one. */
const LOOK_AGAIN = 1000

/**
 * The least recently used goes first, and one without streams before one that has some: that one finishes them, and takes no
 * more. Nobody goes before he was here for `leastStay`, or two models that are both wanted would push each other out
 * before either answered anything.
 */
export function makeRoom(
  residents: readonly Resident[],
  need: number,
  budget: number,
  now: number,
  leastStay: number,
): Verdict {
  const bytes = (of: readonly Resident[]): number => of.reduce((sum, one) => sum + one.bytes, 0)
  if (bytes(residents) + need <= budget) return { verdict: 'fits' }
  const staying = residents.filter((one) => !one.leaving)
  if (bytes(staying) + need <= budget) return { verdict: 'wait', ms: LOOK_AGAIN }
  const stayed = staying.filter((one) => now - one.since >= leastStay)
  const [first] = stayed.sort((a, b) => Number(a.busy) - Number(b.busy) || a.used - b.used)
  if (first) return { verdict: 'leave', name: first.name }
  const soonest = Math.min(...staying.map((one) => one.since + leastStay - now))
  return { verdict: 'wait', ms: Math.min(LOOK_AGAIN, Math.max(1, soonest)) }
}
