/**
 * What is taken off an hour's charges for how much the month used. A kind sees what the kinds before it have left, and what is taken off
 * is never more than that: so a price without it is the most that a request can cost.
 */
import { apportion } from '../../units/amount.ts'
import type { SummedPart } from '../statement-sums.ts'
import type { TokenClass } from '../usage.ts'
import { tokenClasses } from '../usage.ts'
import type { Agreement, DiscountKind, Tier } from './agreement.ts'
import { agreedIn, all_millionths, tiersOf } from './agreement.ts'

/** What requests of an hour came to; model, class and tokens are asked only where something is taken off. */
export type Charged = Pick<SummedPart, 'slot' | 'application' | 'model' | 'cause' | 'class' | 'tokens' | 'amount'>

/** What a month came to so far under an agreement, since it began. */
export interface Counted {
  readonly tokens: bigint
  readonly charged: bigint
  /** Of volume: what was charged, and was taken off of it, by application and model. */
  readonly lines: ReadonlyMap<string, Line>
}

interface Line {
  readonly application: string
  readonly model: string
  readonly amount: bigint
  readonly taken: bigint
}

export interface Taken extends Pick<Line, 'application' | 'model'> {
  readonly agreement: Agreement
  readonly amount: bigint
}

interface Use extends Pick<Line, 'application' | 'model'> {
  readonly class: TokenClass
  /** What was used in the hour and is not free. */
  readonly tokens: bigint
  /** What was charged for it, less what came back. */
  readonly charged: bigint
  /** Of that, what is not taken off yet. */
  readonly amount: bigint
}

const kinds = ['free', 'graduated', 'volume'] as const satisfies readonly DiscountKind[]

/** What is taken off, and what the month has come to with this hour. */
export function takeOff(
  agreements: readonly Agreement[],
  counted: ReadonlyMap<number, Counted>,
  parts: readonly Charged[],
  hour: number,
): { readonly taken: readonly Taken[]; readonly counted: ReadonlyMap<number, Counted> } {
  const after = new Map(counted)
  const taken: Taken[] = []
  const agreed = agreedIn(agreements, hour)
  let uses = agreed.length === 0 ? [] : usesOf(parts)
  for (const kind of kinds) {
    const its = agreed.filter((one) => one.kind === kind)
    const by = Map.groupBy(uses, (use) => bestOf(its, use))
    uses = by.get(undefined) ?? []
    for (const [agreement, those] of [...by].sort(([a], [b]) => (a?.version ?? 0) - (b?.version ?? 0))) {
      if (!agreement) continue
      const known = after.get(agreement.version) ?? nothing
      const done = kind === 'volume' ? byVolume(agreement, known, those) : inSteps(agreement, known, those)
      after.set(agreement.version, done.counted)
      taken.push(...done.taken)
      uses.push(...done.left)
    }
    uses.sort(inOrder)
  }
  return { taken, counted: after }
}

const nothing: Counted = { tokens: 0n, charged: 0n, lines: new Map() }

/** By names, so that it does not depend on how things are stored. */
const inOrder = (a: Use, b: Use): number =>
  compare(a.application, b.application) ||
  compare(a.model, b.model) ||
  tokenClasses.indexOf(a.class) - tokenClasses.indexOf(b.class)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Refunds are borne by the classes that were charged. What costs nothing is no use that counts. */
function usesOf(parts: readonly Charged[]): Use[] {
  const byModel = Map.groupBy(parts, ({ application, model }) => JSON.stringify([application, model]))
  return [...byModel.values()].flatMap(netUses).sort(inOrder)
}

function netUses(parts: readonly Charged[]): Use[] {
  const [{ application, model } = { application: '', model: '' }] = parts
  const uses = tokenClasses
    .map((of): Use => {
      const its = parts.filter((part) => part.class === of && (part.cause === null || part.cause === 'cache_hit'))
      const tokens = its.reduce((sum, part) => sum + BigInt(part.tokens), 0n)
      return { application, model, class: of, tokens, charged: 0n, amount: sumOf(its) }
    })
    .filter(({ amount }) => amount > 0n)
  const [back, charged] = [sumOf(parts.filter(({ cause }) => cause === 'refund')), sumOf(uses)]
  if (back >= charged) return []
  const amounts = uses.map(({ amount }) => amount)
  return lessen(uses, apportion(back, amounts)).map((use) => ({ ...use, charged: use.amount }))
}

const sumOf = (of: readonly { readonly amount: bigint }[]): bigint => of.reduce((sum, { amount }) => sum + amount, 0n)

const lessen = (uses: readonly Use[], by: readonly bigint[]): Use[] =>
  uses.map((use, at) => ({ ...use, amount: use.amount - (by[at] ?? 0n) }))

