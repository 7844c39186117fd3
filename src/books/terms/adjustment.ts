/**
 * What a tenant's terms move beside the charges of its requests: by the hour, and never within a request. The amount of each line is
 * worked out from the hour's sums; what is posted of it are differences, each under the next revision, so that nothing posted is changed.
 */
import type { NanoDollars } from '../../units/amount.ts'
import { nanoDollars } from '../../units/amount.ts'
import type { Account, Transfer } from '../account.ts'
import { accounts } from '../account.ts'
import type { AgreementKind } from './agreement.ts'
import { agreementKinds } from './agreement.ts'
import type { CreditKind } from './credit.ts'
import { creditKinds } from './credit.ts'

/**
 * `promo`, `prepaid`: drawn from a credit. `granted`: a credit begins. What is left at its end is `breakage` (earned, of what was paid for
 * in advance), `expired` (a gift that was not used) or `returned`.
 */
export const creditMoves = ['granted', 'promo', 'prepaid', 'breakage', 'expired', 'returned'] as const
/** The first are taken off charges; the last is what a month lacks of what was promised. */
export const adjustmentKinds = [...creditMoves, ...agreementKinds] as const

interface Line {
  readonly hour: number
  /** Empty: of the tenant as a whole. */
  readonly application: string
  readonly amount: NanoDollars
  readonly at_ms: number
}

/** `name` is the credit's. */
export interface CreditMove extends Line {
  readonly kind: (typeof creditMoves)[number]
  readonly of: CreditKind
  readonly name: string
}

/** `of` is the model, and empty of what is of none; `name` is the version of the agreement. */
export interface AgreedLine extends Line {
  readonly kind: AgreementKind
  readonly of: string
  readonly name: string
}

export type Adjustment = CreditMove | AgreedLine

export const isAgreed = (adjustment: Adjustment): adjustment is AgreedLine =>
  (agreementKinds as readonly string[]).includes(adjustment.kind)

export const termsOf = (tenant: string): string => `terms/${encodeURIComponent(tenant)}`

/** In the order of names hours follow each other until the year 3110. */
export const termsHour = (tenant: string, hour: number): string =>
  `${termsOf(tenant)}/${hour.toString().padStart(7, '0')}`

/** All revisions of a line begin with this. */
const lineOf = (tenant: string, { hour, kind, of, name, application }: Adjustment): string =>
  `${termsHour(tenant, hour)}/${[kind, of, name, application].map(encodeURIComponent).join('/')}`

function movedBy(tenant: string, adjustment: Adjustment): readonly [from: Account, to: Account] {
  const { application } = adjustment
  if (!isAgreed(adjustment)) return movedByCredit(tenant, adjustment)
  return adjustment.kind === 'commitment'
    ? [accounts.committed(tenant), accounts.shortfall(tenant)]
    : [accounts.discount(tenant, application), accounts.owed(tenant, application)]
}

function movedByCredit(tenant: string, move: CreditMove): readonly [from: Account, to: Account] {
  const { kind, of, name, application } = move
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
  const [, , hour = '', kind = '', ...path] = id.split('/')
  const [of = '', name = '', application = '', revision] = path.map(decodeURIComponent)
  const line = { hour: Number(hour), kind, of, name, application, amount: nanoDollars(amount), at_ms }
  if (unit !== 'nano-USD' || !isAdjustment(line) || revision === undefined) return undefined
  if (!id.startsWith(`${lineOf(tenant, line)}/r`)) return undefined
  const [debit, credit] = movedBy(tenant, line)
  if (from === debit && to === credit) return line
  return from === credit && to === debit ? { ...line, amount: nanoDollars(-amount) } : undefined
}

const isAdjustment = (line: { readonly kind: string; readonly of: string }): line is Adjustment =>
  (agreementKinds as readonly string[]).includes(line.kind) ||
  ((creditMoves as readonly string[]).includes(line.kind) && (creditKinds as readonly string[]).includes(line.of))

interface Posted {
  readonly adjustment: Adjustment
  amount: bigint
  revisions: number
}

/** Lines that are posted, as sums of their transfers. */
function linesOf(tenant: string, posted: readonly Transfer[]): Map<string, Posted> {
  const lines = new Map<string, Posted>()
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
