/** What the tests of terms draw by chance: agreements, and hours of use around the end of a month. */
import fc from 'fast-check'
import { mainSite } from '../../plant/infrastructure/site.ts'
import { nanoDollars } from '../../units/amount.ts'
import type { SummedPart } from '../statement-sums.ts'
import type { TokenClass } from '../usage.ts'
import type { Agreement, AgreementKind, Tier } from './agreement.ts'
import { all_millionths, whyNotTiers } from './agreement.ts'

/** March 1970 begins with hour 1416. */
export const march = 1416
export const firstHour = march - 20
export const endHour = march + 800

const tier = fc.record({ from: fc.bigInt(0n, 3_000n), off: fc.bigInt(0n, all_millionths) })

/** From any tiers such as may be declared. */
const tiers = fc.array(tier, { minLength: 1, maxLength: 4 }).map((drawn): Tier[] => {
  const from = [...new Set(drawn.map((one) => one.from))].sort((a, b) => (a < b ? -1 : 1))
  const off = drawn.map((one) => one.off).sort((a, b) => (a < b ? -1 : 1))
  const made = from.map((each, at) => ({ from: each, off: off[at] ?? 0n }))
  const wrong = whyNotTiers(made)
  if (wrong) throw new Error(wrong)
  return made
})

const drawnAgreement = fc.record({
  kind: fc.constantFrom<AgreementKind>('free', 'graduated', 'volume', 'commitment'),
  own: fc.boolean(),
  model: fc.constantFrom(null, 'm', 'n/1'),
  class: fc.constantFrom<TokenClass | null>(null, null, 'output_visible'),
  counts: fc.constantFrom('tokens' as const, 'nano-USD' as const),
  amount: fc.bigInt(0n, 3_000n),
  tiers,
  ended: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  from_hour: fc.integer({ min: firstHour, max: march + 30 }),
})

/** What a tenant has agreed to: versions in the order in which they were declared. */
export const someAgreements = fc
  .array(drawnAgreement, { maxLength: 6 })
  .map((drawn) =>
    drawn.map(({ own, ...one }, at): Agreement => ({ ...valid(one), version: at + 1, tenant: own ? 'acme' : null })),
  )

function valid(one: Omit<Agreement, 'version' | 'tenant' | 'declared_ms' | 'note'>) {
  const shared = { ...one, declared_ms: 0, note: '' }
  if (one.kind === 'free') return { ...shared, class: one.counts === 'tokens' ? one.class : null, tiers: [] }
  if (one.kind !== 'commitment') return { ...shared, class: null, amount: 0n }
  const from_hour = one.from_hour < march ? march - 672 : march
  return { ...shared, model: null, class: null, counts: 'nano-USD', tiers: [], from_hour } as const
}

/** As many tokens as it takes, at prices that differ: so that what is counted is never the same as what it costs. */
export const someUse = fc.record({
  slot: fc.integer({ min: firstHour, max: march + 40 }),
  application: fc.constantFrom<string>('app', 'chat/α'),
  model: fc.constantFrom<string>('m', 'n/1'),
  class: fc.constantFrom<TokenClass>('input_uncached', 'output_visible'),
  tokens: fc.integer({ min: 1, max: 900 }),
  amount: fc.bigInt(0n, 1_000n),
  refund: fc.bigInt(0n, 400n),
  cause: fc.constantFrom(null, 'cache_hit' as const),
})
export type Use = typeof someUse extends fc.Arbitrary<infer U> ? U : never

/** A refund is never more than what it is of. */
export const sumsOf = (uses: readonly Use[]): SummedPart[] =>
  uses
    .toSorted((a, b) => a.slot - b.slot)
    .flatMap(({ slot, application, model, class: of, tokens, amount, refund, cause }) => {
      const shared = { tenant: 'acme', slot, application, model, price_version: 1, site: mainSite, requests: 1 }
      const back = refund < amount ? refund : amount
      return [
        { ...shared, cause, class: of, tokens, amount: nanoDollars(amount) } as const,
        { ...shared, cause: 'refund', class: null, tokens: 0, amount: nanoDollars(back) } as const,
      ]
    })

/** What was charged, less what came back. */
export const netOf = (parts: readonly SummedPart[]): bigint =>
  parts.reduce((sum, { cause, amount }) => sum + (cause === 'refund' ? -amount : amount), 0n)
