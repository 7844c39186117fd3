import type { SloClass } from '../../books/slo-class.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'

/** What a class is promised, as far as queues go. */
export interface SloTerms {
  /** Request to first token: who is nearest to it goes first within a tenant. */
  readonly ttft: Seconds
  /** The longest in a queue; who cannot make it is refused at once. */
  readonly patience: Seconds
  /** Share of the places that become free while others wait too. None is zero: nobody starves. */
  readonly weight: number
}

/**
 * A person leaves after some seconds, a program after half a minute; a batch waits as long as the request may take at all.
 * 8 : 4 : 1 keeps a class that is flooded from taking more than it should, and lets batches trickle through a full house.
 */
export const sloTerms: Readonly<Record<SloClass, SloTerms>> = {
  interactive: { ttft: seconds(2), patience: seconds(10), weight: 8 },
  standard: { ttft: seconds(10), patience: seconds(30), weight: 4 },
  batch: { ttft: seconds(300), patience: seconds(600), weight: 1 },
}

/** OpenAI's `service_tier` as a class; undefined: as the key says. */
export function sloOfTier(tier: unknown): SloClass | undefined {
  if (tier === 'priority') return 'interactive'
  if (tier === 'default') return 'standard'
  return tier === 'flex' ? 'batch' : undefined
}
