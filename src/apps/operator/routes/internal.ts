import Type from 'typebox'
import type { SyncRequest } from '../../../adapters/operator/contract.ts'
import { ControlError } from '../errors.ts'
import { type Route, route } from '../router.ts'

const whole = Type.Integer({ minimum: 0 })

/** Between gateways and operator; not reachable from outside the machine. */
export const internalRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/internal/sync',
    about: 'A gateway tells how it is and asks for news',
    input: {
      incarnation: Type.String({ minLength: 1, maxLength: 200 }),
      pid: whole,
      snapshot: whole,
      ready: Type.Boolean(),
      running: whole,
      waiting: whole,
      journal_depth: whole,
      journal_up: Type.Boolean(),
      replicas: Type.Array(Type.Object({ id: Type.String(), up: Type.Boolean(), running: whole }), {
        maxItems: 10_000,
      }),
    },
    run: (factory, request) => {
      if (!factory.live) throw new ControlError('factory_unreachable', 'the operator does not run')
      return factory.live.gateways.sync(request satisfies SyncRequest)
    },
  }),
]
