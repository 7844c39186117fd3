import type { Grade } from '../plant/energy/meter.ts'
import { mainSite } from '../plant/infrastructure/site.ts'
import type { NanoDollars } from '../units/amount.ts'
import { formatDecimal, formatDollars } from '../units/amount.ts'
import { residualFactor } from './fit.ts'
import { costOf, hitCharges, partsOf, refundOf } from './post.ts'
import type { PriceVersion } from './price.ts'
import { freePrices, rate } from './price.ts'
import type { Attempt, CloseRow, OpenRow } from './row.ts'
import { siteOf } from './row.ts'
import type { TokenClass, Usage } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** A request's share of one meter interval. */
export interface EnergyShare {
  readonly meter: string
  readonly sequence: number
  readonly from_ms: number
  readonly to_ms: number
  readonly grade: Grade
  readonly energy_mj: bigint
  /** What the interval drew above its idle floor: the whole that this is a part of. */
  readonly active_mj: bigint
  readonly posted_ms: number | null
  /** The fit that it was divided by; null: by tokens. */
  readonly fit: number | null
  /** What the model said of the whole, before it was scaled to the meter. */
  readonly modelled_mj: bigint | null
  /** `level`: of what a meter above those of its engine shows beyond them, by a declared rule. */
  readonly attribution: 'step' | 'window' | 'level'
  /** Its board is in MIG slices, and is shared by them first. */
  readonly sliced?: boolean
}

/** All that is known of a request's energy. `final`: no interval that it worked in is still open. */
export interface RequestEnergy {
  readonly shares: readonly EnergyShare[]
  readonly final: boolean
  /** Some meter of ours sees its work; else the energy of a hosted engine is unknown. */
  readonly known: boolean
}

/** The weakest grade of its parts; `unknown` where no meter of ours saw the work. */
export const gradeOf = ({ shares, known }: RequestEnergy): Grade | 'unknown' => {
  if (!known || shares.length === 0) return 'unknown'
  for (const grade of ['simulated', 'estimated'] as const)
    if (shares.some((share) => share.grade === grade)) return grade
  return 'measured'
}

/**
 * How the division was made, best first: *step*, the engine reported its batches; *window*, they were rebuilt from how its
 * answers came; *list*, it is hosted and nothing measures it: there are no joules unless somebody declares them.
 */
export type AttributionGrade = 'step' | 'window' | 'list'

const ways = {
  step: "the engine's steps",
  window: 'its batches, rebuilt from how answers came',
  list: 'the engine is hosted: money by its price, joules unknown',
} as const

/** Grade of a request's energy, how it was made, by which fits, and how far the model was from the meter in its intervals. */
export function attributionOf({ shares: all, known }: RequestEnergy) {
  const shares = all.filter(({ attribution }) => attribution !== 'level')
  const rebuilt = shares.some(({ attribution }) => attribution === 'window')
  const grade: AttributionGrade = !known ? 'list' : rebuilt ? 'window' : 'step'
  const fits = [...new Set(shares.flatMap(({ fit }) => fit ?? []))].sort((a, b) => a - b)
  const modelled = shares.filter(({ modelled_mj }) => modelled_mj !== null)
  return {
    grade,
    how: `${known && shares.length > 0 ? `${ways[grade]}, ${howDivided(shares, modelled.length)}` : ways[grade]}${all.length > shares.length ? beyond : ''}`,
    fits,
    residual_factor: factorOf(modelled),
  }
}

const beyond = '; and what the meters above show beyond them, by a declared rule'

function howDivided(shares: readonly EnergyShare[], modelled: number): string {
  const shapley = 'each step shared as F/|S| + v (Shapley), scaled to the meter'
  const slices = shares.some(({ sliced }) => sliced) ? 'the board shared by slices (time busy × SMs), ' : ''
  const tokens = 'shared by tokens, scaled to the meter: what a step of this model costs is not learned yet'
  if (modelled === 0) return slices + tokens
  return slices + (modelled === shares.length ? shapley : `${shapley}; at first by tokens`)
}

const factorOf = (shares: readonly Pick<EnergyShare, 'active_mj' | 'modelled_mj'>[]): number | null =>
  residualFactor(
    shares.reduce((sum, { active_mj }) => sum + Number(active_mj), 0),
    shares.reduce((sum, { modelled_mj }) => sum + Number(modelled_mj), 0),
  )

