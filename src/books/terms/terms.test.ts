import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mainSite } from '../../plant/infrastructure/site.ts'
import { nanoDollars } from '../../units/amount.ts'
import type { Transfer } from '../account.ts'
import { hour_ms } from '../cost-hour.ts'
import type { SummedPart } from '../statement-sums.ts'
import type { Adjustment } from './adjustment.ts'
import { adjustmentKinds, adjustmentOf, postAdjustments, postedLines } from './adjustment.ts'
import type { Credit, CreditKind } from './credit.ts'
import { creditState } from './credit.ts'
import type { Terms } from './terms.ts'
import { noTerms, settleTerms } from './terms.ts'

const tenant = 'acme/ü'
const hours = 40

const part = fc.record({
  slot: fc.nat(hours - 1),
  application: fc.constantFrom<string>('app', 'chat/α'),
  amount: fc.bigInt(0n, 1_000_000n),
  refund: fc.bigInt(0n, 400_000n),
  cause: fc.constantFrom(null, 'cache_hit' as const),
})
const credit = fc.record({
  kind: fc.constantFrom<CreditKind>('prepaid', 'promo'),
  amount: fc.bigInt(1n, 3_000_000n),
  granted: fc.nat(hours - 1),
  waits: fc.nat(5),
  lasts: fc.option(fc.integer({ min: 1, max: 20 })),
  returned: fc.boolean(),
})

function termsFrom(given: readonly (typeof credit extends fc.Arbitrary<infer C> ? C : never)[]): Terms {
  const credits = given.map(({ kind, amount, granted, waits, lasts, returned }, at): Credit => {
    const from_hour = granted + waits
    const until_hour = lasts === null ? null : from_hour + lasts
    const granted_ms = granted * hour_ms + 1234
    return {
      id: `c${at}`,
      tenant,
      kind,
      amount: nanoDollars(amount),
      granted_ms,
      from_hour,
      until_hour,
      returned,
      note: '',
    }
  })
  return { tenant, credits, agreements: [] }
}

type Drawn = typeof part extends fc.Arbitrary<infer P> ? P : never

/** A refund is never more than what it is of. */
const sums = (parts: readonly Drawn[]): SummedPart[] =>
  parts
    .toSorted((a, b) => a.slot - b.slot)
    .flatMap(({ slot, application, amount, refund, cause }) => {
      const shared = { tenant, slot, application, model: 'm', price_version: 1, site: mainSite, requests: 1 }
      const back = refund < amount ? refund : amount
      return [
        { ...shared, cause, class: 'output_visible', tokens: 1, amount: nanoDollars(amount) } as const,
        { ...shared, cause: 'refund', class: null, tokens: 0, amount: nanoDollars(back) } as const,
      ]
    })

const owedIn = (parts: readonly SummedPart[]): bigint =>
  parts.reduce((sum, { cause, amount }) => sum + (cause === 'refund' ? -amount : amount), 0n)

const total = (adjustments: readonly Adjustment[], ...kinds: readonly string[]): bigint =>
  adjustments.reduce((sum, { kind, amount }) => sum + (kinds.includes(kind) ? amount : 0n), 0n)

test('a credit is used, ends or is left, to the nano-dollar, and pays no more than is owed and only in its time', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), fc.array(credit, { maxLength: 5 }), (drawn, given) => {
      const [terms, parts] = [termsFrom(given), sums(drawn)]
      const settled = [...settleTerms(terms, noTerms, parts, 0, 100)]
      const all = settled.flatMap(({ adjustments }) => adjustments)
      const left = settled.at(-1)?.state.left ?? new Map()
      for (const { id, kind, amount, from_hour, until_hour } of terms.credits) {
        const its = all.filter(({ name }) => name === id)
        assert.equal(total(its, 'granted'), amount)
        assert.equal(total(its, kind, 'breakage', 'expired', 'returned') + (left.get(id) ?? 0n), amount)
        for (const { hour } of its.filter((each) => each.kind === kind))
          assert(hour >= from_hour && (until_hour === null || hour < until_hour))
      }
      for (const { hour, adjustments } of settled) {
        const owed = owedIn(parts.filter(({ slot }) => slot === hour))
        const paid = total(adjustments, 'promo', 'prepaid')
        const has = terms.credits.filter((each) => hour >= each.from_hour && (each.until_hour ?? hours) > hour)
        assert(paid <= owed, `${paid} of ${owed}`)
        if (paid < owed)
          for (const { id } of has) assert.equal(settled.find((each) => each.hour === hour)?.state.left.get(id), 0n)
      }
    }),
  )
})

