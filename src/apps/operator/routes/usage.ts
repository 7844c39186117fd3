import Type from 'typebox'
import { costSpans } from '../../../adapters/sqlite/registry/meters.ts'
import { factoryFigures, flows, power, series, usage, usageOver, whereItWent } from '../../../adapters/sqlite/usage.ts'
import { lastMinute, type Range, ranges, untilNow } from '../../../books/range.ts'
import { type Dimension, dimensions } from '../../../books/tally.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'

const oneOf = <const T extends string>(names: readonly T[], usual: T) =>
  Type.Optional(Type.Enum([...names], { description: `${names.join(', ')}; ${usual} where not given` }))
const range = oneOf(Object.keys(ranges) as Range[], '1h')
const dimension = oneOf<Dimension>(dimensions, 'factory')

export const usageRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/flows',
    role: 'viewer',
    about: 'Requests under way, the oldest first',
    run: ({ live }) => ({
      flows: (live?.gateways.list() ?? [])
        .flatMap(({ flows, seen_ms, incarnation }) => flows.map((flow) => ({ ...flow, gateway: incarnation, seen_ms })))
        .sort((a, b) => b.age_ms - a.age_ms),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/floor',
    role: 'viewer',
    about: 'The last minute of the factory: what was drawn, made and earned, and the ways it took',
    run: floor,
  }),
  route({
    method: 'GET',
    path: '/api/usage',
    role: 'viewer',
    about: 'Figures over a range, by model, application, key, engine, site, outcome or cause of waste',
    input: { dimension, range },
    run: (factory, { dimension = 'factory', range = '1h' }) => ({
      at_ms: factory.now(),
      range,
      dimension,
      rows: usageOver(factory.store, dimension, range, factory.now()),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/waste',
    role: 'viewer',
    about: 'Where tokens and energy went over a range: to tenants, to waste by its cause, to idleness',
    input: { range },
    run: ({ store, now }, { range = '1h' }) => ({
      at_ms: now(),
      range,
      rows: whereItWent(store, untilNow(range, now())),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/series',
    role: 'viewer',
    about: 'Figures over a range, slot by slot, of the factory or of one name',
    input: { dimension, name: Type.Optional(Type.String({ maxLength: 1000 })), range },
    run: (factory, { dimension = 'factory', name = '', range = '1h' }) => ({
      at_ms: factory.now(),
      range,
      ...series(factory.store, dimension, name, range, factory.now(), costSpans(factory.store)),
    }),
  }),
]

function floor({ store, now }: Factory) {
  const minute = lastMinute(now())
  const { meters, all } = power(store, minute)
  return {
    at_ms: now(),
    seconds: minute.seconds,
    figures: { ...factoryFigures(store, minute, costSpans(store)), ...all },
    meters,
    engines: usage(store, 'replica', minute),
    models: usage(store, 'model', minute),
    applications: usage(store, 'application', minute),
    flows: flows(store, minute),
  }
}
