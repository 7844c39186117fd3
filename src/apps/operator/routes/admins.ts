import Type from 'typebox'
import {
  type AdminKey,
  createAdminKey,
  listAdminKeys,
  revokeAdminKey,
  roles,
} from '../../../adapters/sqlite/registry/admins.ts'
import { refusalOf } from '../auth.ts'
import { type Route, route } from '../router.ts'
import { expiryMs, isoOrNull } from '../when.ts'

export const adminRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/whoami',
    role: 'viewer',
    of: 'everybody',
    tenants: true,
    storeless: true,
    about: 'Whose key this is, its role, and the routes that it may call',
    run: (_, __, { caller, routes = [] }) => ({
      name: caller?.name ?? null,
      role: caller?.role ?? null,
      tenant: caller?.tenant ?? null,
      may: routes
        .filter((one) => caller && refusalOf(one, caller) === undefined)
        .map(({ method, path }) => `${method} ${path}`),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/admins',
    role: 'viewer',
    about: 'Keys of the control API beside admin.key, without the keys',
    run: ({ store, now }) => ({ admins: listAdminKeys(store).map((key) => display(key, now())) }),
  }),
  route({
    method: 'POST',
    path: '/api/admins',
    role: 'admin',
    about: 'Create a key of the control API with a role; it is shown only in this answer',
    input: {
      name: Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^[^\\p{C}]+$',
        description: 'whose it is, in words',
      }),
      role: Type.Enum([...roles], { description: 'viewer, operator or admin' }),
      tenant: Type.Optional(Type.String({ description: 'the only tenant that it sees' })),
      expires: Type.Optional(Type.String({ description: 'such as 30d, 12h, or 2027-01-31' })),
    },
    run: ({ store, pepper, now }, { name, role, tenant = null, expires }) => {
      const expires_ms = expires === undefined ? null : expiryMs(expires, now())
      const { key, record } = createAdminKey(store, pepper, { name, role, tenant, expires_ms }, now())
      return { key, ...display(record, now()) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/admins/{id}',
    role: 'admin',
    about: 'Revoke a key of the control API, and end its sessions',
    input: { id: Type.String({ maxLength: 200 }) },
    run: ({ store, now }, { id }) => display(revokeAdminKey(store, id, now()), now()),
  }),
]

const display = ({ id, prefix, name, role, tenant, ...key }: AdminKey, now_ms: number) => ({
  id,
  prefix,
  name,
  role,
  tenant,
  state:
    key.revoked_ms !== null
      ? 'revoked'
      : key.expires_ms !== null && key.expires_ms <= now_ms
        ? 'expired'
        : ('active' as const),
  expires: isoOrNull(key.expires_ms),
  revoked: isoOrNull(key.revoked_ms),
  created: isoOrNull(key.created_ms),
})
