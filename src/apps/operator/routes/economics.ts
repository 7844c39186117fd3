import { enginesNow } from '../engines-now.ts'
import { ControlError } from '../errors.ts'
import { type Route, route } from '../router.ts'

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
]
