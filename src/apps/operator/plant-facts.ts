/** What the registry and the catalogues know of the factory's engines, chips and models; what they do not is a reason in words. */
import { readGguf } from '../../adapters/llama/gguf.ts'
import { listEngines } from '../../adapters/sqlite/registry/engines.ts'
import { findModelFile } from '../../adapters/sqlite/registry/models.ts'
import { sitesNow } from '../../adapters/sqlite/registry/sites.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { Chips, PlantFacts } from '../../books/utilisation.ts'
import { findAccelerator } from '../../plant/chips/catalogue.ts'
import type { ModelCard } from '../../plant/models/card.ts'
import { findModel } from '../../plant/models/cards.ts'
import { fromGguf } from '../../plant/models/from-gguf.ts'

export function plantFacts(store: Store): PlantFacts {
  const engines = new Map(listEngines(store).map((engine) => [engine.name, engine]))
  const files = new Map<string, ModelCard | string>()
  const ofFile = (model: string): ModelCard | string => {
    const known = files.get(model) ?? cardOfFile(store, model)
    files.set(model, known)
    return known
  }
  return {
    chips: (replica) => chipsOf(replica, engines.get(replica)?.chips ?? null),
    site: sitesNow(store),
    card: (replica, model) =>
      findModel(engines.get(replica)?.models[model] ?? model) ?? findModel(model) ?? ofFile(model),
  }
}

function chipsOf(replica: string, declared: string | null): Chips | string {
  if (declared === null) return `no chips are declared of ${replica} (engines add --chips)`
  const [name = '', count] = declared.split(':')
  const chip = findAccelerator(name)
  return chip ? { chip, count: Number(count ?? 1) } : `there are no facts on a chip ${name}`
}

/** The header says the shape; the bits of its weights are those of its tensors. */
function cardOfFile(store: Store, model: string): ModelCard | string {
  const unknown = `the shape of ${model} is not known: no card has its name`
  const file = findModelFile(store, model)
  if (!file) return unknown
  try {
    const { header } = readGguf(file.path)
    const { metadata, tensors, parameters } = header
    const read = fromGguf(model, metadata, {
      bytes: tensors.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      parameters,
      tied: !tensors.some(({ name }) => name === 'output.weight'),
    })
    return 'layers' in read ? read : `the shape of ${model} is not known: ${read.message}`
  } catch (cause) {
    return `the shape of ${model} is not known: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}
