import Type from 'typebox'
import { railRules } from '../../../adapters/operator/contract.ts'
import { listRails, removeRail, setRail } from '../../../adapters/sqlite/registry/rails.ts'
import type { Rail } from '../../../lines/inference/rail.ts'
import { ControlError } from '../errors.ts'
import { publish } from '../factory.ts'
import { type Route, route } from '../router.ts'

const name = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))

export const railRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/rails',
    role: 'viewer',
    about: 'Guard rails: what prompts and answers must be, and whom each binds',
    run: ({ store }) => ({ rails: listRails(store).map(display) }),
  }),
  route({
    method: 'POST',
    path: '/api/rails',
    role: 'admin',
    about: 'Set a guard rail for everybody, a tenant, an application or a model; setting it again replaces it',
    input: {
      name: Type.String({ description: 'how answers and the log of changes call it' }),
      tenant: name,
      app: Type.Optional(Type.String({ maxLength: 300, description: 'TENANT/APPLICATION' })),
      model: name,
      ...railRules,
    },
    run: async (factory, { name, tenant, app, model, ...rules }) => {
      const given = Object.entries({ tenant, app, model }).filter(([, value]) => value !== undefined)
      if (given.length > 1)
        throw new ControlError(
          'invalid_value',
          'a guard rail binds a tenant, an application or a model, and not two of them',
          {
            param: given[1]?.[0],
          },
        )
      const rail = setRail(factory.store, { name, ...scopeOf({ tenant, app, model }), ...rules } as Rail, factory.now())
      return { ...display(rail), published: await publish(factory) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/rails/{name}',
    role: 'admin',
    about: 'Take a guard rail away',
    input: { name: Type.String() },
    run: async (factory, { name }) => ({
      ...display(removeRail(factory.store, name)),
      removed: true,
      published: await publish(factory),
    }),
  }),
]

function scopeOf({ tenant, app, model }: Readonly<Record<string, string | undefined>>): Pick<Rail, 'scope' | 'of'> {
  if (tenant !== undefined) return { scope: 'tenant', of: tenant }
  if (model !== undefined) return { scope: 'model', of: model }
  if (app === undefined) return { scope: 'factory', of: '' }
  const [first = '', ...rest] = app.split('/')
  if (rest.length === 0)
    throw new ControlError('invalid_value', `${JSON.stringify(app)} is not TENANT/APPLICATION`, {
      param: 'app',
      next: 'wattmill apps list',
    })
  return { scope: 'application', of: `${encodeURIComponent(first)}/${encodeURIComponent(rest.join('/'))}` }
}

const display = ({ of, ...rail }: Rail) => ({
  name: rail.name,
  scope: rail.scope,
  of: rail.scope === 'application' ? of.split('/').map(decodeURIComponent).join('/') : of,
  input: rail.input ?? null,
  output: rail.output ?? null,
})
