/** What was agreed beside prices and credit: a free quota, prices by how much is used, and what a month comes to at least. */
import type { TokenClass } from '../usage.ts'

/**
 * `graduated`: each tier is for what is used within it. `volume`: the tier that a month reaches is for all of it. `commitment`: what a
 * month's charges lack of an amount is charged at its end.
 */
export const agreementKinds = ['free', 'graduated', 'volume', 'commitment'] as const
export type AgreementKind = (typeof agreementKinds)[number]
export type DiscountKind = Exclude<AgreementKind, 'commitment'>

export const agreementCounts = ['tokens', 'nano-USD'] as const
export type AgreementCounts = (typeof agreementCounts)[number]

export interface Tier {
  /** Of what the month used: from here on. */
  readonly from: bigint
  /** Taken off, in millionths of the charge. */
  readonly off: bigint
}

export const all_millionths = 1_000_000n

/** Never changed: what comes in its place is a new version, which counts from its own beginning, and so is its end. */
export interface Agreement {
  readonly version: number
  /** Null: all tenants that have no such agreement of their own. */
  readonly tenant: string | null
  readonly kind: AgreementKind
  /** Null: of every model for which nothing is agreed by its name. */
  readonly model: string | null
  /** Of a free quota in tokens; null: of every class for which nothing is agreed by its name. What came back is of no class. */
  readonly class: TokenClass | null
  /** What a month's use is counted in: tokens that were charged, or their charges less what came back. */
  readonly counts: AgreementCounts
  /** How much is free, or is owed at least; of tiers 0. */
  readonly amount: bigint
  /** From low to high; none where an amount says all. */
  readonly tiers: readonly Tier[]
  /** From this hour on nothing is agreed. */
  readonly ended: boolean
  readonly from_hour: number
  readonly declared_ms: number
  readonly note: string
}

/** Of these, versions take each other's place. */
export const placeOfAgreement = ({ kind, model, class: of }: Pick<Agreement, 'kind' | 'model' | 'class'>): string =>
  JSON.stringify([kind, model, of])

/** What is in force in an hour: of each place the tenant's own, else that of all tenants. `agreements`: its own and those. */
export function agreedIn(agreements: readonly Agreement[], hour: number): Agreement[] {
  const newest = (of: readonly Agreement[]): Map<string, Agreement> => {
    const begun = of.filter(({ from_hour }) => from_hour <= hour)
    begun.sort((a, b) => a.from_hour - b.from_hour || a.version - b.version)
    const found = new Map(begun.map((one) => [placeOfAgreement(one), one]))
    return new Map([...found].filter(([, { ended }]) => !ended))
  }
  const own = newest(agreements.filter(({ tenant }) => tenant !== null))
  return [...new Map([...newest(agreements.filter(({ tenant }) => tenant === null)), ...own]).values()]
}

export const tiersOf = ({ kind, amount, tiers }: Agreement): readonly Tier[] =>
  kind === 'free'
    ? [
        { from: 0n, off: all_millionths },
        { from: amount, off: 0n },
      ]
    : tiers

/** More are no price list that anybody reads. */
const mostTiers = 20

/**
 * The first thing that is wrong with tiers; undefined: they can be. None takes off less than the one before: so whoever uses more
 * never has less taken off in all, and what was taken off credit is never needed again.
 */
export function whyNotTiers(tiers: readonly Tier[]): string | undefined {
  if (tiers.length === 0) return 'there is no tier'
  if (tiers.length > mostTiers) return `there are more than ${mostTiers} tiers`
  for (const [at, { from, off }] of tiers.entries()) {
    const before = tiers[at - 1]
    if (from < 0n) return `tier ${at + 1} begins below nothing`
    if (off < 0n || off > all_millionths) return `tier ${at + 1} takes off less than nothing, or more than all`
    if (before && from <= before.from) return `tier ${at + 1} does not begin after the one before it`
    if (before && off < before.off) return `tier ${at + 1} takes off less than the one before it`
  }
  return undefined
}
