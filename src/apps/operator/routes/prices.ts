import Type from 'typebox'
import { type EngineRecord, servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { listPrices, pricesInForce, setPrice } from '../../../adapters/sqlite/registry/prices.ts'
import { type PriceVersion, priceList, pricesAt } from '../../../books/price.ts'
import type { SloClass } from '../../../books/slo-class.ts'
import { sloClasses } from '../../../books/slo-class.ts'
import { tokenClasses } from '../../../books/usage.ts'
import { sloTerms } from '../../../lines/inference/slo.ts'
import { formatDecimal, type Price, parsePrice } from '../../../units/amount.ts'
import type { SiteId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { didYouMean } from '../nearest.ts'
import { type Caller, type Route, route } from '../router.ts'
import { knownTenant } from '../tenancy.ts'
import { dateMs, isoOrNull } from '../when.ts'

const dollars = Type.String({ description: 'dollars per million tokens, such as 0.25, with at most 9 decimals' })

export const priceRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/prices',
    role: 'viewer',
    of: 'everybody',
    about: 'Prices in force, per million tokens',
    run: (factory, _, { caller }) => ({
      prices: seenBy(caller, pricesInForce(factory.store, factory.now())).map((price) => display(price, true)),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/prices/{model}',
    role: 'viewer',
    of: 'everybody',
    about: 'All versions of the price of a model, oldest first',
    input: { model: Type.String() },
    run: (factory, { model }, { caller }) => {
      const versions = seenBy(caller, listPrices(factory.store, model))
      if (versions.length === 0) {
        const priced = seenBy(caller, listPrices(factory.store)).map((price) => price.model)
        throw new ControlError('not_found', `${model} was never priced${didYouMean(model, priced)}`, {
          param: 'model',
          next: 'wattmill prices list',
        })
      }
      const inForce = new Set(pricesAt(versions, factory.now()).map(({ version }) => version))
      return { prices: versions.map((price) => display(price, inForce.has(price.version))) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/prices',
    role: 'admin',
    about: 'Set a price: a new version, in force from now or a later day',
    input: {
      model: Type.String(),
      input: dollars,
      output: dollars,
      cache_read: Type.Optional(dollars),
      cache_write: Type.Optional(dollars),
      reasoning: Type.Optional(dollars),
      slo: Type.Optional(
        Type.Enum([...sloClasses], {
          description: 'only for requests of this class; all that have no other where not given',
        }),
      ),
      tenant: Type.Optional(
        Type.String({
          maxLength: 100,
          description: 'only for requests of this tenant, before the public list; the public list where not given',
        }),
      ),
      site: Type.Optional(
        Type.String({
          maxLength: 100,
          description: 'only for what is answered at this site; every site that has no other where not given',
        }),
      ),
      refund_percent: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, description: 'what comes back when a first token is late' }),
      ),
      refund_ttft_s: Type.Optional(
        Type.Number({
          minimum: 0.001,
          maximum: 3600,
          description: 'later than this is late; as its class where not given',
        }),
      ),
      hit_percent: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100,
          description:
            'what an answer from the cache costs, of the price of the tokens that it spared; 0 where not given',
        }),
      ),
      from: Type.Optional(Type.String({ description: 'a date such as 2027-01-31' })),
      note: Type.Optional(Type.String({ maxLength: 500 })),
    },
    run: async (
      factory,
      { model, slo, tenant, site, refund_percent, refund_ttft_s, hit_percent, from, note, ...given },
    ) => {
      const now = factory.now()
      const served = servedModels(factory.store)
      const price = setPrice(factory.store, {
        model: id(model),
        effective_from_ms: from === undefined ? now : laterMs(from, now),
        perMillion: priceList(exact('input', given.input), exact('output', given.output), {
          ...optional('cache_read', given.cache_read),
          ...optional('cache_write', given.cache_write),
          ...optional('reasoning', given.reasoning),
        }),
        ...(slo && { slo }),
        ...(tenant && { tenant: knownTenant(factory, tenant) }),
        ...(site && { site: id<SiteId>(site) }),
        ...refundIn(slo, refund_percent, refund_ttft_s),
        ...(hit_percent && { hit_percent }),
        note: note ?? '',
      })
      const notice = served.has(model)
        ? unused(site, served.get(model) ?? [])
        : `no engine serves ${model} yet${didYouMean(model, served.keys())}`
      return {
        ...display(price, price.effective_from_ms <= now),
        ...(notice && { notice }),
        published: await publish(factory),
      }
    },
  }),
]

