import Type from 'typebox'
import { declarations, declare } from '../../../adapters/sqlite/costs/declarations.ts'
import { listEngines } from '../../../adapters/sqlite/registry/engines.ts'
import { checkName, isName } from '../../../adapters/sqlite/registry/names.ts'
import { importPrices, type PlannedPrice, planImport } from '../../../adapters/sqlite/registry/price-import.ts'
import { inForce } from '../../../books/cost.ts'
import type { PriceTable, TablePrice } from '../../../books/price-table.ts'
import { globOf, PriceTableError, readPriceTable } from '../../../books/price-table.ts'
import { joined } from '../../../books/tally.ts'
import { tokenClasses } from '../../../books/usage.ts'
import { formatDecimal } from '../../../units/amount.ts'
import type { SiteId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'
import { knownTenant } from '../tenancy.ts'
import { laterMs } from './prices.ts'

/** Names of models that are shown for each reason why something was not taken. */
const shownModels = 5

export const priceImportRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/prices/import',
    role: 'admin',
    about:
      'Take prices from a table in the shape of LiteLLM’s: as prices that tenants pay, or as what an engine costs; the same table again changes nothing',
    input: {
      table: Type.String({ description: 'the table as text, so that its numbers stay as they are written' }),
      only: Type.Optional(Type.String({ maxLength: 200, description: 'names of the table, with * for any text' })),
      prefix: Type.Optional(
        Type.String({ maxLength: 100, description: 'only names that begin so, such as groq/, and without it' }),
      ),
      tenant: Type.Optional(
        Type.String({ maxLength: 100, description: 'into the list of this tenant; else the public list' }),
      ),
      site: Type.Optional(Type.String({ maxLength: 100, description: 'only for what is answered at this site' })),
      engine: Type.Optional(
        Type.String({
          maxLength: 100,
          description: 'as what the models of this engine cost, by their upstream names; no price changes',
        }),
      ),
      from: Type.Optional(Type.String({ description: 'a date such as 2027-01-31; else now' })),
      dry_run: Type.Optional(Type.Boolean({ description: 'say what it would do, and do nothing' })),
      note: Type.Optional(Type.String({ maxLength: 500 })),
    },
    run: async (factory, { table, only = '*', prefix = '', tenant, site, engine, from, dry_run = false, note }) => {
      const now = factory.now()
      const to = { from_ms: from === undefined ? now : laterMs(from, now), note: note ?? 'from a table' }
      const read = named(readTable(table, only, prefix), prefix)
      if (engine !== undefined) {
        if (tenant !== undefined)
          throw new ControlError('invalid_value', 'an engine costs the same whoever asks', { param: 'tenant' })
        if (site !== undefined)
          throw new ControlError('invalid_value', 'an engine stands at one site already', { param: 'site' })
        return { dry_run, of: 'cost', ...costsOf(factory, read, engine, to, dry_run), left_out: leftOut(read) }
      }
      const planned = planImport(factory.store, read.prices, {
        ...to,
        ...(tenant !== undefined && { tenant: knownTenant(factory, tenant) }),
        ...(site !== undefined && { site: siteNamed(site) }),
      })
      const set = dry_run ? [] : importPrices(factory.store, planned)
      const done = { dry_run, of: 'price', ...summary(planned.map(shown)), left_out: leftOut(read) }
      return set.length > 0 ? { ...done, published: await publish(factory) } : done
    },
  }),
]

const siteNamed = (site: string): SiteId => id(checkName('site', 'site', site))

/** A table, or an error that says where it is none. */
export function readTable(table: string, only = '*', prefix = ''): PriceTable {
  const wanted = globOf(only)
  try {
    return readPriceTable(table, (model) => model.startsWith(prefix) && wanted(model))
  } catch (cause) {
    if (!(cause instanceof PriceTableError)) throw cause
    throw new ControlError('invalid_value', `the price table: ${cause.message}`, {
      param: 'table',
      next: 'Correct the table there; nothing of it was taken.',
    })
  }
}

/** Names as they are asked for here; what no model can be called is left out. */
function named({ prices, leftOut }: PriceTable, prefix: string): PriceTable {
  const without = prices.map((one) => ({ ...one, model: one.model.slice(prefix.length) }))
  const [fit, unfit] = [without.filter(({ model }) => isName(model)), without.filter(({ model }) => !isName(model))]
  if (unfit.length === 0) return { prices: fit, leftOut }
  const why = 'has a name that no model can have here'
  return {
    prices: fit,
    leftOut: [...leftOut, { why, field: null, models: [...new Set(unfit.map(({ model }) => model))] }],
  }
}

function costsOf(
  factory: Factory,
  { prices }: PriceTable,
  name: string,
  { from_ms, note }: { readonly from_ms: number; readonly note: string },
  dry: boolean,
) {
  const { store, now } = factory
  const engines = listEngines(store)
  const engine = engines.find((one) => one.name === name)
  if (!engine)
    throw new ControlError(
      'not_found',
      `no engine ${name}${didYouMean(
        name,
        engines.map((one) => one.name),
      )}`,
      {
        param: 'engine',
        next: 'wattmill engines list',
      },
    )
  const listed = new Map(prices.filter(({ slo }) => slo === undefined).map((one) => [one.model, one]))
  const all = declarations(store)
  const planned = Object.entries(engine.models).flatMap(([model, upstream]) => {
    const found = listed.get(upstream)
    if (!found) return []
    const before = inForce(all, 'list', joined(name, model), from_ms)?.terms
    const known = before?.per === 'token' ? before.perMillion : undefined
    const same = known && tokenClasses.every((of) => known[of] === found.perMillion[of])
    return { state: same ? 'unchanged' : known ? 'changed' : 'new', price: { ...found, model } } as const
  })
  if (!dry)
    store.transaction(() => {
      for (const { state, price } of planned)
        if (state !== 'unchanged') {
          const terms = { per: 'token', perMillion: price.perMillion } as const
          declare(store, { kind: 'list', name: joined(name, price.model), from_ms, terms, note }, now())
        }
    })
  return summary(planned.map(shown))
}

const shown = ({ state, price }: Pick<PlannedPrice, 'state'> & { readonly price: TablePrice }) => ({
  state,
  model: price.model,
  slo: price.slo ?? null,
  usd_per_million: Object.fromEntries(tokenClasses.map((of) => [of, formatDecimal(price.perMillion[of], 9)])),
})

const summary = (prices: readonly ReturnType<typeof shown>[]) => ({
  new: prices.filter(({ state }) => state === 'new').length,
  changed: prices.filter(({ state }) => state === 'changed').length,
  unchanged: prices.filter(({ state }) => state === 'unchanged').length,
  prices: prices.filter(({ state }) => state !== 'unchanged'),
})

const leftOut = ({ leftOut: left }: PriceTable) =>
  left.map(({ why, field, models }) => ({
    field,
    why,
    models: models.length,
    such_as: models.slice(0, shownModels),
  }))
