/**
 * What a tenant's terms move beside the charges of its requests: by the hour, and never within a request. The amount of each line is
 * worked out from the hour's sums; what is posted of it are differences, each under the next revision, so that nothing posted is changed.
 */
import type { NanoDollars } from '../../units/amount.ts'
import { nanoDollars } from '../../units/amount.ts'
import type { Account, Transfer } from '../account.ts'
import { accounts } from '../account.ts'

/**
 * `promo`, `prepaid`: drawn from a credit. `granted`: a credit begins. What is left at its end is `breakage` (earned, of what was paid for
 * in advance), `expired` (a gift that was not used) or `returned`.
 */
export const adjustmentKinds = ['granted', 'promo', 'prepaid', 'breakage', 'expired', 'returned'] as const
export type AdjustmentKind = (typeof adjustmentKinds)[number]

export interface Adjustment {
  readonly hour: number
  readonly kind: AdjustmentKind
  /** Of the credit. */
  readonly name: string
  /** Whether that credit was paid for; of lines that are of no credit it says nothing. */
  readonly of: 'prepaid' | 'promo'
  /** Empty: of the tenant as a whole. */
  readonly application: string
  readonly amount: NanoDollars
  readonly at_ms: number
}

export const termsOf = (tenant: string): string => `terms/${encodeURIComponent(tenant)}`

/** In the order of names hours follow each other until the year 3110. */
export const termsHour = (tenant: string, hour: number): string =>
  `${termsOf(tenant)}/${hour.toString().padStart(7, '0')}`

/** All revisions of a line begin with this. */
const lineOf = (tenant: string, { hour, kind, of, name, application }: Adjustment): string =>
  `${termsHour(tenant, hour)}/${[kind, of, name, application].map(encodeURIComponent).join('/')}`

function movedBy(tenant: string, { kind, of, name, application }: Adjustment): readonly [from: Account, to: Account] {
  const credit = accounts.credit(of, tenant, name)
  switch (kind) {
    case 'granted':
      return [accounts.creditSource(of, tenant), credit]
    case 'promo':
    case 'prepaid':
      return [credit, accounts.owed(tenant, application)]
    case 'breakage':
      return [credit, accounts.breakage(tenant)]
    case 'expired':
    case 'returned':
      return [credit, accounts.creditSource(of, tenant)]
  }
}

/** What a transfer adds to its line, below zero where it takes away; undefined: it is no transfer of these terms. */
export function adjustmentOf(tenant: string, { id, unit, from, to, amount, at_ms }: Transfer): Adjustment | undefined {
  const [, , hour = '', kind = '', of = '', name = '', application = '', revision] = id.split('/')
  const line = {
    hour: Number(hour),
    kind: kind as AdjustmentKind,
    of: of as Adjustment['of'],
    name: decodeURIComponent(name),
    application: decodeURIComponent(application),
    amount: nanoDollars(amount),
    at_ms,
  }
  if (unit !== 'nano-USD' || !adjustmentKinds.includes(line.kind) || revision === undefined) return undefined
  if (!id.startsWith(`${lineOf(tenant, line)}/r`)) return undefined
  const [debit, credit] = movedBy(tenant, line)
  if (from === debit && to === credit) return line
  return from === credit && to === debit ? { ...line, amount: nanoDollars(-amount) } : undefined
}

interface Line {
  readonly adjustment: Adjustment
  amount: bigint
  revisions: number
}

/** Lines that are posted, as sums of their transfers. */
function linesOf(tenant: string, posted: readonly Transfer[]): Map<string, Line> {
  const lines = new Map<string, Line>()
  for (const transfer of posted) {
    const adjustment = adjustmentOf(tenant, transfer)
    if (!adjustment) continue
    const name = lineOf(tenant, adjustment)
    const line = lines.get(name) ?? { adjustment, amount: 0n, revisions: 0 }
    lines.set(name, { ...line, amount: line.amount + adjustment.amount, revisions: line.revisions + 1 })
  }
  return lines
}

/** The lines that are posted, each once. */
export const postedLines = (tenant: string, posted: readonly Transfer[]): Adjustment[] =>
  [...linesOf(tenant, posted).values()]
    .filter(({ amount }) => amount !== 0n)
    .map(({ adjustment, amount }) => ({ ...adjustment, amount: nanoDollars(amount) }))

/** What is still to be posted, so that the lines come to what they should be. */
export function postAdjustments(
  tenant: string,
  should: readonly Adjustment[],
  posted: readonly Transfer[],
): Transfer[] {
  const lines = linesOf(tenant, posted)
  const found: Transfer[] = []
  const differ = (name: string, adjustment: Adjustment, more: bigint, revision: number): void => {
    if (more === 0n) return
    const [from, to] = movedBy(tenant, adjustment)
    const id = `${name}/r${revision}`
    const moved = more > 0n ? { from, to, amount: more } : { from: to, to: from, amount: -more }
    found.push({ id, unit: 'nano-USD', ...moved, request: null, at_ms: adjustment.at_ms })
  }
  for (const adjustment of should) {
    const name = lineOf(tenant, adjustment)
    const line = lines.get(name)
    lines.delete(name)
    differ(name, adjustment, adjustment.amount - (line?.amount ?? 0n), (line?.revisions ?? 0) + 1)
  }
  for (const [name, { adjustment, amount, revisions }] of lines) differ(name, adjustment, -amount, revisions + 1)
  return found
}
