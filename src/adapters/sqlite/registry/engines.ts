import { mainSite } from '../../../plant/infrastructure/site.ts'
import type { NanoDollars } from '../../../units/amount.ts'
import type { SiteId } from '../../../units/ids.ts'
import type { Store } from '../store.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { declareCost, endFacts, type MeterRecord, measureBy } from './meters.ts'
import { checkName } from './names.ts'
import { sitesNow, standAt } from './sites.ts'

export interface EngineRecord {
  readonly name: string
  /** The API that it speaks. */
  readonly vendor: 'llama' | 'openai' | 'anthropic'
  /** Which engine it is, as far as that is known: vllm, sglang, … */
  readonly product: string | null
  /** null: embedded. */
  readonly url: string | null
  /** env:NAME or file:PATH; never the secret. */
  readonly key_from: string | null
  /** Its page of metrics; null: none. */
  readonly metrics_url: string | null
  /** What it runs on, such as `h200:8`. */
  readonly chips: string | null
  /** Where it stands. */
  readonly site: SiteId
  readonly concurrency: number
  readonly draining: boolean
  /** Public name → the engine's own. */
  readonly models: Readonly<Record<string, string>>
  readonly created_ms: number
}

/** The engine host of this factory, as the fleet sees it. */
export const embedded = 'embedded'

type Row = Omit<EngineRecord, 'draining' | 'models' | 'site'> & { readonly draining: number }

export function listEngines(store: Store): EngineRecord[] {
  const served = Map.groupBy(
    all<{ engine: string; public: string; upstream: string }>(store, 'select * from engine_model order by public'),
    (row) => row.engine,
  )
  const site = sitesNow(store)
  return all<Row>(store, 'select * from engine order by created_ms, name').map((row) => ({
    ...row,
    site: site(row.name),
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

/** What is declared of an engine beside what it serves. */
export interface EngineFacts {
  readonly meters: readonly MeterRecord[]
  readonly costPerHour: NanoDollars | undefined
  /** Tokens of prompt and answer together, as its list of models tells them, by the engine's own names. */
  readonly contexts?: ReadonlyMap<string, number>
}

export function addEngine(
  store: Store,
  { site = mainSite, ...engine }: Omit<EngineRecord, 'draining' | 'site'> & Partial<Pick<EngineRecord, 'site'>>,
  { meters, costPerHour, contexts }: EngineFacts = { meters: [], costPerHour: undefined },
): void {
  checkName('engine', 'name', engine.name)
  checkName('site', 'site', site)
  for (const name of Object.keys(engine.models)) checkName('model', 'model', name)
  change(store, () => {
    if (one(store, 'select 1 from engine where name = ?', engine.name))
      throw new RegistryError('conflict', `there is an engine ${engine.name} already`, {
        param: 'name',
        next: `wattmill engines remove ${engine.name}   (or choose another name)`,
      })
    run(
      store,
      `insert into engine (name, vendor, product, url, key_from, metrics_url, chips, concurrency, created_ms)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      engine.name,
      engine.vendor,
      engine.product,
      engine.url,
      engine.key_from,
      engine.metrics_url,
      engine.chips,
      engine.concurrency,
      engine.created_ms,
    )
    for (const [name, upstream] of Object.entries(engine.models)) serve(store, engine.name, name, upstream)
    keepContexts(store, engine.name, contexts ?? new Map())
    standAt(store, engine.name, site, engine.created_ms)
    measureBy(store, engine.name, meters, engine.created_ms)
    if (costPerHour !== undefined) declareCost(store, engine.name, costPerHour, engine.created_ms)
  })
}

/** Within a transaction of the caller's. */
export const serve = (store: Store, engine: string, name: string, upstream: string): number =>
  run(store, 'insert into engine_model (engine, public, upstream) values (?, ?, ?)', engine, name, upstream)

/** What an engine tells of its models now; of those that it says nothing of, what it told before stays. */
export function keepContexts(store: Store, engine: string, contexts: ReadonlyMap<string, number>): void {
  const sql = `update engine_model set context_tokens = ?
    where engine = ? and upstream = ? and (context_tokens is null or context_tokens <> ?)`
  store.transaction(() => {
    for (const [upstream, tokens] of contexts) run(store, sql, tokens, engine, upstream, tokens)
  })
}

/** By public name: the least that an engine has told, since any of them may answer. */
export const toldContexts = (store: Store): Map<string, number> =>
  new Map(
    all<{ public: string; tokens: number }>(
      store,
      `select public, min(context_tokens) as tokens from engine_model
       where context_tokens is not null group by public`,
    ).map((row) => [row.public, row.tokens]),
  )

/** Requests under way keep the snapshot they began with: they end in peace. */
export function removeEngine(store: Store, name: string, now_ms: number): void {
  findEngine(store, name)
  if (name === embedded)
    throw new RegistryError('conflict', 'the embedded engine belongs to the factory and stays', {
      param: 'name',
      next: `wattmill engines drain ${embedded}`,
    })
  change(store, () => {
    endFacts(store, name, now_ms)
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

/** From now on it stands elsewhere; what it answered and cost until now stays where it was. */
export function moveEngine(store: Store, name: string, site: SiteId, now_ms: number): EngineRecord {
  checkName('site', 'site', site)
  const engine = findEngine(store, name)
  if (name === embedded)
    throw new RegistryError('conflict', 'where the embedded engine stands is said by its settings', {
      param: 'name',
      next: `say \`engine.site: ${site}\` in wattmill.yaml, and start again`,
    })
  if (engine.site !== site) change(store, () => standAt(store, name, site, now_ms))
  return { ...engine, site }
}

/** Engines by the public name they serve. */
export function servedModels(store: Store): Map<string, EngineRecord[]> {
  const served = new Map<string, EngineRecord[]>()
  for (const engine of listEngines(store))
    for (const name of Object.keys(engine.models)) served.set(name, [...(served.get(name) ?? []), engine])
  return served
}
