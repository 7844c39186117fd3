import { ControlError } from '../errors.ts'
import { type Route, route } from '../router.ts'

export const gatewayRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/gateways/restart',
    role: 'operator',
    about:
      'Replace the gateways one after the other, with the limits and the certificate of the settings as they are now',
    run: async ({ live }) => {
      if (!live) throw new ControlError('factory_unreachable', 'the factory is stopped')
      return { restarted: await live.restartGateways() }
    },
  }),
]
