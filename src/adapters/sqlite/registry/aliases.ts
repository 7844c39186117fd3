import type { Store } from '../store.ts'
import { all, change, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'

export interface Alias {
  readonly name: string
  /** First choice first. */
  readonly models: readonly string[]
}

/** More than this is no chain but a lottery. */
const mostModels = 16

export function listAliases(store: Store): Alias[] {
  const rows = all<{ name: string; model: string }>(store, 'select name, model from model_alias order by name, place')
  return [...Map.groupBy(rows, ({ name }) => name)].map(([name, of]) => ({
    name,
    models: of.map(({ model }) => model),
  }))
}

/** The name of a model itself may be an alias too: then the others are what answers while no engine serves it. */
export function setAlias(store: Store, name: string, models: readonly string[]): Alias {
  checkName('alias', 'name', name)
  if (models.length === 0 || models.length > mostModels || new Set(models).size < models.length)
    throw new RegistryError('invalid', `an alias has 1 to ${mostModels} different models`, { param: 'models' })
  for (const model of models) checkName('model', 'models', model)
  change(store, () => {
    run(store, 'delete from model_alias where name = ?', name)
    for (const [place, model] of models.entries())
      run(store, 'insert into model_alias (name, place, model) values (?, ?, ?)', name, place, model)
  })
  return { name, models }
}

export function removeAlias(store: Store, name: string): Alias {
  const alias = listAliases(store).find((one) => one.name === name)
  if (!alias)
    throw new RegistryError('not_found', `no alias ${name}`, { param: 'name', next: 'wattmill models aliases' })
  change(store, () => run(store, 'delete from model_alias where name = ?', name))
  return alias
}
