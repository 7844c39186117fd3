import Type from 'typebox'
import { enginesNow } from '../engines-now.ts'
import { ControlError } from '../errors.ts'
import { foretold } from '../forecasts.ts'
import { type Route, route } from '../router.ts'
import { dateMs, monthEndMs, monthStartMs } from '../when.ts'

export const economicRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/economics',
    role: 'viewer',
    about: 'The last minutes of each engine: tokens, dollars per million tokens, joules per token, and its own word',
    run: (factory) => {
      if (!factory.live) throw new ControlError('factory_unreachable', 'there is no now in a stopped factory')
      return enginesNow(factory, factory.live)
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/forecast',
    role: 'viewer',
    of: 'field',
    about:
      'What a month will come to in dollars, tokens and energy: an estimate with an interval that was tested on the past',
    input: {
      tenant: Type.Optional(Type.String()),
      model: Type.Optional(Type.String()),
      from: Type.Optional(Type.String({ description: 'a date; the first of this month where not given' })),
      to: Type.Optional(Type.String({ description: 'a date to come; the end of this month where not given' })),
    },
    run: (factory, { tenant, model, from, to }) => {
      if (tenant !== undefined && model !== undefined)
        throw new ControlError('invalid_value', 'a forecast is of a tenant or of a model', { param: 'model' })
      const now = factory.now()
      const from_ms = from === undefined ? monthStartMs(now) : dateMs(from, 'from')
      return foretold(factory, { tenant, model }, from_ms, to === undefined ? monthEndMs(now) : dateMs(to, 'to'))
    },
  }),
]
