import { type Offer, offerName } from './offers.ts'
import { type Refusal, saidOfRefusal } from './refusal.ts'
import { shapeName } from './workload.ts'

/** Which rules decided; goes up when the same inputs may be decided otherwise. */
export const POLICY = 'place/1'

/** Where a part of a replica is put. */
export interface Location {
  readonly node: string
  readonly rack: string | null
  readonly gpus: readonly number[]
  readonly profile: string | null
  /** First memory slot of the MIG instance. */
  readonly start: number | null
}

/** One thing that was weighed: the scores of an offer. */
export interface Weighed {
  readonly shape: string
  readonly nodes: readonly string[]
  readonly tokens_s: number
  readonly rate: 'stated' | 'estimated'
  readonly usd_hour: number | null
  readonly lost_usd_hour: number
  readonly usd_million: number | null
}

/** What is decided for a replica, and why: plain data, to be stored, explained and replayed. */
export type Decision = {
  readonly replica: string
  readonly deployment: string
  readonly tenant: string
  readonly weighed: readonly Weighed[]
  readonly because: readonly string[]
} & (
  | {
      readonly verdict: 'placed'
      readonly shape: string
      readonly on: readonly Location[]
      readonly tokens_s: number
      readonly usd_million: number | null
      readonly displaced: Displaced | null
    }
  | { readonly verdict: 'refused'; readonly refusal: Refusal }
)

/** Whom a replica displaced. */
export interface Displaced {
  readonly moved: readonly Moved[]
  readonly evicted: readonly { readonly replica: string; readonly from: string; readonly usd_hour: number }[]
  readonly usd: number
}

export interface Moved {
  readonly replica: string
  readonly from: Location
  readonly to: Location
  readonly usd: number | null
  readonly seconds: number
  readonly interrupts: boolean
}

export const weighedOf = (
  { shape, rate, parts, usd_hour, lost_usd_hour, usd_million }: Offer,
  nodeOf: (at: number) => string,
): Weighed => ({
  shape: shapeName(shape),
  nodes: parts.map(({ node }) => nodeOf(node)),
  tokens_s: rate.tokens_s,
  rate: rate.from,
  usd_hour,
  lost_usd_hour,
  usd_million,
})

/** Why the first of several offers was taken. */
export function whyTaken(offers: readonly Offer[]): string[] {
  const [best, second] = offers
  if (!best) return []
  const rate = `${best.rate.tokens_s.toFixed(0)} tokens/s within the objective (${best.rate.from})`
  const cost =
    best.usd_million === null
      ? 'nobody states what its GPUs cost'
      : `$${best.usd_million.toFixed(3)} per million tokens`
  const lost =
    best.lost_usd_hour > 0.005
      ? `$${best.lost_usd_hour.toFixed(2)} an hour of GPUs become unusable to what is expected; no place loses less`
      : 'nothing that is expected loses its place'
  return [`${shapeName(best.shape)}: ${rate}, ${cost}`, lost, ...(second ? [`next best: ${offerName(second)}`] : [])]
}

export const whyRefused = (refusal: Refusal): string[] => saidOfRefusal(refusal)
