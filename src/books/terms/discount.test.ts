import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nanoDollars } from '../../units/amount.ts'
import type { Transfer } from '../account.ts'
import { hour_ms } from '../cost-hour.ts'
import type { Adjustment } from './adjustment.ts'
import { isAgreed, postAdjustments, postedLines } from './adjustment.ts'
import type { Agreement } from './agreement.ts'
import { whyNotTiers } from './agreement.ts'
import type { Credit, CreditKind } from './credit.ts'
import type { Charged } from './discount.ts'
import { monthStart } from './month.ts'
import { noTerms, settleTerms } from './terms.ts'
import { endHour, firstHour, march, netOf, someAgreements, someUse, sumsOf, type Use } from './testing-terms.ts'

const settled = (agreements: readonly Agreement[], parts: readonly Charged[], to = endHour) => [
  ...settleTerms({ tenant: 'acme', credits: [], agreements }, noTerms, parts, firstHour, to),
]
const lines = (agreements: readonly Agreement[], parts: readonly Charged[], to = endHour): Adjustment[] =>
  settled(agreements, parts, to).flatMap(({ adjustments }) => adjustments)
const sum = (of: readonly { readonly amount: bigint }[]): bigint => of.reduce((all, { amount }) => all + amount, 0n)
const takenOff = (of: readonly Adjustment[]): Adjustment[] =>
  of.filter((line) => isAgreed(line) && line.kind !== 'commitment')

const agreed = (more: Partial<Agreement>): Agreement => ({
  ...{ version: 1, tenant: 'acme', kind: 'graduated', model: null, class: null, counts: 'tokens', amount: 0n },
  ...{ tiers: [], ended: false, from_hour: firstHour, declared_ms: 0, note: '' },
  ...more,
})

const used = (slot: number, tokens: number, amount: bigint, more: Partial<Use> = {}): Use => ({
  ...{ application: 'app', model: 'm', class: 'output_visible', refund: 0n, cause: null },
  ...{ slot, tokens, amount },
  ...more,
})

/** Each hour's lines as `kind application model amount`. */
const told = (agreements: readonly Agreement[], ...uses: readonly Use[]): string[] =>
  lines(agreements, sumsOf(uses), march + 50).map(
    ({ hour, kind, application, of, amount }) => `${hour - march} ${kind} ${application} ${of} ${amount}`,
  )

const percent = (off: number): bigint => BigInt(off * 10_000)

test('a free quota ends at its last token and at its last nano-dollar, and begins again with the month', () => {
  const tokens = agreed({ kind: 'free', amount: 1_000n })
  assert.deepEqual(
    told([tokens], used(-3 + march, 999, 1_998n), used(-2 + march, 2, 200n), used(march, 1_001, 2_002n)),
    ['-3 free app m 1998', '-2 free app m 100', '0 free app m 2000'],
  )
  const money = agreed({ kind: 'free', counts: 'nano-USD', amount: 1_000n })
  assert.deepEqual(told([money], used(march, 5, 999n), used(march + 1, 5, 999n), used(march + 2, 5, 1n)), [
    '0 free app m 999',
    '1 free app m 1',
  ])
})

test('graduated tiers take off what lies within them, exactly at their edges', () => {
  const tiers = [
    { from: 0n, off: 0n },
    { from: 1_000n, off: percent(10) },
    { from: 2_000n, off: percent(50) },
  ]
  const by = (counts: Agreement['counts']) => agreed({ counts, tiers })
  assert.deepEqual(
    told([by('nano-USD')], used(march, 1, 1_000n), used(march + 1, 1, 1_000n), used(march + 2, 1, 10n)),
    ['1 graduated app m 100', '2 graduated app m 5'],
  )
  assert.deepEqual(told([by('nano-USD')], used(march, 1, 2_010n)), ['0 graduated app m 105'], 'all in one hour')
  assert.deepEqual(told([by('tokens')], used(march, 999, 9_990n), used(march + 1, 2, 20n)), ['1 graduated app m 1'])
})

test('a volume tier is for all of the month: what it changes of hours before is a line of the hour that reached it', () => {
  const tiers = [
    { from: 1_000n, off: percent(10) },
    { from: 3_000n, off: percent(25) },
  ]
  const volume = agreed({ kind: 'volume', tiers })
  const app = used(march, 500, 1_000n)
  const other = used(march + 1, 500, 2_000n, { application: 'other' })
  assert.deepEqual(told([volume], app, used(march + 1, 499, 2_000n, { application: 'other' })), [])
  assert.deepEqual(told([volume], app, other, used(march + 2, 2_000, 1_000n)), [
    '1 volume app m 100',
    '1 volume other m 200',
    '2 volume app m 400',
    '2 volume other m 300',
  ])
})

