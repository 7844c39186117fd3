import Type from 'typebox'
import { listAliases, removeAlias, setAlias } from '../../../adapters/sqlite/registry/aliases.ts'
import { servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { ControlError } from '../errors.ts'
import { publish } from '../factory.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'

export const aliasRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/aliases',
    role: 'viewer',
    about: 'Other names for models, and what answers to each',
    run: (factory) => ({ aliases: listAliases(factory.store) }),
  }),
  route({
    method: 'POST',
    path: '/api/aliases',
    role: 'operator',
    about: 'Give models another name, or a model its fallbacks; setting it again replaces it',
    input: {
      name: Type.String(),
      models: Type.Array(Type.String(), { minItems: 1, maxItems: 16, description: 'first choice first' }),
    },
    run: async (factory, { name, models }) => {
      const served = servedModels(factory.store)
      const unknown = models.find((model) => !served.has(model))
      if (unknown !== undefined)
        throw new ControlError(
          'not_found',
          `no engine serves a model ${unknown}${didYouMean(unknown, served.keys())}`,
          {
            param: 'models',
            next: 'wattmill models list',
          },
        )
      return { ...setAlias(factory.store, name, models), published: await publish(factory) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/aliases/{name}',
    role: 'operator',
    about: 'Take an alias away',
    input: { name: Type.String() },
    run: async (factory, { name }) => ({ ...removeAlias(factory.store, name), published: await publish(factory) }),
  }),
]
