import type { Store } from '../store.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'

export interface EngineRecord {
  readonly name: string
  readonly vendor: 'llama' | 'openai'
  /** null: embedded. */
  readonly url: string | null
  /** env:NAME or file:PATH; never the secret. */
  readonly key_from: string | null
  readonly concurrency: number
  readonly draining: boolean
  /** Public name → the engine's own. */
  readonly models: Readonly<Record<string, string>>
  readonly created_ms: number
}

/** The engine host of this factory, as the fleet sees it. */
export const embedded = 'embedded'

type Row = Omit<EngineRecord, 'draining' | 'models'> & { readonly draining: number }

export function listEngines(store: Store): EngineRecord[] {
  const served = Map.groupBy(
    all<{ engine: string; public: string; upstream: string }>(store, 'select * from engine_model order by public'),
    (row) => row.engine,
  )
  return all<Row>(store, 'select * from engine order by created_ms, name').map((row) => ({
    ...row,
    draining: row.draining === 1,
    models: Object.fromEntries((served.get(row.name) ?? []).map((model) => [model.public, model.upstream])),
  }))
}

export function findEngine(store: Store, name: string): EngineRecord {
  const engine = listEngines(store).find((each) => each.name === name)
  if (!engine)
    throw new RegistryError('not_found', `no engine ${name}`, { param: 'name', next: 'wattmill engines list' })
  return engine
}

export function addEngine(store: Store, engine: Omit<EngineRecord, 'draining'>): void {
  checkName('engine', 'name', engine.name)
  for (const name of Object.keys(engine.models)) checkName('model', 'model', name)
  change(store, () => {
    if (one(store, 'select 1 from engine where name = ?', engine.name))
      throw new RegistryError('conflict', `there is an engine ${engine.name} already`, {
        param: 'name',
        next: `wattmill engines remove ${engine.name}   (or choose another name)`,
      })
    run(
      store,
      'insert into engine (name, vendor, url, key_from, concurrency, created_ms) values (?, ?, ?, ?, ?, ?)',
      engine.name,
      engine.vendor,
      engine.url,
      engine.key_from,
      engine.concurrency,
      engine.created_ms,
    )
    for (const [name, upstream] of Object.entries(engine.models)) serve(store, engine.name, name, upstream)
  })
}

/** Within a transaction of the caller's. */
export const serve = (store: Store, engine: string, name: string, upstream: string): number =>
  run(store, 'insert into engine_model (engine, public, upstream) values (?, ?, ?)', engine, name, upstream)

/** Requests under way keep the snapshot they began with: they end in peace. */
export function removeEngine(store: Store, name: string): void {
  findEngine(store, name)
  if (name === embedded)
    throw new RegistryError('conflict', 'the embedded engine belongs to the factory and stays', {
      param: 'name',
      next: `wattmill engines drain ${embedded}`,
    })
  change(store, () => {
    run(store, 'delete from engine_model where engine = ?', name)
    run(store, 'delete from engine where name = ?', name)
  })
}

export function drainEngine(store: Store, name: string, draining: boolean): EngineRecord {
  const engine = findEngine(store, name)
  if (engine.draining !== draining)
    change(store, () => run(store, 'update engine set draining = ? where name = ?', draining ? 1 : 0, name))
  return { ...engine, draining }
}

/** Engines by the public name they serve. */
export function servedModels(store: Store): Map<string, EngineRecord[]> {
  const served = new Map<string, EngineRecord[]>()
  for (const engine of listEngines(store))
    for (const name of Object.keys(engine.models)) served.set(name, [...(served.get(name) ?? []), engine])
  return served
}
