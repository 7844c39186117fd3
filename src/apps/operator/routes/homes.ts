import Type from 'typebox'
import { abandonNode, listNodes } from '../../../adapters/sqlite/nodes.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'

export const homeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/homes',
    role: 'viewer',
    about: 'Homes whose operators share the store; of a store that is a file there are none',
    run: (factory) => ({ homes: homesOf(factory) }),
  }),
  route({
    method: 'POST',
    path: '/api/homes/{number}/abandon',
    role: 'admin',
    about:
      'Give up a home that is lost: joules, hours and roll-ups wait no longer for what its gateways may have journaled',
    input: { number: Type.String({ pattern: '^[1-9]\\d{0,8}$', description: 'as GET /api/homes numbers it' }) },
    run: (factory, { number }) => {
      if (!factory.live) throw new ControlError('factory_unreachable', 'the factory is stopped')
      abandonNode(factory.store, Number(number), factory.now())
      return homesOf(factory).find((one) => one.number === Number(number))
    },
  }),
]

/** Those that share the store, when there are several. */
export const homesOf = ({ store, now }: Factory) =>
  listNodes(store).map(({ number, host, gateways, seen_ms, read_to_ms, abandoned_ms }) => ({
    number,
    host,
    gateways,
    stopped: read_to_ms === null && abandoned_ms === null,
    abandoned: abandoned_ms !== null,
    age_ms: now() - seen_ms,
  }))