test('a credit pays from its first hour until its end, as long as something is left', () => {
  const kept = { id: 'c', tenant, amount: nanoDollars(5n), granted_ms: 0, returned: false, note: '' }
  const credit: Credit = { ...kept, kind: 'prepaid', from_hour: 3, until_hour: 5 }
  const states = [2, 3, 4, 5, 9].map((hour) => creditState(credit, 1n, hour))
  assert.deepEqual(states, ['later', 'in use', 'in use', 'ended', 'ended'])
  assert.deepEqual(
    [3, 5].map((hour) => creditState(credit, 0n, hour)),
    ['used up', 'ended'],
  )
  assert.equal(creditState({ ...credit, until_hour: null }, 1n, 9_999_999), 'in use')
})

test('gifts go first, then what ends first; whoever used more pays more', () => {
  const base = { tenant, granted_ms: 0, from_hour: 0, returned: false, note: '' }
  const of = (id: string, kind: CreditKind, amount: bigint, until_hour: number | null): Credit => ({
    ...base,
    ...{ id, kind, amount: nanoDollars(amount), until_hour },
  })
  const credits = [of('a', 'prepaid', 100n, null), of('b', 'prepaid', 30n, 9), of('c', 'promo', 25n, null)]
  const parts = sums([
    { slot: 1, application: 'one', amount: 40n, refund: 0n, cause: null },
    { slot: 1, application: 'two', amount: 20n, refund: 0n, cause: null },
  ])
  const [, hour] = [...settleTerms({ tenant, credits, agreements: [] }, noTerms, parts, 0, 5)]
  assert.deepEqual(
    hour?.adjustments.map(({ name, application, amount }) => [name, application, amount]),
    [
      ['c', 'one', 17n],
      ['c', 'two', 8n],
      ['b', 'one', 20n],
      ['b', 'two', 10n],
      ['a', 'one', 3n],
      ['a', 'two', 2n],
    ],
  )
})

test('hours that are worked out in two goes are the same hours', () => {
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 40 }),
      fc.array(credit, { maxLength: 4 }),
      fc.nat(hours),
      (drawn, given, cut) => {
        const [terms, parts] = [termsFrom(given), sums(drawn)]
        const whole = [...settleTerms(terms, noTerms, parts, 0, 100)]
        const first = [...settleTerms(terms, noTerms, parts, 0, cut)]
        const rest = [...settleTerms(terms, first.at(-1)?.state ?? noTerms, parts, cut, 100)]
        assert.deepEqual([...first, ...rest], whole)
      },
    ),
  )
})

test('what is learned later is posted as differences: the lines are as if it had been known, and nothing is changed', () => {
  const posting = fc.array(part, { minLength: 1, maxLength: 25 })
  fc.assert(
    fc.property(
      fc.array(posting, { minLength: 1, maxLength: 4 }),
      fc.array(credit, { maxLength: 4 }),
      (learned, given) => {
        const terms = termsFrom(given)
        const posted: Transfer[] = []
        let known: Drawn[] = []
        let should: Adjustment[] = []
        for (const more of learned) {
          known = [...known, ...more]
          should = [...settleTerms(terms, noTerms, sums(known), 0, 100)].flatMap(({ adjustments }) => adjustments)
          posted.push(...postAdjustments(tenant, should, posted))
        }
        const byName = (lines: readonly Adjustment[]) =>
          new Set(lines.map((line) => JSON.stringify({ ...line, amount: String(line.amount) })))
        assert.deepEqual(byName(postedLines(tenant, posted)), byName(should))
        assert.equal(new Set(posted.map(({ id }) => id)).size, posted.length)
        assert(posted.every(({ amount }) => amount > 0n))
        for (const transfer of posted)
          assert(adjustmentKinds.includes(adjustmentOf(tenant, transfer)?.kind ?? ('' as never)))
      },
    ),
  )
})