/** Of a model's class, of the model, of the class, of all: the first that there is. */
function bestOf(agreed: readonly Agreement[], use: Use): Agreement | undefined {
  const rank = (one: Agreement): number => (one.model === null ? 0 : 2) + (one.class === null ? 0 : 1)
  return agreed
    .filter((one) => (one.model ?? use.model) === use.model && (one.class ?? use.class) === use.class)
    .sort((a, b) => rank(b) - rank(a))[0]
}

interface Done {
  readonly taken: readonly Taken[]
  readonly counted: Counted
  readonly left: readonly Use[]
}

const countedUse = ({ counts }: Agreement, { tokens, charged }: Pick<Use, 'tokens' | 'charged'>): bigint =>
  counts === 'tokens' ? tokens : charged

const more = (counted: Counted, uses: readonly Use[]): Counted => ({
  ...counted,
  tokens: counted.tokens + uses.reduce((sum, { tokens }) => sum + tokens, 0n),
  charged: counted.charged + uses.reduce((sum, { charged }) => sum + charged, 0n),
})

/** Tiers are filled hour by hour; all that was asked in the hour in which one ends has its part in both, as large as it is itself. */
function inSteps(agreement: Agreement, before: Counted, uses: readonly Use[]): Done {
  const counted = more(before, uses)
  const [from, to] = [countedUse(agreement, before), countedUse(agreement, counted)]
  if (to === from) return { taken: [], counted, left: uses }
  const off = weighed(tiersOf(agreement), from, to)
  const amounts = uses.map(({ amount }) => amount)
  const parts = apportion(rounded(sumOf(uses) * off, (to - from) * all_millionths), amounts)
  const taken = uses.map(({ application, model }, at) => ({ agreement, application, model, amount: parts[at] ?? 0n }))
  const left = lessen(uses, parts)
  if (agreement.kind !== 'free') return { taken: together(taken), counted, left }
  return { taken: together(taken), counted, left: withoutFree(agreement, left, off, to - from) }
}

/** Millionths over all that lies in [from, to), each tier's as often as there is something of it. */
function weighed(tiers: readonly Tier[], from: bigint, to: bigint): bigint {
  return tiers.reduce((sum, tier, at) => {
    const [low, high] = [most(tier.from, from), least(tiers[at + 1]?.from ?? to, to)]
    return high > low ? sum + (high - low) * tier.off : sum
  }, 0n)
}

/** What was free is no use for the kinds that follow. */
function withoutFree({ counts }: Agreement, uses: readonly Use[], off: bigint, used: bigint): Use[] {
  const tokens = uses.map((use) => use.tokens)
  const free = off / all_millionths
  const gone = counts === 'tokens' ? free : (tokens.reduce((sum, each) => sum + each, 0n) * free) / used
  const parts = apportion(gone, tokens)
  return uses
    .map((use, at) => ({ ...use, tokens: use.tokens - (parts[at] ?? 0n), charged: use.amount }))
    .filter(({ amount }) => amount > 0n)
}

/** All of the month is at the tier that it has reached: what that changes of hours before is taken off in this one. */
function byVolume(agreement: Agreement, before: Counted, uses: readonly Use[]): Done {
  const counted = more(before, uses)
  const used = countedUse(agreement, counted)
  const off = tiersOf(agreement).findLast(({ from }) => used >= from)?.off ?? 0n
  const lines = new Map(before.lines)
  for (const { application, model, amount } of uses) {
    const name = JSON.stringify([application, model])
    const known = lines.get(name)
    lines.set(name, { application, model, amount: (known?.amount ?? 0n) + amount, taken: known?.taken ?? 0n })
  }
  const taken: Taken[] = []
  for (const [name, line] of [...lines].sort(([a], [b]) => compare(a, b))) {
    const now = rounded(line.amount * off, all_millionths)
    taken.push({ agreement, application: line.application, model: line.model, amount: now - line.taken })
    lines.set(name, { ...line, taken: now })
  }
  return { taken: together(taken), counted: { ...counted, lines }, left: [] }
}

/** One sum for each application and model. */
function together(taken: readonly Taken[]): Taken[] {
  const sums = new Map<string, Taken>()
  for (const each of taken) {
    const name = JSON.stringify([each.application, each.model])
    sums.set(name, { ...each, amount: (sums.get(name)?.amount ?? 0n) + each.amount })
  }
  return [...sums.values()].filter(({ amount }) => amount !== 0n)
}

/** Half and more is one. */
const rounded = (value: bigint, by: bigint): bigint => (2n * value + by) / (2n * by)

const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
