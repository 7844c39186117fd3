import type { Server } from 'node:http'
import { join } from 'node:path'
import { AnswerCache } from '../../adapters/cache/answer-cache.ts'
import { clock } from '../../adapters/clock/clock.ts'
import { BatchFolders } from '../../adapters/files/batch-folders.ts'
import type { Home } from '../../adapters/files/home.ts'
import { watchRoom } from '../../adapters/files/room.ts'
import { TenantFiles } from '../../adapters/files/tenant-files.ts'
import { CertificateError, readCertificate, watchCertificate } from '../../adapters/http/certificate.ts'
import { clientOf } from '../../adapters/http/client.ts'
import { Relay } from '../../adapters/http/relay.ts'
import { httpServer, renewCertificate, serverBounds } from '../../adapters/http/server.ts'
import type { EngineHostClient, HostReport } from '../../adapters/llama/client.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import type { LeaseLoop } from '../../adapters/operator/lease.ts'
import { leaseFromOperator } from '../../adapters/operator/lease.ts'
import { readStored } from '../../adapters/operator/stored.ts'
import { syncWithOperator } from '../../adapters/operator/sync.ts'
import { Outbox } from '../../adapters/prometheus/totals.ts'
import { openResponseStore } from '../../adapters/sqlite/responses/store.ts'
import { roomText } from '../../books/room.ts'
import { livePolicy } from '../../lines/inference/policy.ts'
import type { Incarnation } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { BatchDriver } from './batches/driver.ts'
import { drainServer, type Leaving } from './drain.ts'
import { Fleet } from './fleet.ts'
import type { Log } from './log.ts'
import { Measures } from './measures.ts'
import { launcherChannel, talkToPeers } from './peers.ts'
import { serve } from './serve.ts'
import type { Settings } from './settings.ts'
import { nextId, readPepper, type State } from './state.ts'
import { statusOf } from './status.ts'
import { warmUp } from './warm.ts'
import { LiveWorld } from './world.ts'

export interface GatewayParts {
  readonly home: Home
  readonly settings: Settings
  readonly incarnation: Incarnation
  readonly journal: State['journal']
  readonly now: () => Seconds
  readonly log: Log
  connectHost(listener: (report: HostReport) => void): EngineHostClient
}

/** A whole gateway but for its process: the same in a test as live. */
export interface Gateway {
  readonly server: Server
  readonly state: State
  /** Listens, warms up, and from then on hears the operator. Rejects with node's error when it cannot listen. */
  start(): Promise<number>
  /** Told once when what runs has ended, or was cut at the end of the patience. */
  drain(patienceMs: number, leaving?: Leaving): Promise<void>
}

/** How often it looks for the pepper that the operator has yet to make. */
const lookMs = 200

export function gateway(parts: GatewayParts): Gateway {
  const { home, settings, incarnation, journal, now, log } = parts
  const policy = livePolicy(settings.admission)
  const fleet = new Fleet({
    connectHost: parts.connectHost,
    hear: (replica, up, cold) => {
      policy.router.hear(replica, up, cold)
      world.look()
    },
    stallMs: settings.stallMs,
  })
  const measures = new Measures(settings.objectives)
  const outbox = new Outbox(measures.recorder)
  const world = new LiveWorld({
    policy,
    journal,
    measures,
    now,
    requestMs: settings.requestMs,
    engine: (replica) => fleet.engine(replica),
    waits: (flow) => {
      leases?.wake()
      if (!flow.hit) fleet.wake(flow.model)
    },
  })
  const state: State = {
    incarnation,
    settings,
    now,
    log,
    policy,
    world,
    measures,
    fleet,
    journal,
    responses: openResponseStore({
      path: home.responses,
      ...settings.responses,
      now_ms: () => now() * 1000,
      warn: (message) => log.warn('kept responses', { message }),
    }),
    room: watchRoom(home, settings.room, (room) => log.warn(`journal room ${room.state}`, { message: roomText(room) })),
    cache: new AnswerCache(settings.cacheBytes),
    files: new TenantFiles(home.files),
    batches: new BatchFolders(home.batches),
    startedAt: now(),
    snapshot: undefined,
    pepper: readPepper(home.pepper),
    operatorUp: false,
    draining: false,
    retiring: false,
    warm: false,
    asked: 0,
    counting: 0,
  }
  const batches = new BatchDriver(state, home)
  const relay = new Relay(home.operatorSocket, (request) => clientOf(request, settings.proxies))
  const certificate = settings.certificate && readCertificate(settings.certificate, clock.ms())
  const server = httpServer(
    { ...serverBounds, maxConnections: settings.maxConnections },
    () => nextId(state),
    serve(state, relay),
    certificate,
  )
  const renewal = renewed(server, settings, log)
  const storedPath = join(home.snapshots, `${settings.slot}.json`)
  const adopt = (snapshot: FactorySnapshot): void => {
    state.snapshot = snapshot
    fleet.apply(snapshot)
    policy.admitter.purses.setGateways(snapshot.gateways)
    policy.router.allowed.obey(snapshot.setPoints)
    world.look()
  }
  let sync: { close(): void } | undefined
  let leases: LeaseLoop | undefined
  let peers: { close(): void } | undefined
  let look: NodeJS.Timeout | undefined
  return {
    server,
    state,
    async start() {
      const stored = readStored(storedPath)
      if (stored) adopt(stored)
      const port = await listen(server, settings)
      await warmUp(server, certificate ? 'secureConnection' : 'connection')
      measures.recorder.take() // its own refusals are nobody's
      state.warm = true
      look = setInterval(() => {
        state.pepper ??= readPepper(home.pepper)
        if (state.pepper) clearInterval(look)
      }, lookMs)
      leases = leaseFromOperator(home.operatorSocket, incarnation, policy.admitter.purses, now)
      sync = syncWithOperator(home.operatorSocket, storedPath, {
        status: () => ({ ...statusOf(state), metrics: outbox.next() }),
        delivered: () => outbox.acknowledged(),
        snapshot: adopt,
        acknowledged: (sequence) => journal.acknowledge(sequence),
        operator: (up) => {
          state.operatorUp = up
        },
        warn: (message) => log.warn('sync', { message }),
      })
      peers = talkToPeers(incarnation, policy.router, launcherChannel, now, () => state.snapshot?.gateways ?? 1)
      batches.start()
      return port
    },
    async drain(patienceMs, leaving = 'stop') {
      if (leaving === 'stop') state.draining = true
      else state.retiring = true
      const left = batches.leave(patienceMs)
      await drainServer(leaving, {
        server,
        patienceMs,
        running: () => world.running,
        cut() {
          state.draining = true
          world.deadlineForAll()
        },
      })
      await left
      state.room.close()
      renewal?.close()
      leases?.close()
      sync?.close()
      peers?.close()
      clearInterval(look)
      relay.close()
      fleet.close()
      await state.responses.close()
      await journal.close()
      batches.close()
    },
  }
}

function listen(server: Server, { host, port }: Settings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** A certificate that was renewed is taken up; one that is not whole yet, or is wrong, changes nothing. */
function renewed(server: Server, { certificate: files }: Settings, log: Log): { close(): void } | undefined {
  if (!files) return undefined
  return watchCertificate(files, () => {
    try {
      renewCertificate(server, readCertificate(files, clock.ms()))
      log.warn('certificate renewed', { message: files.cert })
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error
      log.warn('certificate not renewed', { message: error.message })
    }
  })
}
