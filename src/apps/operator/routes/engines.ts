import Type from 'typebox'
import { listPricesOf, priceHint } from '../../../adapters/openai/presets/list-price.ts'
import type { Preset } from '../../../adapters/openai/presets/preset.ts'
import { presetNames } from '../../../adapters/openai/presets/table.ts'
import {
  addEngine,
  drainEngine,
  type EngineRecord,
  findEngine,
  listEngines,
  moveEngine,
  removeEngine,
  servedModels,
} from '../../../adapters/sqlite/registry/engines.ts'
import { costSpans, metersOf, setCost } from '../../../adapters/sqlite/registry/meters.ts'
import type { CostSpan } from '../../../books/economics.ts'
import { accelerators, findAccelerator } from '../../../plant/chips/catalogue.ts'
import { mainSite } from '../../../plant/infrastructure/site.ts'
import { formatDollars, type NanoDollars, nanoDollars, parseDecimal } from '../../../units/amount.ts'
import type { SiteId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { meterForms, parseMeter, resolveMeters } from '../meter-spec.ts'
import { didYouMean } from '../nearest.ts'
import { addressOf, chosen, presetFor } from '../preset-choice.ts'
import { probe } from '../probe.ts'
import { metricsHint, probeMetrics } from '../probe-metrics.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'
import { unpriced } from './prices.ts'

const name = Type.String()

/** What one vLLM on one GPU takes before it queues by itself; an upstream that bears more says so with --concurrency. */
const usualConcurrency = 64

export const engineRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/engines',
    role: 'viewer',
    about: 'List engines and what they serve',
    run: (factory) => ({ engines: listEngines(factory.store).map((engine) => display(factory, engine)) }),
  }),
  route({
    method: 'POST',
    path: '/api/engines',
    role: 'admin',
    about: 'Add an engine with the API of OpenAI or of Anthropic; it is asked for its models first',
    input: {
      name,
      url: Type.Optional(
        Type.String({
          maxLength: 2000,
          description: 'a base URL such as http://127.0.0.1:8000/v1; left out: that of the preset',
        }),
      ),
      vendor: Type.Optional(
        Type.Union(
          presetNames.map((preset) => Type.Literal(preset)),
          { description: 'the preset: which engine or hosted API it is, and so whose API it has' },
        ),
      ),
      key_from: Type.Optional(Type.String({ maxLength: 2000, description: 'env:NAME or file:PATH' })),
      concurrency: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 65_536, description: 'requests at once, from 1 to 65536' }),
      ),
      chips: Type.Optional(
        Type.String({
          pattern: '^[a-z0-9][a-z0-9.-]{0,40}(:[1-9][0-9]{0,4})?$',
          description: 'a chip and how many: h200:8',
        }),
      ),
      site: Type.Optional(
        Type.String({ maxLength: 100, description: 'where it stands, such as eu-north; main where not given' }),
      ),
      cost_per_hour: Type.Optional(
        Type.String({ description: 'US dollars per hour for all of it, such as 24 or 1.49' }),
      ),
      meters: Type.Optional(Type.Array(Type.String({ maxLength: 4000 }), { maxItems: 16, description: meterForms })),
      metrics_url: Type.Optional(
        Type.String({ maxLength: 2000, description: 'its page of metrics, where it is not found by itself' }),
      ),
      models: Type.Optional(
        Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 200 }), {
          description: 'public name → name at the engine',
        }),
      ),
    },
    run: async (factory, asked) => {
      const taken = listEngines(factory.store).find((engine) => engine.name === asked.name)
      if (taken)
        throw new ControlError('conflict', `there is an engine ${asked.name} already`, {
          param: 'name',
          next: `wattmill engines remove ${asked.name}   (or choose another name)`,
        })
      const perHour = asked.cost_per_hour === undefined ? undefined : costPerHour(asked.cost_per_hour, 'cost_per_hour')
      const specs = (asked.meters ?? []).map((text) => parseMeter(text, factory.prometheus))
      const url = addressOf(asked.vendor, asked.url)
      const preset = presetFor(asked.vendor, url, asked.key_from)
      const found = await probe(url, asked.key_from ?? null, preset)
      const models = chosen(asked.models, found.models, preset)
      const declared = preset.metrics ?? undefined
      const isSilent = preset.hosted && asked.metrics_url === undefined
      const metrics = isSilent ? undefined : await probeMetrics(found.url, asked.metrics_url, declared)
      const meters = await resolveMeters(asked.name, specs, factory.now)
      const shared = alsoServed(factory, Object.keys(models))
      addEngine(
        factory.store,
        {
          name: asked.name,
          vendor: preset.api,
          product: preset.id === 'unknown' ? (metrics?.kind ?? null) : preset.id,
          url: found.url,
          key_from: asked.key_from ?? null,
          metrics_url: metrics?.url ?? null,
          chips: asked.chips ?? null,
          ...(asked.site !== undefined && { site: id<SiteId>(asked.site) }),
          concurrency: asked.concurrency ?? usualConcurrency,
          models,
          created_ms: factory.now(),
        },
        { meters, costPerHour: perHour, contexts: found.contexts },
      )
      factory.live?.telemetry.apply()
      const published = await publish(factory)
      const notices = [
        unpriced(factory, Object.keys(models), id(asked.site ?? mainSite)),
        listed(preset, models),
        unknownChip(asked.chips),
        isSilent ? undefined : metricsHint(metrics, declared),
        ...preset.notes,
      ]
      const added = display(factory, findEngine(factory.store, asked.name))
      return {
        ...added,
        took_ms: found.took_ms,
        shared,
        notices: notices.filter((one) => one !== undefined),
        published,
      }
    },
  }),
  route({
    method: 'POST',
    path: '/api/engines/{name}/drain',
    role: 'operator',
    about: 'Take an engine out of routing, or with `undo` put it back; requests under way end in peace',
    input: { name, undo: Type.Optional(Type.Boolean()) },
    run: async (factory, { name, undo = false }) => {
      const engine = drainEngine(factory.store, name, !undo)
      const published = await publish(factory)
      return { ...display(factory, engine), published }
    },
  }),
  route({
    method: 'POST',
    path: '/api/engines/{name}/site',
    role: 'admin',
    about: 'Say where an engine stands from now on; what it answered and cost until now stays where it was',
    input: { name, site: Type.String({ maxLength: 100, description: 'such as eu-north' }) },
    run: async (factory, { name, site }) => {
      const engine = moveEngine(factory.store, name, id<SiteId>(site), factory.now())
      return { ...display(factory, engine), published: await publish(factory) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/engines/{name}/cost',
    role: 'admin',
    about: 'Declare what an engine costs per hour from now on; 0 takes the declaration back',
    input: { name, per_hour: Type.String({ description: 'US dollars per hour for all of it, such as 24 or 1.49' }) },
    run: (factory, { name, per_hour }) => {
      findEngine(factory.store, name)
      setCost(factory.store, name, costPerHour(per_hour, 'per_hour'), factory.now())
      return display(factory, findEngine(factory.store, name))
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/engines/{name}',
    role: 'admin',
    about: 'Remove an engine; requests under way end in peace',
    input: { name },
    run: async (factory, { name }) => {
      removeEngine(factory.store, name, factory.now())
      factory.live?.telemetry.apply()
      return { name, removed: true, published: await publish(factory) }
    },
  }),
]

function costPerHour(text: string, param: string): NanoDollars {
  const value = parseDecimal(text, 9)
  if (value === undefined || value < 0n || value > 10n ** 15n)
    throw new ControlError('invalid_value', 'the cost is no amount of dollars', {
      param,
      next: 'Give dollars per hour for the whole engine, such as 24 or 1.49',
    })
  return nanoDollars(value)
}

/** What the provider takes for the first of them that it has a list price of; nothing is set by itself. */
function listed({ id, title }: Preset, models: Readonly<Record<string, string>>): string | undefined {
  const prices = listPricesOf(id)
  const [model, upstream = ''] = Object.entries(models).find(([, name]) => prices.has(name)) ?? []
  const price = prices.get(upstream)
  return model !== undefined && price ? priceHint(title, model, price) : undefined
}

function unknownChip(chips: string | undefined): string | undefined {
  const id = chips?.split(':')[0]
  if (id === undefined || findAccelerator(id)) return undefined
  const meant = didYouMean(
    id,
    accelerators.map((one) => one.id),
  )
  return `there are no facts on a chip ${id}${meant}`
}

/** Models with another replica: from now on requests for them are spread, which is meant only when both are the same. */
const alsoServed = (factory: Factory, models: readonly string[]): { model: string; engines: string[] }[] => {
  const served = servedModels(factory.store)
  return models.flatMap((model) => {
    const engines = served.get(model)?.map((engine) => engine.name)
    return engines ? [{ model, engines }] : []
  })
}

function display(factory: Factory, engine: EngineRecord) {
  const views = (factory.live?.gateways.list() ?? []).flatMap((gateway) =>
    gateway.replicas.filter(({ id }) => id === engine.name),
  )
  return {
    name: engine.name,
    vendor: engine.product ?? engine.vendor,
    url: engine.url,
    key_from: engine.key_from,
    metrics_url: engine.metrics_url,
    chips: engine.chips,
    site: engine.site,
    cost_per_hour_usd: costNow(costSpans(factory.store), engine.name),
    meters: metersOf(factory.store, engine.name).map(({ name }) => name),
    concurrency: engine.concurrency,
    draining: engine.draining,
    // Unknown until a gateway has tried it.
    up: views.length === 0 ? null : views.some((view) => view.up),
    running: views.reduce((sum, view) => sum + view.running, 0),
    models: engine.models,
    created: isoOrNull(engine.created_ms),
  }
}

const costNow = (spans: readonly CostSpan[], engine: string): string | null => {
  const span = spans.find((one) => one.engine === engine && one.until_ms === null)
  return span ? formatDollars(span.perHour) : null
}
