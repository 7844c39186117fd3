import { statSync } from 'node:fs'
import { listEngines, servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { listModelFiles } from '../../../adapters/sqlite/registry/models.ts'
import { usualPrices } from '../../../adapters/sqlite/registry/prices.ts'
import type { Factory } from '../factory.ts'
import { bad, type Finding, good, warning } from './finding.ts'

/** What is on offer: engines, models, prices. */
export function offerFindings(factory: Factory): Finding[] {
  const { store, now, live } = factory
  const served = [...servedModels(store).keys()]
  const priced = new Set(usualPrices(store, now()).map((price) => String(price.model)))
  const unpriced = served.filter((model) => !priced.has(model))
  const gone = listModelFiles(store).filter((file) => !statSync(file.path, { throwIfNoEntry: false }))
  const failed = live?.engine.status()?.models.filter((model) => model.state === 'failed') ?? []
  return [
    served.length > 0
      ? good('models', served.slice(0, 20).join(', '))
      : warning('models', 'none', 'wattmill models add FILE.gguf'),
    ...engineFindings(factory),
    ...unpriced.map((model) =>
      warning(
        'model-price',
        `${model} has none: it is booked at 0`,
        `wattmill prices set ${model} --input 0.05 --output 0.20`,
      ),
    ),
    ...gone.map((file) => bad('model-file', `${file.path} is gone`, `wattmill models remove ${file.name}`)),
    ...failed.map(({ model, error }) =>
      bad('model-load', `${model}: ${error ?? 'not loaded'}`, `wattmill models remove ${model}`),
    ),
  ]
}

/** An engine is down when gateways have looked and none reaches it. */
function engineFindings({ store, live }: Factory): Finding[] {
  const seen = (live?.gateways.list() ?? []).flatMap((gateway) => gateway.replicas)
  return listEngines(store).flatMap(({ name, draining, url }) => {
    if (draining) return warning('engines', `${name} is draining`, `wattmill engines drain ${name} --undo`)
    const views = seen.filter((replica) => replica.id === name)
    if (url === null || views.length === 0 || views.some(({ up }) => up)) return []
    return bad('engines', `no gateway reaches ${name} at ${url}`, `wattmill engines probe ${name}`)
  })
}
