import Type from 'typebox'
import { servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { listAgreements } from '../../../adapters/sqlite/terms/agreed.ts'
import { declareAgreement, endAgreement } from '../../../adapters/sqlite/terms/agreements.ts'
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import type { Agreement, AgreementCounts, Tier } from '../../../books/terms/agreement.ts'
import { agreedIn, agreementKinds, placeOfAgreement } from '../../../books/terms/agreement.ts'
import { monthStart } from '../../../books/terms/month.ts'
import { tokenClasses } from '../../../books/usage.ts'
import { formatDecimal, parseDecimal } from '../../../units/amount.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'
import { knownTenant } from '../tenancy.ts'
import { hourIn, isoOrNull } from '../when.ts'

const from = Type.Optional(
  Type.String({
    description:
      'a date such as 2027-01-31, on a whole hour; else the hour under way, and of a commitment the next month',
  }),
)
const tier = Type.Object(
  {
    from: Type.String({ maxLength: 40, description: 'of what the month used: from here on, such as 1000000 or 0.5' }),
    percent: Type.String({ maxLength: 20, description: 'taken off the price, such as 12.5' }),
  },
  { additionalProperties: false },
)

export const termsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/terms',
    role: 'viewer',
    of: 'field',
    about:
      'Free quotas, prices by tier or volume, and commitments: all versions, of a tenant with those of all tenants',
    input: { tenant: Type.Optional(Type.String({ maxLength: 100 })) },
    run: (factory, { tenant }) => {
      const of = tenant === undefined ? undefined : knownTenant(factory, tenant)
      const agreements = listAgreements(factory.store, of)
      return { terms: agreements.map((one) => shown(one, stateOf(factory, agreements, one))) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/terms',
    role: 'admin',
    about:
      'Declare a free quota, prices by tier or volume, or a commitment: a new version, which counts by the month from its beginning',
    input: {
      kind: Type.Enum([...agreementKinds], {
        description:
          'free: so much of each month; graduated: each tier for what is used within it; volume: the tier that a month reaches for all of it; commitment: what a month lacks of so many dollars is charged at its end',
      }),
      tenant: Type.Optional(
        Type.String({ maxLength: 100, description: 'of all tenants that have none of their own where not given' }),
      ),
      model: Type.Optional(Type.String({ maxLength: 100, description: 'of all others where not given' })),
      class: Type.Optional(
        Type.Enum([...tokenClasses], { description: 'of a free quota in tokens: of this class alone' }),
      ),
      tokens: Type.Optional(Type.String({ maxLength: 40, description: 'how many are free' })),
      usd: Type.Optional(
        Type.String({ maxLength: 40, description: 'how much is free, or is committed to, such as 500' }),
      ),
      by: Type.Optional(
        Type.Enum(['tokens', 'usd'], {
          description: 'what tiers count of a month: tokens (default) or dollars charged',
        }),
      ),
      tiers: Type.Optional(Type.Array(tier, { maxItems: 20, description: 'from low to high' })),
      from,
      note: Type.Optional(Type.String({ maxLength: 500 })),
    },
    run: (factory, asked) => {
      const tenant = asked.tenant === undefined ? null : knownTenant(factory, asked.tenant)
      const { kind, model = null, class: of = null, note = '' } = asked
      const before = listAgreements(factory.store, tenant ?? undefined)
      const from_hour = asked.from === undefined ? undefined : hourIn(asked.from, 'from')
      const agreement = declareAgreement(
        factory.store,
        { tenant, kind, model, class: of, ...quantities(asked), from_hour, note },
        factory.now(),
      )
      const notice = noticeOf(factory, before, agreement)
      return { ...shown(agreement, stateOf(factory, [...before, agreement], agreement)), ...(notice && { notice }) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/terms/{version}/end',
    role: 'admin',
    about:
      'End terms from the next hour or a later one on, and a commitment with a month: what all tenants have is in force again',
    input: { version: Type.String({ maxLength: 20 }), from },
    run: (factory, { version, from: when }) => {
      if (!/^\d{1,15}$/.test(version))
        throw new ControlError('not_found', `no terms ${version.slice(0, 80)}`, {
          param: 'version',
          next: 'wattmill terms list',
        })
      const from_hour = when === undefined ? undefined : hourIn(when, 'from')
      return shown(endAgreement(factory.store, Number(version), from_hour, factory.now()), 'ends')
    },
  }),
]

interface Asked {
  readonly kind: Agreement['kind']
  readonly tokens?: string | undefined
  readonly usd?: string | undefined
  readonly by?: 'tokens' | 'usd' | undefined
  readonly tiers?: readonly { readonly from: string; readonly percent: string }[] | undefined
}

function quantities({ kind, tokens, usd, by, tiers }: Asked): Pick<Agreement, 'counts' | 'amount' | 'tiers'> {
  const stray = kind === 'free' || kind === 'commitment' ? { by, tiers } : { tokens, usd }
  const [extra] = Object.entries(stray).filter(([, value]) => value !== undefined)
  if (extra) throw new ControlError('invalid_value', `${extra[0]} says nothing of ${kind}`, { param: extra[0] })
  if (kind === 'graduated' || kind === 'volume') {
    const counts = by === 'usd' ? 'nano-USD' : 'tokens'
    return { counts, amount: 0n, tiers: (tiers ?? []).map((each, at) => tierIn(each, counts, at)) }
  }
  if (kind === 'commitment' && tokens !== undefined)
    throw new ControlError('invalid_value', 'a commitment is in dollars', { param: 'tokens' })
  if ((tokens === undefined) === (usd === undefined))
    throw new ControlError('invalid_value', 'give either tokens or usd', { param: kind === 'free' ? 'tokens' : 'usd' })
  const counts = tokens === undefined ? 'nano-USD' : 'tokens'
  return { counts, amount: quantity(tokens ?? usd ?? '', counts, tokens === undefined ? 'usd' : 'tokens'), tiers: [] }
}

const tierIn = ({ from, percent }: { from: string; percent: string }, counts: AgreementCounts, at: number): Tier => ({
  from: quantity(from, counts, `tiers/${at}/from`),
  off: exactly(percent, 4, `tiers/${at}/percent`, 'a percentage with at most 4 decimals'),
})

const quantity = (text: string, counts: AgreementCounts, param: string): bigint =>
  counts === 'tokens'
    ? exactly(text, 0, param, 'a whole number of tokens')
    : exactly(text, 9, param, 'an amount of dollars')

function exactly(text: string, places: number, param: string, what: string): bigint {
  const value = parseDecimal(text, places)
  if (value !== undefined) return value
  throw new ControlError('invalid_value', `${JSON.stringify(text)} is not ${what}`, { param })
}

/** What whoever declares it may not have meant. */
function noticeOf({ store }: Factory, before: readonly Agreement[], made: Agreement): string | undefined {
  const { model, from_hour } = made
  const served = servedModels(store)
  if (model !== null && !served.has(model)) return `no engine serves ${model} yet${didYouMean(model, served.keys())}`
  const replaced = agreedIn(before, from_hour).find((one) => placeOfAgreement(one) === placeOfAgreement(made))
  if (!replaced || monthStart(from_hour) === from_hour) return undefined
  return `it takes the place of terms ${replaced.version} within a month, and counts from nothing: with from it begins with a month`
}

type State = 'in force' | 'later' | 'replaced' | 'ends' | 'ended'

function stateOf({ now }: Factory, agreements: readonly Agreement[], one: Agreement): State {
  const hour = hourOf(now())
  if (one.ended) return one.from_hour > hour ? 'ends' : 'ended'
  const peers = agreements.filter(({ tenant }) => tenant === one.tenant)
  if (!agreedIn(peers, Math.max(hour, one.from_hour)).includes(one)) return 'replaced'
  return one.from_hour > hour ? 'later' : 'in force'
}

const shown = (one: Agreement, state: State) => ({
  version: one.version,
  kind: one.kind,
  tenant: one.tenant,
  state,
  ...agreedText(one),
  from: isoOrNull(one.from_hour * hour_ms),
  declared: isoOrNull(one.declared_ms),
  note: one.note,
})

/** What is agreed, in the words in which it is declared. */
export const agreedText = ({ kind, model, class: of, counts, amount, tiers }: Agreement) => ({
  model,
  class: of,
  ...(kind === 'free' || kind === 'commitment'
    ? { [counts === 'tokens' ? 'tokens' : 'usd']: quantityText(amount, counts) }
    : {
        by: counts === 'tokens' ? 'tokens' : 'usd',
        tiers: tiers.map((tier) => ({ from: quantityText(tier.from, counts), percent: formatDecimal(tier.off, 4) })),
      }),
})

export const quantityText = (amount: bigint, counts: AgreementCounts): string =>
  formatDecimal(amount, counts === 'tokens' ? 0 : 9)
