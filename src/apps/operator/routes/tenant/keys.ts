/** Keys of a tenant in its own hands: no more of them than its quota, and none with more rights than the key it came with. */
import Type from 'typebox'
import { setAllowances } from '../../../../adapters/sqlite/registry/allowances.ts'
import { allowancesOfKey } from '../../../../adapters/sqlite/registry/budget.ts'
import { findTenant, keysMadeSince } from '../../../../adapters/sqlite/registry/key-quota.ts'
import {
  createKey,
  type KeyRecord,
  listKeys,
  revokeKey,
  rotateKey,
  type ShownKey,
} from '../../../../adapters/sqlite/registry/keys.ts'
import { listRails } from '../../../../adapters/sqlite/registry/rails.ts'
import { sloClasses } from '../../../../books/slo-class.ts'
import { joined } from '../../../../books/tally.ts'
import { exceeding, type KeyRight, type KeyRights } from '../../../../lines/inference/key-rights.ts'
import { ControlError } from '../../errors.ts'
import { type Factory, publish } from '../../factory.ts'
import type { Route } from '../../router.ts'
import { durationMs, expiryMs } from '../../when.ts'
import { checkServed, displayKey, keyLimit } from '../keys.ts'
import { notOwn, type Own, tenantRoute } from './own.ts'

/** Keys that a tenant makes in 24 hours, as often as it revokes them: each stays in the store for good. */
const mostMade = 100
/** With those that take the place of one at once: a key that leaked after so many were made can still be replaced. */
const mostReplaced = 2 * mostMade
/** Two keys at once are for the time of changing over. */
const longestOverlap_ms = 7 * 86_400_000
const id = Type.String({ maxLength: 200, description: "the key's id" })

export const tenantKeyRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/keys',
    about: 'Its keys, without the keys; how many it may have; which of them this key may rotate and revoke',
    run: (factory, own) => {
      const { key_quota, keys } = findTenant(factory.store, own.tenant, factory.now())
      const covers = covering(factory, own)
      return {
        quota: key_quota,
        active: keys,
        makes: whyNoKeys(factory, own) ?? null,
        /** The only application that it makes keys of; null: any. */
        only_app: isBound(factory, own) ? own.key.application : null,
        keys: listKeys(factory.store, own.tenant).map((key) => ({
          ...displayKey(key, factory.now()),
          own: key.id === own.key.id,
          may_change: covers(key),
        })),
      }
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/keys',
    about: 'Create a key with no more rights than this one has; it is shown only in this answer',
    input: {
      app: Type.Optional(Type.String({ description: 'as this key where not given' })),
      models: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1000, description: 'names of models' })),
      expires: Type.Optional(Type.String({ description: 'such as 30d, 12h, or 2027-01-31' })),
      rpm: keyLimit('requests'),
      tpm: keyLimit('tokens'),
      slo: Type.Optional(Type.Enum([...sloClasses], { description: 'interactive, standard or batch' })),
    },
    run: async (factory, own, { app, models, expires, rpm, tpm, slo }) => {
      const { key } = own
      const now = factory.now()
      for (const model of models ?? []) checkMayAsk(factory, own, model)
      const asked = {
        tenant: own.tenant,
        application: app ?? key.application,
        models: models ?? key.models,
        requests_per_minute: rpm ?? key.requests_per_minute,
        tokens_per_minute: tpm ?? key.tokens_per_minute,
        expires_ms: expires === undefined ? key.expires_ms : expiryMs(expires, now),
        slo: slo ?? key.slo,
        by_tenant: true,
      }
      const made = factory.store.transaction(() => {
        const none = whyNoKeys(factory, own)
        if (none !== undefined) throw new ControlError('beyond_own_rights', none)
        checkRights(factory, own, asked)
        checkRoom(factory, own)
        return createKey(factory.store, factory.pepper, asked, now)
      })
      return shown(made, await inForce(factory))
    },
  }),
  tenantRoute({
    method: 'DELETE',
    path: '/keys/{id}',
    about: 'Revoke one of its keys; answers when the live gateways refuse it',
    input: { id },
    run: async (factory, own, { id }) => {
      const found = ownKey(factory, own, id)
      const key = revokeKey(factory.store, found.id, factory.now())
      return { ...displayKey(key, factory.now()), in_force: await inForce(factory) }
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/keys/{id}/rotate',
    about: 'A new key with the same rights, budgets and end; the old one stops now, or after `overlap`',
    input: { id, overlap: Type.Optional(Type.String({ description: 'how long the old key goes on, 7d at most' })) },
    run: async (factory, own, { id, overlap }, call) => {
      const overlap_ms = overlap === undefined ? 0 : durationMs(overlap, 'overlap')
      if (overlap_ms > longestOverlap_ms)
        throw new ControlError('invalid_value', 'the old key may go on for 7d at most', { param: 'overlap' })
      const { old, made } = factory.store.transaction(() => rotated(factory, own, id, overlap_ms))
      factory.live?.admission.moved(call, old.id, made.record.id)
      return shown(made, await inForce(factory))
    },
  }),
]

