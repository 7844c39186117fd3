import { isAbsolute } from 'node:path'
import Type from 'typebox'
import { isFirst } from '../../../adapters/sqlite/nodes.ts'
import { embedded, servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import {
  addModelFile,
  checkNewModel,
  findModelFile,
  listModelFiles,
  type ModelFile,
  removeModelFile,
} from '../../../adapters/sqlite/registry/models.ts'
import { usualPrices } from '../../../adapters/sqlite/registry/prices.ts'
import { sitesNow } from '../../../adapters/sqlite/registry/sites.ts'
import { formatDecimal } from '../../../units/amount.ts'
import type { Loaded } from '../engine-host.ts'
import { ControlError } from '../errors.ts'
import { type Factory, publish } from '../factory.ts'
import { checkModelFile, nameOf, sha256Of } from '../model-file.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'
import { unpriced } from './prices.ts'

/** Adding and removing files takes turns: two that use one name would undo each other's load. */
let turn: Promise<unknown> = Promise.resolve()
const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  const mine = turn.then(work)
  turn = mine.catch(() => undefined)
  return mine
}

export const modelRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/models',
    role: 'viewer',
    about: 'Models that clients can ask for, who serves them and what they cost',
    run: (factory) => {
      const prices = new Map(usualPrices(factory.store, factory.now()).map((price) => [String(price.model), price]))
      return {
        models: [...servedModels(factory.store)].map(([model, engines]) => ({
          model,
          engines: engines.map((engine) => engine.name),
          state: engines.every((engine) => engine.draining) ? 'draining' : stateOf(factory, model),
          ...memoryOf(factory, model),
          input_usd_per_million: dollars(prices.get(model)?.perMillion.input_uncached),
          output_usd_per_million: dollars(prices.get(model)?.perMillion.output_visible),
        })),
      }
    },
  }),
  route({
    method: 'GET',
    path: '/api/models/{name}',
    role: 'viewer',
    about: 'One model: its engines, its file and its price',
    input: { name: Type.String() },
    run: (factory, { name }) => show(factory, name),
  }),
  route({
    method: 'POST',
    path: '/api/models',
    role: 'operator',
    about: 'Add a GGUF file to the embedded engine: checked, loaded, then served; or nothing has changed',
    input: {
      path: Type.String({ maxLength: 4096, description: 'an absolute path on the factory’s machine' }),
      name: Type.Optional(Type.String()),
    },
    run: (factory, { path, name }) => inTurn(() => add(factory, path, name ?? nameOf(path))),
  }),
  route({
    method: 'DELETE',
    path: '/api/models/{name}',
    role: 'operator',
    about: 'Take a model out of the embedded engine; its file stays',
    input: { name: Type.String() },
    run: (factory, { name }) => inTurn(() => remove(factory, name)),
  }),
  route({
    method: 'POST',
    path: '/api/models/{name}/load',
    role: 'operator',
    about: 'Bring a model of the embedded engine into memory; the least recently used make room',
    input: { name: Type.String() },
    run: (factory, { name }) => move(factory, name, 'load'),
  }),
  route({
    method: 'POST',
    path: '/api/models/{name}/unload',
    role: 'operator',
    about: 'Free a model’s memory when its streams have ended; a request loads it again',
    input: { name: Type.String() },
    run: (factory, { name }) => move(factory, name, 'unload'),
  }),
]

/** Its files lie with the first home of the store; so does the command that changes them. */
function checkInside({ store }: Factory): void {
  if (isFirst(store)) return
  throw new ControlError('conflict', 'the embedded engine is another home’s, which shares this store', {
    next: 'Give the command to the factory of that home, or add an engine with an address: wattmill engines add',
  })
}