/** The energy as text, in millijoules; null where it is not known, which is another thing than zero. */
export const energyText = (energy: RequestEnergy): string | null =>
  energy.known ? energy.shares.reduce((sum, share) => sum + share.energy_mj, 0n).toString() : null

const answeredFromCache = {
  grade: 'step',
  how: 'answered from the cache: no engine worked',
  fits: [],
  residual_factor: null,
} as const

/** The receipt of a settled request: what it used, who says so, what it cost and drew, and whether that may still change. */
export function receiptOf(row: CloseRow, price: PriceVersion | undefined, energy: RequestEnergy) {
  const { kind: _, attempts, key, cached, ...rest } = row
  return {
    state: 'settled' as const,
    ...rest,
    key,
    /** Where it was answered; null: no engine was asked. */
    site: siteOf(row) ?? null,
    price: price ? priceText(price) : null,
    /** Answered by another request's answer: at a part of what its tokens would cost, or free. */
    cached: cached ? cachedText(row, cached, price) : null,
    attempts: attempts.map((attempt) => attemptText(row, attempt, price)),
    refund_usd: formatDollars(refundOf(row, price)),
    cost_usd: formatDollars(costOf(row, price)),
    energy: {
      energy_mj: energyText(energy),
      grade: gradeOf(energy),
      attribution: cached ? answeredFromCache : attributionOf(energy),
      final: energy.final,
      final_at_ms: energy.final ? lastPosted(energy) : null,
      intervals: energy.shares.map(shareText),
    },
  }
}

export type Receipt = ReturnType<typeof receiptOf> | ReturnType<typeof openReceipt>

/** Of a request that is not settled there is only what was asked. */
export function openReceipt(row: OpenRow) {
  const { kind: _, ...rest } = row
  return { state: 'open' as const, ...rest }
}

const shareText = ({ energy_mj, active_mj, modelled_mj, ...share }: EnergyShare) => ({
  ...share,
  energy_mj: energy_mj.toString(),
  active_mj: active_mj.toString(),
  modelled_mj: modelled_mj?.toString() ?? null,
  residual_factor: factorOf([{ active_mj, modelled_mj }]),
})

const lastPosted = ({ shares }: RequestEnergy): number | null =>
  shares.reduce<number | null>((last, { posted_ms }) => Math.max(last ?? 0, posted_ms ?? 0), null)

const priceText = (price: PriceVersion) => ({
  version: price.version,
  slo: price.slo ?? null,
  /** Null: of every site that has none of its own. */
  site: price.site ?? null,
  refund: price.refund ?? null,
  hit_percent: price.hit_percent ?? 0,
  effective_from_ms: price.effective_from_ms,
  usd_per_million: Object.fromEntries(tokenClasses.map((of) => [of, formatDecimal(price.perMillion[of], 9)])),
})

function cachedText(row: CloseRow, cached: NonNullable<CloseRow['cached']>, price: PriceVersion | undefined) {
  const charges = hitCharges(row, price)
  return {
    ...cached,
    price: charges.size > 0 ? `${price?.hit_percent} % of its tokens’ price` : 'free',
    charges_usd: chargesText(charges),
  }
}

const chargesText = (charges: Iterable<readonly [TokenClass, NanoDollars]>): { [Class in TokenClass]?: string } =>
  Object.fromEntries([...charges].map(([of, amount]) => [of, formatDollars(amount)]))

function attemptText(row: CloseRow, attempt: Attempt, price: PriceVersion | undefined) {
  const parts = partsOf(row, attempt, attempt === row.attempts.at(-1))
  const billed = parts.find(({ cause }) => !cause)
  const charges = billed ? [...rate(billed.usage, price?.perMillion ?? freePrices)] : []
  return {
    number: attempt.number,
    replica: attempt.replica,
    site: attempt.site ?? mainSite,
    usage: attempt.usage as Usage,
    unbilled: attempt.unbilled ?? null,
    hedge: attempt.hedge ?? null,
    choice: attempt.choice ?? null,
    waste: parts.find(({ cause }) => cause)?.cause ?? null,
    charges_usd: chargesText(charges),
  }
}