/** Within a transaction: what another operator changes in between would be counted by neither. */
function rotated(factory: Factory, own: Own, id: string, overlap_ms: number): { old: KeyRecord; made: ShownKey } {
  const old = ownKey(factory, own, id)
  if (old.expires_ms !== null && old.expires_ms <= factory.now())
    throw new ControlError('conflict', `key ${old.id} is expired; make a new one`, { param: 'id' })
  // For a while there are two of it, and each of them has its limits.
  if (overlap_ms > 0) {
    const none = whyNoKeys(factory, { ...own, key: old })
    if (none !== undefined) throw new ControlError('beyond_own_rights', none, { param: 'overlap' })
    checkRoom(factory, own)
  } else if (old.by_tenant) checkPace(factory, own, mostReplaced) // of those that the factory made there are no more than it made
  return { old, made: rotateKey(factory.store, factory.pepper, old.id, overlap_ms, factory.now(), 'tenant') }
}

/** Whether every gateway goes by it already; how many there are is the factory's concern. Null: it is stopped. */
async function inForce(factory: Factory): Promise<boolean | null> {
  const published = await publish(factory)
  return published ? published.confirmed === published.gateways : null
}

const shown = ({ key, record, made }: ShownKey, in_force: boolean | null) => ({
  key,
  ...displayKey(record, record.created_ms),
  made,
  in_force,
})

/** A key with a budget would give each key that it makes another budget like it. */
const whyNoKeys = ({ store }: Factory, { key }: Own): string | undefined =>
  allowancesOfKey(store, key.id).length > 0
    ? 'this key has budgets of its own, which are for it alone: it makes no other keys'
    : undefined

/** Its application keeps its keys to itself. */
function isBound({ store }: Factory, { key: { tenant, application } }: Own): boolean {
  const name = joined(tenant, application)
  return [...setAllowances(store), ...listRails(store)].some(({ scope, of }) => scope === 'application' && of === name)
}

/** Its own key, and those that it could have made. */
function covering(factory: Factory, own: Own): (key: KeyRecord) => boolean {
  const [none, bound] = [whyNoKeys(factory, own), isBound(factory, own)]
  return (key) => key.id === own.key.id || (none === undefined && exceeding(own.key, key, bound) === undefined)
}

/** One of the tenant's keys. What was given may be a whole key: it is not repeated. */
export function keyOf({ store }: Factory, { tenant }: Own, wanted: string): KeyRecord {
  const found = listKeys(store, tenant).find(({ id }) => id === wanted)
  if (found) return found
  throw notOwn('key', wanted.startsWith('wm-') ? `${wanted.slice(0, 11)}…` : wanted)
}

/** One that it may rotate and revoke. */
function ownKey(factory: Factory, own: Own, wanted: string): KeyRecord {
  const found = keyOf(factory, own, wanted)
  if (covering(factory, own)(found)) return found
  throw new ControlError('beyond_own_rights', `key ${found.id} may do more than the key that you came with`, {
    param: 'id',
    next: 'Log in with that key itself, or with one that may do as much.',
  })
}

const said: Record<KeyRight, string> = {
  app: 'the application of this key has budgets or guard rails of its own: it makes keys of that application alone',
  models: 'this key may not ask all of those models',
  rpm: 'that is more requests per minute than this key has',
  tpm: 'that is more tokens per minute than this key has',
  expires: 'this key ends earlier than that',
  slo: 'that class goes before the class of this key',
}

function checkRights(factory: Factory, own: Own, asked: KeyRights): void {
  const right = exceeding(own.key, asked, isBound(factory, own))
  if (right !== undefined) throw new ControlError('beyond_own_rights', said[right], { param: right })
}

/** Of models that it may not ask, a key does not learn which there are. */
function checkMayAsk(factory: Factory, { key }: Own, model: string): void {
  if (key.models === null) return checkServed(factory, model)
  if (!key.models.includes(model)) throw new ControlError('beyond_own_rights', said.models, { param: 'models' })
}

function checkRoom(factory: Factory, own: Own): void {
  const { key_quota, keys } = findTenant(factory.store, own.tenant, factory.now())
  if (keys >= key_quota)
    throw new ControlError(
      'key_quota_reached',
      key_quota === 0
        ? `the factory lets tenant ${own.tenant} make no keys by itself`
        : `tenant ${own.tenant} has ${keys} keys in force, and may make more while it has fewer than ${key_quota}`,
    )
  checkPace(factory, own)
}

function checkPace({ store, now }: Factory, { tenant }: Own, most = mostMade): void {
  if (keysMadeSince(store, tenant, now() - 86_400_000) >= most)
    throw new ControlError('key_quota_reached', `tenant ${tenant} made ${most} keys in 24 hours`, {
      next: 'Wait for some hours; a key that leaked can be revoked at any time.',
    })
}
