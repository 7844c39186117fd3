import Type from 'typebox'
import { presetOf } from '../../../adapters/openai/presets/table.ts'
import { lastInterval } from '../../../adapters/sqlite/figures.ts'
import { findEngine, keepContexts } from '../../../adapters/sqlite/registry/engines.ts'
import { metersOf } from '../../../adapters/sqlite/registry/meters.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { probe } from '../probe.ts'
import { probeMetrics } from '../probe-metrics.ts'
import { type Route, route } from '../router.ts'
import { planSurvey, surveyEngine } from '../survey.ts'

const name = Type.String()
const model = Type.Optional(
  Type.String({ maxLength: 200, description: 'which of its models is asked, by its public name; left out: its first' }),
)

export const probeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/engines/{name}/probe',
    role: 'viewer',
    about: 'What a survey of an engine would ask of it, and how many tokens that costs at most',
    input: { name, model },
    run: (factory, { name, model }) => planSurvey(findEngine(factory.store, name), model),
  }),
  route({
    method: 'POST',
    path: '/api/engines/{name}/probe',
    role: 'operator',
    about:
      'Ask an engine now whether it answers, and for its models; with `survey` also what it does with each field, which costs some tokens',
    input: { name, survey: Type.Optional(Type.Boolean()), model },
    run: async (factory, { name, survey = false, model }) => {
      const probed = await probeEngine(factory, name)
      return survey ? { ...probed, survey: await surveyEngine(findEngine(factory.store, name), model) } : probed
    },
  }),
]

async function probeEngine(factory: Factory, name: string) {
  const engine = findEngine(factory.store, name)
  if (engine.url !== null) {
    const preset = presetOf(engine.product)
    const found = await probe(engine.url, engine.key_from, preset)
    keepContexts(factory.store, name, found.contexts)
    const listed = preset.lists === 'catalogue' ? Object.values(engine.models) : found.models
    const missing = Object.values(engine.models).filter((upstream) => !listed.includes(upstream))
    const isSilent = preset.hosted && engine.metrics_url === null
    const metrics = isSilent ? undefined : await probeMetrics(found.url, engine.metrics_url ?? undefined, undefined)
    return {
      name,
      up: true,
      url: found.url,
      took_ms: found.took_ms,
      found: found.models,
      missing,
      metrics: metrics ?? null,
      meters: metersOf(factory.store, name).map((meter) => meterState(factory, meter.name)),
    }
  }
  const status = factory.live?.engine.status()
  if (!status)
    throw new ControlError('engine_host_down', 'the embedded engine does not run', {
      next: factory.live ? 'wattmill status' : 'wattmill up',
    })
  // One that is not in memory is loaded when it is asked for.
  const found = status.models.filter((model) => model.state !== 'failed').map((model) => model.model)
  return {
    name,
    up: true,
    url: null,
    found,
    missing: Object.keys(engine.models).filter((model) => !found.includes(model)),
  }
}

/** A meter with the age of its last interval; null: none is booked yet. */
function meterState(factory: Factory, meter: string) {
  const last = lastInterval(factory.store.database, meter)
  return { meter, grade: last?.grade ?? null, age_s: last ? Math.round((factory.now() - last.to_ms) / 100) / 10 : null }
}
