/** What went into or out of an account of cost, in the words of who reads it. */
import { formatDollars, nanoDollars } from '../units/amount.ts'
import type { Account } from './account.ts'
import { parted } from './tally.ts'

/** What went from one account to another in a time, whatever the number of transfers. */
export interface CostFlow {
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  /** Hours since 1970. */
  readonly hour: number
}

/** A part of an hour's cost; `amount` is below zero where a correction took it back. */
export interface CostPart {
  /** `usage`, `waste`, `idle`, `overhead` or `making`. */
  readonly kind: string
  /** Of usage: tenant, application, model, class of token, key. Of making: model, kind. */
  readonly path: readonly string[]
  readonly source: string
  readonly hour: number
  readonly amount: bigint
}

/** A correction flows the other way: out of an account of cost, back to its source. */
export function costPart({ from, to, amount, hour }: CostFlow): CostPart {
  const back = from.startsWith('cost/')
  const [, kind = '', ...path] = parted(back ? from : to)
  return { kind, path, source: back ? to : from, hour, amount: back ? -amount : amount }
}

export const sumOfParts = (parts: readonly CostPart[]): bigint => parts.reduce((sum, { amount }) => sum + amount, 0n)

export const usdText = (amount: bigint): string => formatDollars(nanoDollars(amount))