test('what is free is no use for tiers; what came back is not taken off once more; a model’s own goes first, and a tenant’s', () => {
  const free = agreed({ kind: 'free', amount: 500n })
  const half = agreed({ version: 2, tiers: [{ from: 500n, off: percent(50) }] })
  assert.deepEqual(told([free, half], used(march, 1_001, 1_001n)), ['0 free app m 500', '0 graduated app m 1'])
  assert.deepEqual(told([half], used(march, 1_000, 1_000n, { refund: 200n })), ['0 graduated app m 200'])

  const ofM = agreed({ version: 3, model: 'm', tiers: [{ from: 0n, off: percent(1) }] })
  const all = agreed({ version: 4, tenant: null, tiers: [{ from: 0n, off: percent(20) }] })
  const uses = [used(march, 1_000, 1_000n), used(march, 1_000, 1_000n, { model: 'n' })]
  assert.deepEqual(told([half, ofM, all], ...uses), ['0 graduated app n 250', '0 graduated app m 10'])
  const end = agreed({ version: 5, ended: true, from_hour: march })
  assert.deepEqual(told([half, all, end], ...uses), ['0 graduated app m 200', '0 graduated app n 200'])
})

test('what a month lacks of its commitment is a line of its last hour, also of a month without any use', () => {
  const commitment = agreed({ kind: 'commitment', counts: 'nano-USD', amount: 1_000n, from_hour: march - 672 })
  const half = agreed({ version: 2, tiers: [{ from: 0n, off: percent(50) }] })
  assert.deepEqual(told([commitment, half], used(march - 2, 1, 600n), used(march, 1, 3_000n)), [
    '-2 graduated app m 300',
    '-1 commitment   700',
    '0 graduated app m 1500',
  ])
  const april = lines([commitment], [], endHour).map(({ hour, amount }) => [hour, amount])
  assert.deepEqual(april, [
    [march - 1, 1_000n],
    [march + 743, 1_000n],
  ])
})

test('of no month more is taken off than was charged, and nothing is ever charged again; a commitment is met exactly', () => {
  fc.assert(
    fc.property(someAgreements, fc.array(someUse, { maxLength: 40 }), (agreements, uses) => {
      const parts = sumsOf(uses)
      const made = lines(agreements, parts)
      assert(made.every(({ amount }) => amount > 0n))
      for (const month of new Set(made.map(({ hour }) => monthStart(hour)))) {
        const within = <T extends { readonly slot?: number; readonly hour?: number }>({ slot, hour }: T): boolean =>
          monthStart(slot ?? hour ?? 0) === month
        const [net, off] = [netOf(parts.filter(within)), sum(takenOff(made).filter(within))]
        assert(off <= net, `${off} of ${net}`)
        const promised = made.find((line) => line.kind === 'commitment' && within(line))
        const minimum = agreements.find(({ version }) => String(version) === promised?.name)?.amount ?? 0n
        if (promised) assert.equal(net - off + promised.amount, minimum)
      }
    }),
  )
})

test('who uses more has no less taken off: what credit did not have to pay, it never has to pay', () => {
  const free = (one: Agreement): boolean => one.kind === 'free' && one.counts === 'tokens'
  fc.assert(
    fc.property(someAgreements, fc.array(someUse, { maxLength: 30 }), someUse, (drawn, uses, more) => {
      const agreements = drawn.filter((one) => !free(one))
      for (const to of [march, endHour]) {
        const before = sum(takenOff(lines(agreements, sumsOf(uses), to)))
        const after = sum(takenOff(lines(agreements, sumsOf([...uses, more]), to)))
        assert(after >= before, `${before} → ${after}`)
      }
    }),
    { numRuns: 1000 },
  )
})

test('a month’s volume is its tier of all, and tiers in money and free money are the same however the month is cut', () => {
  fc.assert(
    fc.property(fc.array(someUse, { maxLength: 30 }), someAgreements, (drawn, declared) => {
      const uses = drawn.map((use) => ({ ...use, slot: march + (use.slot % 40) }))
      const parts = sumsOf(uses)
      const net = netOf(parts)
      for (const one of declared.filter(({ kind }) => kind !== 'commitment')) {
        const agreement = {
          ...one,
          version: 1,
          model: null,
          class: null,
          counts: 'nano-USD',
          ended: false,
          from_hour: march,
        } as const
        const off = sum(lines([agreement], parts))
        const within = agreement.tiers.reduce((all, { from, off: part }, at) => {
          const end = agreement.tiers[at + 1]?.from ?? net
          const high = end < net ? end : net
          return high > from ? all + (high - from) * part : all
        }, 0n)
        const reached = agreement.tiers.findLast(({ from }) => net >= from)?.off ?? 0n
        if (agreement.kind === 'free') assert.equal(off, net < agreement.amount ? net : agreement.amount)
        else {
          const exact = agreement.kind === 'graduated' ? within : net * reached
          const error = off * 1_000_000n - exact
          // Half a nano-dollar for each hour, or each application and model.
          assert(error <= 40n * 500_000n && error >= -40n * 500_000n, `${off} for ${exact}`)
        }
      }
    }),
  )
})

