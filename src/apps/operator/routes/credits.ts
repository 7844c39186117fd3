import Type from 'typebox'
import { listCredits, tenantsWithCredit } from '../../../adapters/sqlite/terms/agreed.ts'
import { creditNow, isCreditOnly, setCreditOnly } from '../../../adapters/sqlite/terms/credit-only.ts'
import { endsAt_ms, grantCredit, returnCredit } from '../../../adapters/sqlite/terms/credits.ts'
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import type { Credit } from '../../../books/terms/credit.ts'
import { creditKinds, creditState } from '../../../books/terms/credit.ts'
import { formatDollars, nanoDollars, parseDecimal } from '../../../units/amount.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { knownTenant } from '../tenancy.ts'
import { hourIn, isoOrNull } from '../when.ts'

const tenant = Type.String({ maxLength: 100 })

export const creditRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/credits',
    role: 'viewer',
    of: 'field',
    about: 'Credits of a tenant or of all: what was granted, what is left, and whether nothing else pays',
    input: { tenant: Type.Optional(tenant) },
    run: (factory, asked) => {
      const tenants =
        asked.tenant === undefined ? tenantsWithCredit(factory.store) : [knownTenant(factory, asked.tenant)]
      return { tenants: tenants.map((each) => display(factory, each)) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/credits',
    role: 'admin',
    about: 'Grant a credit, bought or given: it pays the tenant’s charges until it is used up or ends',
    input: {
      tenant,
      usd: Type.String({ maxLength: 40, description: 'dollars, such as 500 or 0.5, with at most 9 decimals' }),
      kind: Type.Optional(
        Type.Enum([...creditKinds], {
          description:
            'prepaid (default): it was paid for, and is owed until it is used; promo: a gift, and no revenue',
        }),
      ),
      id: Type.Optional(
        Type.String({
          maxLength: 100,
          description: 'such as the number of the invoice: the same credit again under the same id is granted once',
        }),
      ),
      from: Type.Optional(Type.String({ description: 'a date such as 2027-01-31, on a whole hour; else now' })),
      expires: Type.Optional(
        Type.String({ description: 'a date such as 2027-12-31, on a whole hour: from then on it pays nothing' }),
      ),
      note: Type.Optional(Type.String({ maxLength: 500 })),
    },
    run: async (factory, { usd, kind = 'prepaid', id, from, expires, note = '', ...asked }) => {
      const amount = parseDecimal(usd, 9)
      if (amount === undefined)
        throw new ControlError('invalid_value', `${JSON.stringify(usd)} is no amount of dollars`, { param: 'usd' })
      const { credit, isNew } = grantCredit(
        factory.store,
        {
          tenant: knownTenant(factory, asked.tenant),
          kind,
          amount: nanoDollars(amount),
          id,
          from_hour: from === undefined ? undefined : hourIn(from, 'from'),
          until_hour: expires === undefined ? null : hourIn(expires, 'expires'),
          note,
        },
        factory.now(),
      )
      return { ...shown(credit), granted_before: !isNew, published: await publish(factory) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/credits/{id}/return',
    role: 'admin',
    about: 'End a credit: what is left of it when this hour is over goes back',
    input: { id: Type.String({ maxLength: 100 }) },
    run: (factory, { id }) => shown(returnCredit(factory.store, id, factory.now())),
  }),
  route({
    method: 'PUT',
    path: '/api/credits/only',
    role: 'admin',
    about: 'Serve a tenant only for as long as its credit lasts, or again whatever it asks for',
    input: { tenant, only: Type.Boolean({ description: 'true or false' }) },
    run: async (factory, asked) => {
      const of = knownTenant(factory, asked.tenant)
      setCreditOnly(factory.store, of, asked.only, factory.now())
      return { ...display(factory, of), published: await publish(factory) }
    },
  }),
]

const shown = (credit: Credit) => ({
  id: credit.id,
  tenant: credit.tenant,
  kind: credit.kind,
  usd: formatDollars(credit.amount),
  granted: isoOrNull(credit.granted_ms),
  from: isoOrNull(credit.from_hour * hour_ms),
  until: isoOrNull(endsAt_ms(credit)),
  returned: credit.returned,
  note: credit.note,
})

/** Each credit of a tenant with what is left of it: provisional by the hour under way, of which nothing is posted yet. */
export function creditsNow({ store, now }: Factory, tenant: string) {
  const at_ms = now()
  const { left } = creditNow(store, tenant, at_ms)
  return listCredits(store, tenant).map((credit) => {
    const amount = left.get(credit.id) ?? 0n
    return { credit, left: nanoDollars(amount), state: creditState(credit, amount, hourOf(at_ms)) }
  })
}

const display = (factory: Factory, tenant: string) => ({
  tenant,
  only_credit: isCreditOnly(factory.store, tenant),
  credits: creditsNow(factory, tenant).map(({ credit, left, state }) => ({
    ...shown(credit),
    left_usd: formatDollars(left),
    state,
  })),
})