async function add(factory: Factory, path: string, name: string) {
  checkInside(factory)
  if (!isAbsolute(path)) throw new ControlError('invalid_value', 'the path is not absolute', { param: 'path' })
  checkNewModel(factory.store, name)
  const { bytes, header } = checkModelFile(path)
  const loaded = await factory.live?.engine.load(name, path)
  if (loaded && !loaded.ok) {
    factory.live?.engine.remove(name)
    throw notDone(loaded, 'path')
  }
  const file: ModelFile = { name, path, bytes, sha256: await sha256Of(path), created_ms: factory.now() }
  try {
    addModelFile(factory.store, file)
  } catch (cause) {
    factory.live?.engine.remove(name)
    throw cause
  }
  factory.live?.modelsChanged()
  const notice = loaded
    ? unpriced(factory, [name], sitesNow(factory.store)(embedded))
    : 'the factory is stopped: the file was checked, and will be loaded at the next start'
  return {
    ...displayFile(file),
    parameters: header.parameters,
    loaded: loaded !== undefined,
    ...(notice && { notice }),
    published: await publish(factory),
  }
}

const notDone = ({ why, message }: Loaded & { ok: false }, param: string): ControlError =>
  new ControlError(why === 'down' ? 'engine_host_down' : 'model_load_failed', message, { param })

/** Into memory or out of it: the model is served all the same, for a request loads it again. */
async function move(factory: Factory, name: string, to: 'load' | 'unload') {
  checkInside(factory)
  const file = findModelFile(factory.store, name)
  if (!file)
    throw new ControlError('not_found', `the embedded engine has no model ${name}`, {
      param: 'name',
      next: 'wattmill models list',
    })
  if (!factory.live) throw new ControlError('engine_host_down', 'the factory is stopped', { next: 'wattmill up' })
  const { engine } = factory.live
  const done = to === 'load' ? await engine.load(name, file.path) : await engine.unload(name)
  if (!done.ok) throw notDone(done, 'name')
  return { model: name, state: stateOf(factory, name), ...memoryOf(factory, name) }
}

async function remove(factory: Factory, name: string) {
  checkInside(factory)
  const file = removeModelFile(factory.store, name)
  // First out of the snapshot, then out of memory: so that no gateway sends a request to a model that is gone.
  const published = await publish(factory)
  factory.live?.engine.remove(name)
  factory.live?.modelsChanged()
  return { ...displayFile(file), removed: true, published }
}

function show(factory: Factory, name: string) {
  const served = servedModels(factory.store)
  const engines = served.get(name)
  if (!engines)
    throw new ControlError('not_found', `no engine serves a model ${name}${didYouMean(name, served.keys())}`, {
      param: 'name',
      next: 'wattmill models list',
    })
  const file = findModelFile(factory.store, name)
  const price = usualPrices(factory.store, factory.now()).find((each) => each.model === name)
  return {
    model: name,
    state: stateOf(factory, name),
    ...memoryOf(factory, name),
    engines: engines.map((engine) => ({
      engine: engine.name,
      upstream: engine.models[name],
      draining: engine.draining,
    })),
    file: file ? displayFile(file) : null,
    price: price
      ? {
          version: price.version,
          input_usd_per_million: dollars(price.perMillion.input_uncached),
          output_usd_per_million: dollars(price.perMillion.output_visible),
          note: price.note,
        }
      : null,
  }
}

/** How the embedded engine sees it; what another engine serves is as ready as that engine is up. */
function stateOf(factory: Factory, name: string): string {
  if (!findModelFile(factory.store, name)) return 'served'
  const status = factory.live?.engine.status()
  return status?.models.find((model) => model.model === name)?.state ?? (status ? 'not loaded' : 'stopped')
}

/** What it takes, or would take, in the embedded engine's memory: estimated from its file. Null: not of that engine. */
function memoryOf(factory: Factory, name: string): { readonly memory_mib: number | null } {
  const bytes = factory.live?.engine.status()?.models.find((model) => model.model === name)?.bytes
  return { memory_mib: bytes ? Math.ceil(bytes / 1024 / 1024) : null }
}

const displayFile = ({ name, path, sha256, bytes, created_ms }: ModelFile) => ({
  model: name,
  path,
  sha256,
  bytes,
  created: isoOrNull(created_ms),
})

const dollars = (price: bigint | undefined): string | null => (price === undefined ? null : formatDecimal(price, 9))

/** For the launcher: what the engine must load at its next start. */
export const filesToLoad = (factory: Factory): { name: string; path: string }[] =>
  listModelFiles(factory.store).map(({ name, path }) => ({ name, path }))
