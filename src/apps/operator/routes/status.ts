import { all } from '../../../adapters/sqlite/registry/change.ts'
import { listEngines, servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { snapshotNumber } from '../../../adapters/sqlite/registry/snapshot.ts'
import { requestsSettled } from '../../../adapters/sqlite/usage.ts'
import { enginesNow } from '../engines-now.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { version } from '../version.ts'
import { isoOrNull } from '../when.ts'
import { homesOf } from './homes.ts'

export const statusRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/status',
    role: 'viewer',
    about: 'The factory at a glance',
    run: (factory) => status(factory),
  }),
]

function status(factory: Factory) {
  const { live, store } = factory
  const count = (sql: string): number => Number(all<{ n: number }>(store, sql)[0]?.n ?? 0)
  const host = live?.engine.status()
  return {
    running: live !== undefined,
    version,
    home: factory.home.root,
    url: live?.url ?? null,
    started: isoOrNull(live?.started_ms ?? null),
    snapshot: snapshotNumber(store),
    gateways: (live?.gateways.list() ?? []).map(
      ({ incarnation, pid, ready, snapshot, running, waiting, journal_depth, journal_up, peers, seen_ms }) => ({
        incarnation,
        pid,
        ready,
        snapshot,
        running,
        waiting,
        journal_depth,
        journal_up,
        peers,
        age_ms: factory.now() - seen_ms,
      }),
    ),
    engine_host: host
      ? {
          up: true,
          running: host.running,
          waiting: host.waiting,
          slots: host.slots,
          memory: host.memory,
          models: host.models,
        }
      : { up: false },
    homes: homesOf(factory),
    engines: listEngines(store).length,
    models: [...servedModels(store).keys()],
    tenants: count('select count(*) as n from tenant'),
    keys: count('select count(*) as n from api_key where revoked_ms is null'),
    requests: requestsSettled(store),
    open_requests: count('select count(*) as n from open_request'),
    quarantined: count('select count(*) as n from quarantine'),
    books_lag: live?.keeper.lag() ?? null,
    journal_room: live?.room.room ?? null,
    meters: live?.keeper.meters() ?? null,
    economics: live ? enginesNow(factory, live) : null,
  }
}
