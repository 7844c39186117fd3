import Type from 'typebox'
import { createApplication, listApplications } from '../../../adapters/sqlite/registry/tenants.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'

export const appRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/apps',
    role: 'viewer',
    of: 'field',
    about: 'List tenants and their applications',
    input: { tenant: Type.Optional(Type.String()) },
    run: (factory, { tenant }) => ({
      apps: listApplications(factory.store, tenant).map(({ application, created_ms, ...app }) => ({
        tenant: app.tenant,
        app: application,
        keys: app.keys,
        created: isoOrNull(created_ms),
      })),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/apps',
    role: 'operator',
    of: 'field',
    about: 'Create an application, and its tenant when that is new',
    input: { tenant: Type.String({ description: 'the tenant who pays' }), name: Type.String() },
    run: (factory, { tenant, name }) => {
      const app = createApplication(factory.store, tenant, name, factory.now())
      return { tenant: app.tenant, app: app.application, created: isoOrNull(app.created_ms) }
    },
  }),
]
