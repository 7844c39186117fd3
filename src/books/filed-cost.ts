/**
 * Costs as a file states them: what is to hold from now on. What differs from it is a new declaration, what the file does not name any
 * more ends, and what holds already stays as it is; hours that are past keep what they cost.
 */
import { type CostDeclaration, type CostTerms, inForce, makingKinds, seriesKinds } from './cost.ts'
import { hour_ms, hourOf } from './cost-hour.ts'
import { billingMonth } from './demand.ts'

export type Said = Pick<CostDeclaration, 'kind' | 'name' | 'terms' | 'note'>
export type Declared = Omit<CostDeclaration, 'version' | 'declared_ms'>
export type Named = Pick<CostDeclaration, 'kind' | 'name'>

/** `filed`: those that the file named when it was read last. */
export function fileCosts(
  declared: readonly CostDeclaration[],
  filed: readonly Named[],
  said: readonly Said[],
  now_ms: number,
): { readonly declare: readonly Declared[]; readonly end: readonly Declared[] } {
  const gone = filed.filter((one) => !said.some((other) => isSameCost(one, other)))
  return {
    declare: said.flatMap((one) => toHold(declared, one, now_ms)),
    end: gone.flatMap((one) => toEnd(declared, one, now_ms)),
  }
}

export const isSameCost = (a: Named, b: Named): boolean => a.kind === b.kind && a.name === b.name

/** From now on, and at every later moment for which somebody said something else. */
function toHold(declared: readonly CostDeclaration[], said: Said, now_ms: number): Declared[] {
  const its = declared.filter((one) => isSameCost(one, said))
  const from_ms = beginOf(said, isHeld(inForce(its, said.kind, said.name, now_ms)), now_ms)
  const later = its.flatMap((one) => (one.from_ms > from_ms ? one.from_ms : []))
  return [...new Set([from_ms, ...later])].flatMap((at_ms) => {
    const is = inForce(its, said.kind, said.name, at_ms)
    return is && is.note === said.note && isEqual(is.terms, said.terms) ? [] : { ...said, from_ms: at_ms }
  })
}

function toEnd(declared: readonly CostDeclaration[], { kind, name }: Named, now_ms: number): Declared[] {
  const last = inForce(declared, kind, name, Number.MAX_SAFE_INTEGER)
  return last && isHeld(last) ? toHold(declared, { kind, name, terms: endOf(last.terms), note: ended }, now_ms) : []
}

const ended = 'no longer in the file'

const isHeld = (one: CostDeclaration | undefined): boolean =>
  one !== undefined && one.terms.per !== 'end' && !('amount' in one.terms && one.terms.amount === 0n)

const endOf = (terms: CostTerms): CostTerms =>
  terms.per === 'hour' || terms.per === 'kW' ? { ...terms, amount: 0n as typeof terms.amount } : { per: 'end' }

/**
 * Never in an hour that may be posted: energy and jobs from the hour under way, and a peak, which is a month's, from the next month once
 * there is one; else from the month under way.
 */
function beginOf({ kind, terms }: Said, isKnown: boolean, now_ms: number): number {
  if (terms.per === 'kW') {
    const { from, to } = billingMonth(now_ms, terms.offset_min)
    return (isKnown ? to : from) * hour_ms
  }
  const hourly = [...seriesKinds, ...makingKinds].some((one) => one === kind)
  return hourly ? hourOf(now_ms) * hour_ms : now_ms
}

/** In whatever order its parts were written. */
const isEqual = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint'
      ? `${each}n`
      : typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([x], [y]) => (x < y ? -1 : 1)))
        : each,
  )
