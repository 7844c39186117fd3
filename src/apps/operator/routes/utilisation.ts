import Type from 'typebox'
import { workIn } from '../../../adapters/sqlite/costs/work-hours.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import { utilisation, utilisationDimensions } from '../../../books/utilisation.ts'
import { closedRange, rangeInput } from '../closed-range.ts'
import { plantFacts } from '../plant-facts.ts'
import { type Route, route } from '../router.ts'

export const utilisationRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/books/utilisation',
    role: 'viewer',
    about:
      'How much of the engines was used in whole hours: busy share, MFU and MBU by replica, chip or site; chip-seconds and KV byte-seconds by tenant, application or model',
    input: {
      ...rangeInput,
      by: Type.Optional(Type.Enum([...utilisationDimensions], { description: utilisationDimensions.join(', ') })),
    },
    run: (factory, { from, to, by }) => {
      const { first, end } = closedRange(factory, { from, to })
      const plant = plantFacts(factory.store)
      const time = { from_ms: first * hour_ms, to_ms: end * hour_ms }
      return utilisation({ ...time, ...workIn(factory.store, first, end), plant }, by ?? 'replica')
    },
  }),
]
