import { all } from '../../../adapters/sqlite/registry/change.ts'
import { listEngines, servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { snapshotNumber } from '../../../adapters/sqlite/registry/snapshot.ts'
import { requestsSettled } from '../../../adapters/sqlite/usage.ts'
import { enginesNow } from '../engines-now.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { storeReads } from '../store-reads.ts'
import { version } from '../version.ts'
import { isoOrNull } from '../when.ts'
import { homesOf } from './homes.ts'

export const statusRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/status',
    role: 'viewer',
    storeless: true,
    about: 'The factory at a glance; while the store does not answer, what waits meanwhile and what happens next',
    run: (factory) => status(factory),
  }),
]

function status(factory: Factory) {
  const { live, store } = factory
  const known = storeReads(factory)
  const count = (sql: string) => known(() => Number(all<{ n: number }>(store, sql)[0]?.n ?? 0))
  const host = live?.engine.status()
  return {
    running: live !== undefined,
    version,
    home: factory.home.root,
    url: live?.url ?? null,
    started: isoOrNull(live?.started_ms ?? null),
    snapshot: known(() => snapshotNumber(store)),
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
    homes: known(() => homesOf(factory)) ?? [],
    engines: known(() => listEngines(store).length),
    models: known(() => [...servedModels(store).keys()]),
    tenants: count('select count(*) as n from tenant'),
    keys: count('select count(*) as n from api_key where revoked_ms is null'),
    requests: known(() => requestsSettled(store)),
    open_requests: count('select count(*) as n from open_request'),
    quarantined: count('select count(*) as n from quarantine'),
    backlog: live?.keeper.backlog() ?? null,
    books_lag: live ? known(() => live.keeper.lag()) : null,
    journal_room: live?.room.room ?? null,
    meters: live ? known(() => live.keeper.meters()) : null,
    economics: live ? known(() => enginesNow(factory, live)) : null,
  }
}
