import Type from 'typebox'
import { listAliases } from '../../../adapters/sqlite/registry/aliases.ts'
import { servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import {
  createKey,
  findKey,
  type KeyRecord,
  listKeys,
  revokeKey,
  rotateKey,
  type ShownKey,
} from '../../../adapters/sqlite/registry/keys.ts'
import { sloClasses } from '../../../books/slo-class.ts'
import { parseDecimal } from '../../../units/amount.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'
import { durationMs, expiryMs, isoOrNull } from '../when.ts'

export const keyLimit = (what: string) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: `${what} per minute, a whole number from 1` }),
  )
const id = Type.String({ description: "the key's id, or its first characters" })

/** Whose key it is. */
const keyOwner = (factory: Factory, { id }: { readonly id?: unknown }) => findKey(factory.store, String(id)).tenant

/** One hour: long enough to try things out, too short to be forgotten in a script. */
const tryKey_ms = 3600 * 1000

export const keyRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/keys',
    role: 'operator',
    of: 'field',
    about: 'Create a key; it is shown only in this answer',
    input: {
      tenant: Type.String({ description: 'the tenant who pays' }),
      app: Type.Optional(Type.String()),
      models: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1000, description: 'names of models' })),
      expires: Type.Optional(Type.String({ description: 'such as 30d, 12h, or 2027-01-31' })),
      rpm: keyLimit('requests'),
      tpm: keyLimit('tokens'),
      slo: Type.Optional(Type.Enum([...sloClasses], { description: 'interactive, standard or batch' })),
      budget_usd: Type.Optional(Type.String({ description: 'dollars that it may spend in all, such as 25' })),
    },
    run: async (factory, { tenant, app = 'default', models, expires, rpm, tpm, slo = 'standard', budget_usd }) => {
      for (const model of models ?? []) checkServed(factory, model)
      const now = factory.now()
      const asked = {
        tenant,
        application: app,
        models: models ?? null,
        requests_per_minute: rpm ?? null,
        tokens_per_minute: tpm ?? null,
        expires_ms: expires === undefined ? null : expiryMs(expires, now),
        slo,
      }
      const budget = budget_usd === undefined ? undefined : dollars(budget_usd)
      return shown(createKey(factory.store, factory.pepper, asked, now, budget), await publish(factory))
    },
  }),
  route({
    method: 'GET',
    path: '/api/keys',
    role: 'viewer',
    of: 'field',
    about: 'List keys, without the keys',
    input: { tenant: Type.Optional(Type.String()) },
    run: (factory, { tenant }) => ({
      keys: listKeys(factory.store, tenant).map((key) => displayKey(key, factory.now())),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/api/keys/{id}',
    role: 'operator',
    of: keyOwner,
    about: 'Revoke a key; answers when the live gateways refuse it',
    input: { id },
    run: async (factory, { id }) => {
      const key = revokeKey(factory.store, id, factory.now())
      return { ...displayKey(key, factory.now()), published: await publish(factory) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/keys/{id}/rotate',
    role: 'operator',
    of: keyOwner,
    about: 'A new key with the same rights; the old one stops now, or after `overlap`',
    input: { id, overlap: Type.Optional(Type.String({ description: 'how long the old key goes on, such as 24h' })) },
    run: async (factory, { id, overlap }) => {
      const now = factory.now()
      const overlap_ms = overlap === undefined ? 0 : durationMs(overlap, 'overlap')
      return shown(rotateKey(factory.store, factory.pepper, id, overlap_ms, now), await publish(factory))
    },
  }),
  route({
    method: 'POST',
    path: '/api/try-key',
    role: 'operator',
    about: 'A key of tenant `console` for one hour, for the page',
    run: async (factory) => {
      const now = factory.now()
      const limits = {
        models: null,
        requests_per_minute: null,
        tokens_per_minute: null,
        expires_ms: now + tryKey_ms,
        slo: 'interactive',
      } as const
      const made = createKey(
        factory.store,
        factory.pepper,
        { tenant: 'console', application: 'default', ...limits },
        now,
      )
      return shown(made, await publish(factory))
    },
  }),
]

function dollars(text: string): bigint {
  const value = parseDecimal(text, 9)
  if (value !== undefined && value >= 0n) return value
  throw new ControlError('invalid_value', `${JSON.stringify(text)} is no amount of dollars`, { param: 'budget_usd' })
}

/** A key for a model that nobody serves would fail at its first use, far from the typing error. */
export function checkServed(factory: Factory, model: string): void {
  const served = servedModels(factory.store)
  if (served.has(model) || listAliases(factory.store).some((alias) => alias.name === model)) return
  throw new ControlError('not_found', `no engine serves a model ${model}${didYouMean(model, served.keys())}`, {
    param: 'models',
    next: 'wattmill models list',
  })
}

const shown = ({ key, record, made }: ShownKey, published: unknown) => ({
  key,
  ...displayKey(record, record.created_ms),
  made,
  published,
})

export const displayKey = (key: KeyRecord, now_ms: number) => ({
  id: key.id,
  prefix: key.prefix,
  tenant: key.tenant,
  app: key.application,
  models: key.models,
  rpm: key.requests_per_minute,
  tpm: key.tokens_per_minute,
  slo: key.slo,
  state: stateOf(key, now_ms),
  expires: isoOrNull(key.expires_ms),
  revoked: isoOrNull(key.revoked_ms),
  created: isoOrNull(key.created_ms),
})

const stateOf = (key: KeyRecord, now_ms: number): 'active' | 'revoked' | 'expired' =>
  key.revoked_ms !== null ? 'revoked' : key.expires_ms !== null && key.expires_ms <= now_ms ? 'expired' : 'active'
