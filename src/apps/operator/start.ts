import { clock } from '../../adapters/clock/clock.ts'
import { isDead } from '../../adapters/files/alive.ts'
import { makeHome } from '../../adapters/files/home.ts'
import { watchRoom } from '../../adapters/files/room.ts'
import { Totals } from '../../adapters/prometheus/totals.ts'
import { keptSecret, newAdminKey, newPepper } from '../../adapters/random/secret.ts'
import { Audit } from '../../adapters/sqlite/audit.ts'
import { alivePath } from '../../adapters/sqlite/journal-file.ts'
import { listJournals } from '../../adapters/sqlite/journal-reader.ts'
import { Leases } from '../../adapters/sqlite/leases.ts'
import { gatewaysOfAll, joinNodes, leaveNodes } from '../../adapters/sqlite/nodes.ts'
import { adminById, adminByKey } from '../../adapters/sqlite/registry/admins.ts'
import { all } from '../../adapters/sqlite/registry/change.ts'
import { keyById, keyByKey } from '../../adapters/sqlite/registry/keys.ts'
import { seed } from '../../adapters/sqlite/registry/seed.ts'
import { Sessions } from '../../adapters/sqlite/registry/sessions.ts'
import { openStore, type Store } from '../../adapters/sqlite/store.ts'
import { roomText } from '../../books/room.ts'
import { Admission } from './auth.ts'
import { startCapping } from './capping.ts'
import { Console } from './console.ts'
import { engineHost } from './engine-host.ts'
import { ControlError } from './errors.ts'
import type { Factory, Live } from './factory.ts'
import { readPepper } from './factory.ts'
import { Gateways } from './gateways.ts'
import { startKeeper } from './keeper.ts'
import { startNotifier } from './notify.ts'
import { starterFile } from './open.ts'
import { sendOtlp } from './otlp.ts'
import { placeStore } from './place-store.ts'
import { routes } from './routes/all.ts'
import { filesToLoad } from './routes/models.ts'
import { serve } from './server.ts'
import type { OperatorSettings } from './settings.ts'
import { Telemetry } from './telemetry.ts'

export interface ModelToLoad {
  readonly name: string
  readonly path: string
}

/** What the operator asks of whoever started it. */
export interface LauncherLink {
  modelsChanged(models: readonly ModelToLoad[]): void
  restartGateways(): Promise<number>
}

const engineStarts_ms = 10_000

/** Nobody started it: there are no gateways that anybody could restart. */
const noLauncher: LauncherLink = {
  modelsChanged: () => undefined,
  restartGateways: () =>
    Promise.reject(new ControlError('conflict', 'this operator was started by itself, without gateways')),
}

export interface Operator {
  readonly factory: Factory
  /** The factory's first start ever. */
  readonly first: boolean
  /** Whether the embedded engine is this home's. */
  readonly inside: boolean
  models(): ModelToLoad[]
  stop(): Promise<void>
}

/** Opens the store, keeps the books, and answers on the socket: the operator, whole. */
export async function startOperator(
  directory: string,
  settings: OperatorSettings,
  log: (line: string) => void,
  launcher: LauncherLink = noLauncher,
): Promise<Operator> {
  const home = placeStore(makeHome(directory), settings.store)
  const store = openStore(home)
  const adminKey = keptSecret(home.adminKey, newAdminKey).secret
  // Made once, with the first key still to come: a store with keys and no pepper is refused instead.
  if (hasNoKeys(store)) keptSecret(home.pepper, newPepper)
  const pepper = readPepper(home, store)
  const node = joinNodes(store, settings.gateways, clock.ms())
  const inside = node.number === 1
  const share = { gateways: gatewaysOfAll(store) || settings.gateways, inside }
  const { first } = seed(store, { ...settings, ...share, starter: await starterFile(clock.ms()) }, clock.ms())

  const { idleWatts, fullWatts } = settings
  // Without a launcher nobody starts gateways, and none is waited for.
  const expected = settings.url === undefined ? 0 : settings.gateways
  const gateways = new Gateways(store, clock.ms, (incarnation) => keeper.acknowledged(incarnation), expected)
  const telemetry = new Telemetry(store, clock.ms, (engine) => gateways.running(engine))
  const leases = new Leases(store)
  const keeper = startKeeper({
    home,
    store,
    leases,
    meter: { idleWatts, fullWatts },
    // The machine's own meters measure the embedded engine.
    ...(!inside && { readers: [] }),
    now: clock.ms,
    log,
    room: () => room.room,
    others: () => telemetry.look(),
    counted: () => telemetry.counted(),
    // Half of the bound is for logs that are in the books already: they go first, so that the other half is for what is not.
    keeps: {
      engineLogDays: settings.engineLogDays,
      engineLogBytes: settings.room.most_bytes / 2,
      detailDays: settings.detailDays,
    },
  })
  const room = watchRoom(home, settings.room, (seen) => log(`journal room ${seen.state}: ${roomText(seen)}`))
  // Whoever starts an operator starts an engine beside it, which may be some seconds behind.
  const engine = engineHost(home.engineSocket, launcher === noLauncher || !inside ? 0 : engineStarts_ms)
  const keys = {
    admin: {
      byKey: (key: string) => adminByKey(store, pepper, key, clock.ms()),
      byId: (id: string) => adminById(store, id, clock.ms()),
    },
    tenant: {
      byKey: (key: string) => keyByKey(store, pepper, key, clock.ms()),
      byId: (id: string) => keyById(store, id, clock.ms()),
    },
  }
  const live = {
    started_ms: clock.ms(),
    url: settings.url,
    listening: settings.listening,
    gateways,
    leases,
    totals: new Totals(),
    telemetry,
    engine,
    admission: new Admission(adminKey, keys, new Sessions(store, adminKey), clock.ms),
    audit: new Audit(home, clock.ms),
    console: new Console(settings.console),
    keeper,
    room,
    machine: { idleWatts, fullWatts },
    power: { now: undefined } as Live['power'],
    modelsChanged: () => launcher.modelsChanged(filesToLoad(factory)),
    restartGateways: () => launcher.restartGateways(),
  }
  const factory: Factory = {
    home,
    store,
    pepper,
    prometheus: settings.prometheusUrl,
    contractedWatts: settings.contractedWatts || undefined,
    live,
    now: clock.ms,
    log,
  }
  const server = await serve(factory, routes, home.operatorSocket)
  const notifier = startNotifier(factory, live)
  const capping = startCapping(factory, live)
  const otlp = settings.otlp && sendOtlp(factory, live, settings.otlp)

  return {
    factory,
    first,
    inside,
    models: () => (inside ? filesToLoad(factory) : []),
    async stop() {
      await server.drain(drain_ms)
      engine.close()
      telemetry.close()
      otlp?.close()
      capping.close()
      await notifier.close()
      room.close()
      await keeper.stop()
      try {
        leave(store)
      } finally {
        store.close()
      }
    },
  }
}

/** An export of a large store may take longer: it is cut, and its reader sees that. */
const drain_ms = 10_000

/** Unless gateways of this home are still at work. A store that is a file nobody else waits for. */
function leave(store: Store): void {
  if (store.database.dialect === 'sqlite') return
  const { journals } = store.home
  if (listJournals(journals).every((name) => isDead(alivePath(journals, name)))) leaveNodes(store, clock.ms())
}

const hasNoKeys = (store: Store): boolean => all(store, 'select 1 from api_key limit 1').length === 0
