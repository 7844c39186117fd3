import type { AllowanceUnit } from '../../books/allowance.ts'
import { binding } from '../../books/allowance.ts'
import { hitCharges } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import { rate, total } from '../../books/price.ts'
import type { Usage } from '../../books/usage.ts'
import { missingUsage, totalTokens, usageFrom } from '../../books/usage.ts'
import type { Tokens } from '../../units/quantity.ts'
import { plus } from '../../units/quantity.ts'
import type { Flow, Hit } from './flow.ts'
import { billedPrice, possiblePrices } from './flow-price.ts'
import type { Need } from './purse.ts'

/**
 * What a usage comes to in the unit of an allowance: in money the most that it can cost where it may still be answered. An answer from
 * the cache takes its price, and nothing else.
 */
export function amountOf(unit: AllowanceUnit, usage: Usage, flow: Flow): bigint {
  if (flow.hit) return unit === 'nano-USD' ? costOfHit(flow.hit, billedPrice(flow)) : 0n
  switch (unit) {
    case 'requests':
    case 'concurrent':
      return 1n
    case 'tokens':
      return BigInt(totalTokens(usage))
    case 'nano-USD':
      return most(possiblePrices(flow).map((price) => costIn(usage, price)))
    case 'mJ':
      return BigInt(Math.ceil(totalTokens(usage) * (flow.snapshot.energyPerToken_mj.get(flow.model) ?? 0)))
  }
}

const most = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => (a > b ? a : b), 0n)

const costIn = (usage: Usage, price: PriceVersion | undefined): bigint =>
  price ? total(rate(usage, price.perMillion).values()) : 0n

const costOfHit = (cached: Hit, price: PriceVersion | undefined): bigint =>
  total(hitCharges({ cached, outcome: 'complete' }, price).values())

/** All that binds a request, and what each must give if its answer has a likely length. */
export function needsOf(flow: Flow, output: Tokens): Need[] {
  const { grant, model, promptEstimate } = flow.ask
  const likely = usageFrom('estimated', { input_uncached: promptEstimate, output_visible: output })
  const needs = binding(flow.snapshot.allowances, { ...grant, model }).map((allowance) => ({
    allowance,
    amount: amountOf(allowance.unit, likely, flow),
  }))
  return flow.hit ? needs.filter(({ amount }) => amount > 0n) : needs
}

/** What it used so far, if `more` tokens are let through: as its engine said at the start, or by the size of its prompt. */
export function usedSoFar(flow: Flow, more: Tokens): Usage {
  const produced = plus(flow.produced, more)
  if (!flow.begun && produced === 0) return missingUsage
  const input = flow.begun ?? { input_uncached: flow.ask.promptEstimate }
  return usageFrom('counted', { ...input, output_visible: produced })
}
