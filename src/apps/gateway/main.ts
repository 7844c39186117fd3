import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { clock } from '../../adapters/clock/clock.ts'
import { adminKeyFault } from '../../adapters/files/admin-key.ts'
import { makeHome } from '../../adapters/files/home.ts'
import { isLoopback } from '../../adapters/http/addresses.ts'
import { CertificateError } from '../../adapters/http/certificate.ts'
import { connectEngineHost } from '../../adapters/llama/client.ts'
import { openJournal } from '../../adapters/sqlite/journal.ts'
import type { Incarnation } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { Leaving } from './drain.ts'
import { gateway } from './gateway.ts'
import { jsonLog } from './log.ts'
import { readiness } from './ready.ts'
import { settingsFrom } from './settings.ts'

/** Streams under way may end within this; the launcher waits some more before it kills. */
const drainMs = 25_000
/** Until ready it is looked at so often; the launcher wants to know at once. */
const lookMs = 20

type News =
  | { readonly ready: true; readonly port: number }
  | { readonly failed: { readonly code: string; readonly message: string } }

class OpenDoor extends Error {
  override readonly name = 'OpenDoor'
}

const settings = settingsFrom(process.argv.slice(2), process.env)
const log = jsonLog(settings.debug)
const home = makeHome(settings.home)
const incarnation = id<Incarnation>(`g${settings.slot}-${clock.ms().toString(36)}${randomBytes(4).toString('hex')}`)
const journal = openJournal({
  directory: home.journals,
  incarnation,
  onState: (to, why) => log.warn(`journal ${to}`, { message: why }),
})

// Otherwise node itself ends a worker at once when its primary dies, and cuts every stream.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true

try {
  guardOpenDoor()
  const { state, start, drain } = gateway({
    home,
    settings,
    incarnation,
    journal,
    log,
    now: clock.seconds,
    connectHost: (listener) => connectEngineHost(home.engineSocket, listener),
  })
  leaveWhenTold(drain)
  const port = await start()
  const look = setInterval(() => {
    if (!readiness(state).ready) return
    clearInterval(look)
    tell({ ready: true, port })
  }, lookMs)
} catch (error) {
  const { message } = error as Error
  tell({ failed: { code: codeOf(error), message } })
  log.warn('cannot start', { message })
  await journal.close()
  process.exit(1)
}

/** Whoever can reach the port can try to log in: no door without a lock. */
function guardOpenDoor(): void {
  const fault = isLoopback(settings.host) ? undefined : adminKeyFault(home.adminKey)
  if (fault)
    throw new OpenDoor(`${settings.host} can be reached by others, and the admin key ${home.adminKey} ${fault}`)
}

function codeOf(error: unknown): string {
  if (error instanceof OpenDoor) return 'admin_key_unfit'
  if (error instanceof CertificateError) return 'bad_certificate'
  const { code } = error as NodeJS.ErrnoException
  return code === 'EADDRINUSE' ? 'port_in_use' : (code ?? 'listen_failed')
}

function tell(news: News): void {
  if (process.connected) process.send?.(news)
}

function leaveWhenTold(drain: (patienceMs: number, leaving: Leaving) => Promise<void>): void {
  let left = false
  const leave = (leaving: Leaving): void => {
    if (left) return
    left = true
    drain(drainMs, leaving).then(
      () => process.exit(0),
      (error: unknown) => {
        log.warn('drain failed', { message: error instanceof Error ? error.message : String(error) })
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => leave('stop'))
  process.on('SIGINT', () => leave('stop'))
  process.on('disconnect', () => leave('stop')) // the launcher died: end in good order, nobody would start us again
  process.on('message', (message) => {
    if ((message as { retire?: unknown }).retire === true) leave('retire')
  })
}
