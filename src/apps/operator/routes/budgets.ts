import Type from 'typebox'
import { everyAllowance, removeAllowance, setAllowance } from '../../../adapters/sqlite/registry/allowances.ts'
import { findKey } from '../../../adapters/sqlite/registry/keys.ts'
import type { Allowance } from '../../../books/allowance.ts'
import { formatDecimal, parseDecimal } from '../../../units/amount.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { type Route, route } from '../router.ts'

/** How each unit is written: its decimals, so that an amount is exact. */
const written = {
  usd: { unit: 'nano-USD', places: 9 },
  joules: { unit: 'mJ', places: 3 },
  tokens: { unit: 'tokens', places: 0 },
  requests: { unit: 'requests', places: 0 },
  concurrent: { unit: 'concurrent', places: 0 },
} as const satisfies Record<string, { unit: Allowance['unit']; places: number }>
type Written = keyof typeof written

const amount = Type.Optional(Type.String({ description: 'how much, as a decimal number' }))
const name = Type.Optional(Type.String())

export const budgetRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/budgets',
    role: 'viewer',
    about: 'Budgets and limits, and what is left of each',
    run: (factory) => ({
      budgets: everyAllowance(factory.store).map((one) => display(factory, one)),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/budgets',
    role: 'operator',
    about: 'Set how much a key, an application, a tenant or a model may use; setting it again replaces it',
    input: {
      key: name,
      app: Type.Optional(Type.String({ description: 'TENANT/APPLICATION' })),
      tenant: name,
      model: name,
      usd: amount,
      joules: amount,
      tokens: amount,
      requests: amount,
      concurrent: amount,
      per: Type.Optional(Type.Enum(['minute', 'day', 'month', 'never'], { description: 'when it renews' })),
    },
    run: async (factory, { per, ...asked }) => {
      const [unit, text] = onlyOne(asked, Object.keys(written) as Written[], 'one amount')
      const { scope, of } = scopeOf(factory, asked)
      const renews = unit === 'concurrent' ? 'release' : (per ?? 'month')
      if (unit === 'usd' && renews === 'minute')
        throw new ControlError('invalid_value', 'a budget in dollars renews by day, month or never', { param: 'per' })
      const value = parseDecimal(text, written[unit].places)
      if (value === undefined || value < 0n)
        throw new ControlError('invalid_value', `${JSON.stringify(text)} is no amount of ${unit}`, { param: unit })
      const asks = { scope, of, unit: written[unit].unit, renews, amount: value } as const
      const set = setAllowance(factory.store, asks, factory.now())
      return { ...display(factory, set), published: await publish(factory) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/budgets',
    role: 'operator',
    about: 'Take a budget away',
    input: { id: Type.String() },
    run: async (factory, { id }) => {
      removeAllowance(factory.store, id)
      return { id, removed: true, published: await publish(factory) }
    },
  }),
]

/** The one of several fields that is given. */
function onlyOne<Name extends string>(
  asked: { readonly [Field in Name]?: string | undefined },
  names: readonly Name[],
  what: string,
): [Name, string] {
  const given = names.filter((each) => asked[each] !== undefined)
  const [only] = given
  if (!only || given.length > 1)
    throw new ControlError('invalid_value', `give ${what}: ${names.join(', ')}`, { param: given[1] ?? names[0] ?? '' })
  return [only, asked[only] ?? '']
}

function scopeOf(
  factory: Factory,
  asked: { readonly [Field in 'key' | 'app' | 'tenant' | 'model']?: string | undefined },
): Pick<Allowance, 'scope' | 'of'> {
  const [scope, of] = onlyOne(asked, ['key', 'app', 'tenant', 'model'], 'whom it binds')
  if (scope === 'key') return { scope, of: findKey(factory.store, of).id }
  if (scope !== 'app') return { scope, of }
  const [tenant = '', ...rest] = of.split('/')
  if (rest.length === 0)
    throw new ControlError('invalid_value', '--app is TENANT/APPLICATION here', {
      param: 'app',
      next: 'wattmill apps list',
    })
  return { scope: 'application', of: `${encodeURIComponent(tenant)}/${encodeURIComponent(rest.join('/'))}` }
}

const display = (factory: Factory, one: Allowance) => ({
  id: one.id,
  scope: one.scope,
  of: one.scope === 'application' ? one.of.split('/').map(decodeURIComponent).join('/') : one.of,
  ...amountText(factory, one),
})

/** How much of what, and what is left of it. */
export function amountText({ live, now }: Factory, one: Allowance) {
  const form = Object.entries(written).find(([, { unit }]) => unit === one.unit)
  const places = form?.[1].places ?? 0
  const left = live?.leases.left(one, now())
  return {
    unit: form?.[0] ?? one.unit,
    per: one.renews,
    amount: formatDecimal(one.amount, places),
    /** Not leased to any gateway; null: nobody keeps it while the factory is stopped. */
    left: left === undefined ? null : formatDecimal(left, places),
  }
}
