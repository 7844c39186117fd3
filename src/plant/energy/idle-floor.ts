import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'

/** An hour of minutes, a minute of seconds: after so many intervals at rest most of an older, lower floor is forgotten. */
const remembered = 60

/**
 * What a chip draws with its model loaded and no work, learned from the mean power of each interval in which nobody worked:
 * a lower one is the floor at once, and above it the floor rises slowly, since a floor of long ago (no model in memory,
 * another clock) is no floor any more. `before`: undefined until there was such an interval.
 */
export const floorAfter = (before: Watts | undefined, mean: Watts): Watts =>
  before === undefined || mean < before ? mean : watts(before + (mean - before) / remembered)