/** A word about a price for a site at which nothing would be charged by it just now. */
function unused(site: string | undefined, engines: readonly EngineRecord[]): string | undefined {
  const sites = engines.map((engine) => engine.site)
  if (site === undefined || sites.some((each) => each === site)) return undefined
  return `no engine of the model stands at ${site} yet${didYouMean(site, sites)}`
}

/** A word about models that would be given away at a site; undefined when each has a price there. */
export function unpriced(factory: Factory, models: readonly string[], site: SiteId): string | undefined {
  const open = pricesInForce(factory.store, factory.now()).filter(({ slo, tenant }) => !slo && !tenant)
  const priced = new Set(open.filter((price) => !price.site || price.site === site).map(({ model }) => String(model)))
  const [first, ...others] = models.filter((model) => !priced.has(model))
  if (first === undefined) return undefined
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  return `${first}${more} has no price and is booked at 0: wattmill prices set ${first} --input USD --output USD`
}

/** What another tenant's contract says is nobody else's concern. */
const seenBy = (caller: Caller | undefined, prices: readonly PriceVersion[]): PriceVersion[] =>
  prices.filter(({ tenant }) => tenant === undefined || caller?.tenant === undefined || tenant === caller.tenant)

/** A batch is promised an end, not a first token. */
function refundIn(slo: SloClass | undefined, percent: number | undefined, ttft_s: number | undefined) {
  if (percent === undefined) {
    if (ttft_s === undefined) return {}
    throw new ControlError('invalid_value', 'refund_ttft_s says when, refund_percent says how much', {
      param: 'refund_percent',
    })
  }
  if (slo === 'batch')
    throw new ControlError('invalid_value', 'a batch is promised no first token', { param: 'refund_percent' })
  const ttft_ms = Math.round((ttft_s ?? sloTerms[slo ?? 'standard'].ttft) * 1000)
  return { refund: { ttft_ms, percent } }
}

function exact(param: string, text: string): Price {
  const value = parsePrice(text)
  if (value === undefined)
    throw new ControlError(
      'invalid_value',
      `${JSON.stringify(text.slice(0, 40))} is no price in dollars per million tokens (0 or more, at most 9 decimals)`,
      { param },
    )
  return value
}

const optional = (param: string, text: string | undefined): Record<string, Price> =>
  text === undefined ? {} : { [param]: exact(param, text) }

/** A price that began before it was set would say that requests were charged what they were not. */
export function laterMs(from: string, now: number): number {
  const at = dateMs(from, 'from')
  if (at < now - 60_000)
    throw new ControlError('invalid_value', `${from} is over: a price begins now or later`, { param: 'from' })
  return at
}

const display = (price: PriceVersion, inForce: boolean) => ({
  version: price.version,
  model: price.model,
  slo: price.slo ?? null,
  tenant: price.tenant ?? null,
  site: price.site ?? null,
  refund: price.refund ? { percent: price.refund.percent, ttft_s: price.refund.ttft_ms / 1000 } : null,
  hit_percent: price.hit_percent ?? 0,
  in_force: inForce,
  from: isoOrNull(price.effective_from_ms),
  usd_per_million: Object.fromEntries(tokenClasses.map((of) => [of, formatDecimal(price.perMillion[of], 9)])),
  note: price.note,
})
