/**
 * What a model cost before it served: its training, its evaluation, the work on its data. It is borne by what the model serves
 * afterwards, in time or in tokens, until it is borne whole:
 *
 *     by time:   borne = C × hours since then ÷ (months × 730), C at most
 *     by tokens: borne = C × tokens served since then ÷ tokens expected, C at most
 *
 * (Straight-line and units-of-production amortisation, as accountants have them: IAS 38.98.) An hour bears the difference of two
 * such sums, so that nothing is lost to rounding.
 */
import type { Account } from './account.ts'
import { accounts } from './account.ts'
import type { CostDeclaration, CostTerms, MakingKind } from './cost.ts'
import { inForce, makingKinds } from './cost.ts'
import { hour_ms, hourOf } from './cost-hour.ts'
import type { CostPart } from './cost-part.ts'
import { partsOf } from './post.ts'
import type { CloseRow } from './row.ts'
import { parted } from './tally.ts'
import { tokenClasses } from './usage.ts'

export type JobTerms = Extract<CostTerms, { per: 'job' }>

/** One job as it was declared, and the hours in which it is in force: [from, to). */
export interface Job {
  readonly kind: MakingKind
  readonly name: string
  readonly version: number
  readonly terms: JobTerms
  readonly from: number
  readonly to: number
}

const isMaking = (kind: string): kind is MakingKind => (makingKinds as readonly string[]).includes(kind)

/** A later declaration of the same job ends the one before; what of that was not borne, it says anew. */
export function jobsOf(declared: readonly CostDeclaration[]): Job[] {
  return declared.flatMap((one): Job[] => {
    const { kind, name, version, terms } = one
    if (!isMaking(kind) || terms.per !== 'job') return []
    const from = hourOf(one.from_ms)
    const later = declared
      .filter((other) => other.kind === kind && other.name === name && other !== one)
      .map(({ from_ms }) => hourOf(from_ms))
      .filter((hour) => inForce(declared, kind, name, hour * hour_ms + hour_ms - 1) !== one && hour >= from)
    const to = Math.min(Number.MAX_SAFE_INTEGER, ...later)
    return to > from ? [{ kind, name, version, terms, from, to }] : []
  })
}

export const modelOf = (name: string): string => parted(name)[0] ?? ''

/** Where its cost comes from, and where it goes. */
export function accountsOfJob({ kind, name }: Pick<Job, 'kind' | 'name'>): { source: Account; to: Account } {
  const [model = '', job = ''] = parted(name)
  return { source: accounts.job(kind, model, job), to: accounts.makingCost(model, kind) }
}

const month_h = 730n

/** Nano-dollars after so many whole hours and tokens. */
export function borneAfter({ amount, months, tokens }: JobTerms, hours: number, served: bigint): bigint {
  const [done, of] = tokens === null ? [BigInt(hours), BigInt(months ?? 1) * month_h] : [served, BigInt(tokens)]
  return done >= of ? amount : (amount * done) / of
}

/** What it drew, for as much of it as is borne; mJ. */
export const energyBorne = ({ amount, energy_mj }: JobTerms, borne: bigint): bigint =>
  amount === 0n ? 0n : (energy_mj * borne) / amount

/** Millijoules by kind of work, for the parts of a time. */
export function makingEnergy(parts: readonly CostPart[], jobs: readonly Job[]): Map<MakingKind, bigint> {
  const found = new Map<MakingKind, bigint>()
  for (const job of jobs) {
    const { source } = accountsOfJob(job)
    const borne = parts.reduce(
      (sum, part) => (part.source === source && part.hour >= job.from && part.hour < job.to ? sum + part.amount : sum),
      0n,
    )
    const energy = energyBorne(job.terms, borne)
    if (energy > 0n) found.set(job.kind, (found.get(job.kind) ?? 0n) + energy)
  }
  return found
}

/** Tokens of all classes that were served of each model by requests that ended in an hour: what was for nothing is not among them. */
export function servedByModel(rows: Iterable<CloseRow>, hour: number): Map<string, bigint> {
  const served = new Map<string, bigint>()
  for (const row of rows) {
    if (hourOf(row.closed_ms) !== hour) continue
    const last = row.attempts.length - 1
    const sum = row.attempts
      .flatMap((attempt, at) => partsOf(row, attempt, at === last))
      .filter(({ cause }) => cause === undefined)
      .reduce((total, { usage }) => total + tokenClasses.reduce((each, of) => each + (usage[of]?.tokens ?? 0), 0), 0)
    if (sum > 0) served.set(row.model, (served.get(row.model) ?? 0n) + BigInt(sum))
  }
  return served
}
