import Type from 'typebox'
import type { LeaseReply } from '../../../adapters/operator/contract.ts'
import { leaseAskOf, wireGrant } from '../../../adapters/operator/contract.ts'
import type { Counts } from '../../../adapters/prometheus/recorder.ts'
import { sloClasses } from '../../../books/slo-class.ts'
import type { Incarnation } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import { ControlError } from '../errors.ts'
import type { Told } from '../gateways.ts'
import { type Route, route } from '../router.ts'

const whole = Type.Integer({ minimum: 0 })

/** Between gateways and operator; not reachable from outside the machine. */
const decimal = Type.String({ pattern: '^-?[0-9]{1,30}$' })

export const internalRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/internal/sync',
    role: 'gateway',
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
      peers: whole,
      replicas: Type.Array(Type.Object({ id: Type.String(), up: Type.Boolean(), running: whole }), {
        maxItems: 10_000,
      }),
      models: Type.Array(Type.Object({ model: Type.String(), running: whole, waiting: whole }), { maxItems: 10_000 }),
      demands: Type.Optional(
        Type.Array(
          Type.Object({
            model: Type.String(),
            slo: Type.Enum([...sloClasses]),
            requests: whole,
            worth: Type.Number({ minimum: 0 }),
          }),
          { maxItems: 10_000 },
        ),
      ),
      flows: Type.Array(
        Type.Object({
          id: Type.String(),
          tenant: Type.String(),
          application: Type.String(),
          model: Type.String(),
          engine: Type.Union([Type.String(), Type.Null()]),
          phase: Type.String(),
          attempt: whole,
          tokens: whole,
          age_ms: whole,
        }),
        { maxItems: 1000 },
      ),
      metrics: Type.Object({
        number: Type.Integer({ minimum: 1 }),
        counts: Type.Record(
          Type.String(),
          Type.Union([Type.Number(), Type.Array(Type.Number(), { minItems: 2, maxItems: 100 })]),
        ),
      }),
    },
    run: (factory, { metrics: { number, counts }, ...told }) => {
      if (!factory.live) throw new ControlError('factory_unreachable', 'the operator does not run')
      factory.live.totals.take(told.incarnation, { number, counts: counts as Counts })
      return factory.live.gateways.sync(told satisfies Told)
    },
  }),
  route({
    method: 'POST',
    path: '/internal/lease',
    role: 'gateway',
    about: 'A gateway asks for parts of allowances, and gives back what it does not need',
    input: {
      incarnation: Type.String({ minLength: 1, maxLength: 200 }),
      asks: Type.Array(
        Type.Object({
          allowance: Type.String({ maxLength: 1000 }),
          period: Type.Integer(),
          free: decimal,
          reserved: decimal,
          returned: decimal,
          want: decimal,
          ahead: decimal,
        }),
        { maxItems: 100_000 },
      ),
    },
    run: (factory, { incarnation, asks }): LeaseReply => {
      if (!factory.live) throw new ControlError('factory_unreachable', 'the operator does not run')
      const { grants, recalls } = factory.live.leases.answer(
        id<Incarnation>(incarnation),
        asks.map(leaseAskOf),
        factory.now(),
      )
      return { grants: grants.map(wireGrant), recalls }
    },
  }),
]