test('hours that are worked out in two goes, and what is learned later, come to the same lines', () => {
  const learning = fc.array(fc.array(someUse, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      learning,
      someAgreements,
      fc.integer({ min: firstHour, max: march + 40 }),
      (learned, agreements, cut) => {
        const terms = { tenant: 'acme', credits: [], agreements }
        const posted: Transfer[] = []
        let known: Use[] = []
        let should: Adjustment[] = []
        for (const more of learned) {
          known = [...known, ...more]
          should = lines(agreements, sumsOf(known))
          posted.push(...postAdjustments('acme', should, posted))
        }
        const text = (all: readonly Adjustment[]) =>
          new Set(all.map((line) => JSON.stringify({ ...line, amount: String(line.amount) })))
        assert.deepEqual(text(postedLines('acme', posted)), text(should))
        assert.equal(new Set(posted.map(({ id }) => id)).size, posted.length)

        const first = [...settleTerms(terms, noTerms, sumsOf(known), firstHour, cut)]
        const rest = [...settleTerms(terms, first.at(-1)?.state ?? noTerms, sumsOf(known), cut, endHour)]
        assert.deepEqual([...first, ...rest], settled(agreements, sumsOf(known)))
      },
    ),
  )
})

const someCredits = fc.array(
  fc.record({
    kind: fc.constantFrom<CreditKind>('prepaid', 'promo'),
    amount: fc.bigInt(1n, 9_000n),
    granted: fc.integer({ min: firstHour, max: march + 20 }),
    lasts: fc.option(fc.integer({ min: 1, max: 40 })),
  }),
  { maxLength: 4 },
)

test('credit pays what is left when all is taken off, and no commitment; in two goes as in one', () => {
  fc.assert(
    fc.property(
      someAgreements,
      someCredits,
      fc.array(someUse, { maxLength: 40 }),
      fc.integer({ min: firstHour, max: march + 40 }),
      (agreements, given, uses, cut) => {
        const credits = given.map(({ kind, amount, granted, lasts }, at): Credit => {
          const until_hour = lasts === null ? null : granted + lasts
          const [id, note] = [`c${at}`, '']
          const times = { granted_ms: granted * hour_ms, from_hour: granted, until_hour }
          return { id, tenant: 'acme', kind, amount: nanoDollars(amount), ...times, returned: false, note }
        })
        const [terms, parts] = [{ tenant: 'acme', credits, agreements }, sumsOf(uses)]
        const whole = [...settleTerms(terms, noTerms, parts, firstHour, endHour)]
        let [open, favour] = [0n, 0n]
        for (const { hour, adjustments, state } of whole) {
          const of = (...kinds: string[]): bigint => sum(adjustments.filter(({ kind }) => kinds.includes(kind)))
          const due = netOf(parts.filter(({ slot }) => slot === hour)) - sum(takenOff(adjustments)) + favour
          const paid = of('prepaid', 'promo')
          favour = due < 0n ? due : 0n
          assert.equal(state.carried, favour)
          assert(paid <= (due > 0n ? due : 0n), `hour ${hour}: ${paid} of ${due}`)
          open += due > 0n ? due - paid : 0n
        }
        const taken = whole.flatMap(({ adjustments }) => adjustments)
        const paid = sum(taken.filter(({ kind }) => kind === 'prepaid' || kind === 'promo'))
        assert.equal(netOf(parts) - sum(takenOff(taken)) - paid, open + favour)

        const first = [...settleTerms(terms, noTerms, parts, firstHour, cut)]
        const rest = [...settleTerms(terms, first.at(-1)?.state ?? noTerms, parts, cut, endHour)]
        assert.deepEqual([...first, ...rest], whole)
      },
    ),
  )
})

test('the order in which an hour’s sums are stored changes nothing', () => {
  fc.assert(
    fc.property(someAgreements, fc.array(someUse, { maxLength: 20 }), (agreements, uses) => {
      const parts = sumsOf(uses)
      const other = parts.toReversed().toSorted((a, b) => a.slot - b.slot)
      assert.deepEqual(lines(agreements, other), lines(agreements, parts))
    }),
  )
})

test('tiers that cannot be are named', () => {
  const tiers = (...given: readonly (readonly [number, number])[]) =>
    whyNotTiers(given.map(([from, off]) => ({ from: BigInt(from), off: BigInt(off) })))
  assert.equal(tiers([0, 0], [10, 1_000_000]), undefined)
  assert.match(String(tiers()), /no tier/)
  assert.match(String(tiers([5, 1], [5, 2])), /tier 2 does not begin after/)
  assert.match(String(tiers([5, 2], [6, 1])), /tier 2 takes off less than the one before/)
  assert.match(String(tiers([5, 1_000_001])), /more than all/)
  assert.match(String(tiers(...Array.from({ length: 21 }, (_, at) => [at, 0] as const))), /more than 20/)
})
