import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { clock } from '../../adapters/clock/clock.ts'
import { makeHome } from '../../adapters/files/home.ts'
import { connectEngineHost } from '../../adapters/llama/client.ts'
import { openJournal } from '../../adapters/sqlite/journal.ts'
import type { Incarnation } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { gateway } from './gateway.ts'
import { jsonLog } from './log.ts'
import { readiness } from './ready.ts'
import { settingsFrom } from './settings.ts'

/** Streams under way may end within this; the launcher waits 30 s before it kills. */
const drainMs = 25_000
/** Until ready it is looked at so often; the launcher wants to know at once. */
const lookMs = 20

type News =
  | { readonly ready: true; readonly port: number }
  | { readonly failed: { readonly code: string; readonly message: string } }

const settings = settingsFrom(process.argv.slice(2), process.env)
const log = jsonLog(settings.debug)
const home = makeHome(settings.home)
const incarnation = id<Incarnation>(`g${settings.slot}-${Date.now().toString(36)}${randomBytes(4).toString('hex')}`)
const journal = openJournal({
  directory: home.journals,
  incarnation,
  onState: (to, why) => log.warn(`journal ${to}`, { message: why }),
})
const { state, start, drain } = gateway({
  home,
  settings,
  incarnation,
  journal,
  log,
  now: clock(),
  connectHost: (listener) => connectEngineHost(home.engineSocket, listener),
})

// Otherwise node itself ends a worker at once when its primary dies, and cuts every stream.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.on('disconnect', stop) // the launcher died: end in good order, nobody would start us again

try {
  const port = await start()
  const look = setInterval(() => {
    if (!readiness(state).ready) return
    clearInterval(look)
    tell({ ready: true, port })
  }, lookMs)
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  tell({ failed: { code: code === 'EADDRINUSE' ? 'port_in_use' : (code ?? 'listen_failed'), message } })
  log.warn('cannot listen', { message })
  await journal.close()
  process.exit(1)
}

function tell(news: News): void {
  if (process.connected) process.send?.(news)
}

function stop(): void {
  if (state.draining) return
  drain(drainMs).then(
    () => process.exit(0),
    (error: unknown) => {
      log.warn('drain failed', { message: error instanceof Error ? error.message : String(error) })
      process.exit(1)
    },
  )
}
