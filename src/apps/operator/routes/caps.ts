import Type from 'typebox'
import { lastDecision, listDecisions } from '../../../adapters/sqlite/cap-decisions.ts'
import {
  addEvent,
  type EventRecord,
  findLimit,
  type LimitRecord,
  listLimits,
  removeEvent,
  removeLimit,
  setLimit,
} from '../../../adapters/sqlite/registry/power.ts'
import type { LimitState } from '../../../control/cap/decision.ts'
import { limitAt } from '../../../control/cap/limit.ts'
import { watts } from '../../../units/quantity.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { dateMs, durationMs, isoOrNull } from '../when.ts'

const name = Type.String({ minLength: 1, maxLength: 100 })
const power = { minimum: 1, maximum: 2_000_000_000 }

export const capRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/caps',
    role: 'viewer',
    about:
      'Limits of power: what is drawn, planned and reserved under each, who is held to what, and what is out of hand',
    run: (factory) => stateOf(factory),
  }),
  route({
    method: 'PUT',
    path: '/api/caps/{name}',
    role: 'admin',
    about: 'Limit what engines draw together; setting it again replaces it, its events stay',
    input: {
      name,
      watts: Type.Integer({ ...power, description: 'what must not be exceeded' }),
      other_watts: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: power.maximum,
          description: 'the most that is drawn by what nobody here can turn down',
        }),
      ),
      engines: Type.Optional(Type.Array(name, { maxItems: 10_000, description: 'engines under it; left out: all' })),
      devices: Type.Optional(
        Type.Boolean({
          description: 'hold NVIDIA boards of this machine by their own power limits (nvidia-smi, as root)',
        }),
      ),
    },
    run: async (factory, asked) => {
      const { other_watts = 0, engines, devices = false } = asked
      const limit = {
        name: asked.name,
        limit: watts(asked.watts),
        other: watts(other_watts),
        engines: engines ?? null,
        devices,
      }
      if (other_watts >= asked.watts)
        throw new ControlError('invalid_value', `${other_watts} W of ${asked.watts} W leave nothing for engines`, {
          param: 'other_watts',
        })
      setLimit(factory.store, limit, factory.now())
      return { ...shown(factory, findLimit(factory.store, asked.name)), published: await publish(factory) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/caps/{name}',
    role: 'admin',
    about: 'Limit it no more',
    input: { name },
    run: async (factory, asked) => {
      const limit = removeLimit(factory.store, asked.name)
      return { name: limit.name, removed: true, published: await publish(factory) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/caps/{name}/events',
    role: 'admin',
    about: 'A time in which a limit is lower: demand response, a brown-out, a peak of the tariff',
    input: {
      name,
      watts: Type.Integer({ ...power, description: 'what must not be exceeded then' }),
      from: Type.Optional(Type.String({ description: 'a date such as 2027-01-31T17:00:00Z; left out: now' })),
      for: Type.Optional(Type.String({ description: 'such as 2h; or until' })),
      until: Type.Optional(Type.String({ description: 'a date' })),
      note: Type.Optional(Type.String({ maxLength: 500 })),
    },
    run: (factory, { name: of, watts: limit, from, for: lasts, until, note = '' }) => {
      const now = factory.now()
      const from_ms = from === undefined ? now : dateMs(from, 'from')
      if ((lasts === undefined) === (until === undefined))
        throw new ControlError('invalid_value', 'say how long it lasts: `for` (such as 2h) or `until` (a date)', {
          param: 'for',
        })
      const until_ms = lasts === undefined ? dateMs(until ?? '', 'until') : from_ms + durationMs(lasts, 'for')
      if (until_ms <= Math.max(from_ms, now))
        throw new ControlError('invalid_value', 'it would be over before it begins', { param: 'until' })
      return event(addEvent(factory.store, of, { limit: watts(limit), from_ms, until_ms, note }, now), of)
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/caps/events/{id}',
    role: 'admin',
    about: 'It does not take place, or is over now',
    input: { id: name },
    run: (factory, { id }) => {
      removeEvent(factory.store, id)
      return { id, removed: true }
    },
  }),
  route({
    method: 'GET',
    path: '/api/caps/decisions',
    role: 'viewer',
    about:
      'What was decided of power, when it changed something, with a hash of what it was made from; the newest first',
    input: { limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$' })) },
    run: ({ store }, { limit = '20' }) => ({
      decisions: listDecisions(store, Number(limit)).map(({ at_ms, settings, later: _, ...one }) => ({
        ...one,
        at: new Date(at_ms).toISOString(),
        settings: settings.map(settingShown),
      })),
    }),
  }),
]

function stateOf(factory: Factory) {
  const { live, store } = factory
  const limits = listLimits(store).map((limit) => shown(factory, limit))
  const now = live?.power.now
  const last = limits.length > 0 ? lastDecision(store) : undefined
  return {
    limits,
    settings: (last?.settings ?? []).map(settingShown),
    held: last?.held ?? [],
    alarms: now?.alarms ?? last?.alarms ?? [],
    decided: isoOrNull(now?.at_ms ?? last?.at_ms ?? null),
  }
}

function shown({ live, now }: Factory, limit: LimitRecord) {
  const state = live?.power.now?.limits.find(({ name }) => name === limit.name)
  return {
    name: limit.name,
    watts: limit.limit,
    other_watts: limit.other,
    engines: limit.engines,
    devices: limit.devices,
    now_watts: limitAt(limit, now()),
    /** Null until somebody has looked. */
    state: state ? figures(state) : null,
    events: limit.events.map((one) => event(one, limit.name)),
  }
}

/** Whole watts. `drawn` is what meters show, as good as they are, and what is reserved; `planned` is estimated. */
const figures = ({ drawn, planned, reserved, correction, ahead, binds }: LimitState) => ({
  drawn_watts: Math.round(drawn),
  planned_watts: Math.round(planned),
  reserved_watts: Math.round(reserved),
  correction_watts: Math.round(correction),
  ahead_watts: Math.round(ahead),
  binds,
})

const settingShown = ({
  load,
  engines,
  power: held,
}: ReturnType<typeof listDecisions>[number]['settings'][number]) => ({
  load,
  engines: Object.fromEntries(engines),
  power_watts: held,
})

const event = ({ id, limit, from_ms, until_ms, note }: EventRecord, of: string) => ({
  id,
  of,
  watts: limit,
  from: new Date(from_ms).toISOString(),
  until: new Date(until_ms).toISOString(),
  note,
})
