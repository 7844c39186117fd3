/**
 * The engine host: a unix socket (named pipe on Windows) in front of the models of this process.
 *
 *   gateway ──commands──▶ connection ──▶ batcher (one a model) ──▶ llama.cpp
 *           ◀──reports──            page: log first, then tell
 */

import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { clock } from '../clock/clock.ts'
import { holdAlive } from '../files/alive.ts'
import { Connection } from './connection.ts'
import { openEngineLog } from './log.ts'
import { type LoadOutcome, type ModelFiles, Models, type ModelsConfig } from './models.ts'

export interface HostConfig extends ModelsConfig {
  readonly socketPath: string
  readonly logFolder: string
  /** Bytes of reports a gateway may leave unread. */
  readonly mostUnread?: number
}

export interface EngineHost {
  readonly incarnation: string
  load(model: string, path: string): Promise<LoadOutcome>
  /** As many as fit beside each other; the others are known, and loaded when they are asked for. */
  fill(models: readonly { readonly name: string; readonly path: string }[]): Promise<LoadOutcome[]>
  /** Stops accepting, lets streams end until it is `enough` (at once, if not given), cancels the rest, closes the log. */
  close(enough?: Promise<unknown>): Promise<void>
}

/** How long a gateway may take to read its last reports when the host stops. */
const GOODBYE_MS = 500

/** Gateways are few, and each has one connection. */
const MOST_CONNECTIONS = 256

export async function startEngineHost(config: HostConfig, files: ModelFiles): Promise<EngineHost> {
  await clearStale(config.socketPath)
  const incarnation = newIncarnation()
  mkdirSync(config.logFolder, { recursive: true, mode: 0o700 })
  // Before the log, so that there is never a log of which nobody could tell that its writer is dead.
  const alive = holdAlive(join(config.logFolder, `${incarnation}.alive`))
  if (!alive) throw new Error(`the log of ${incarnation} is held by another process`)
  const log = openEngineLog(config.logFolder, incarnation)
  const connections = new Set<Connection>()
  const models = new Models(files, log, config, () => {
    for (const connection of connections) connection.tell(models.status())
  })
  const server = createServer((socket) => {
    const connection = new Connection(socket, models, config.mostUnread)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  server.maxConnections = MOST_CONNECTIONS
  await listen(server, config.socketPath)

  return {
    incarnation: log.incarnation,
    load: (model, path) => models.load(model, path),
    fill: (list) => models.fill(list),
    async close(enough = Promise.resolve()) {
      const over = new Promise((resolve) => server.close(resolve))
      await models.end(enough)
      log.close()
      alive.release()
      for (const connection of connections) connection.end()
      await Promise.race([over, setTimeout(GOODBYE_MS)])
    },
  }
}

/** 8 random base32 characters and the start: no two hosts ever share it, and file names sort by start within a host. */
function newIncarnation(): string {
  const name = [...randomBytes(8)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('')
  return `${name}-${clock.ms()}`
}

/** Only its owner may speak to the engine; the mask makes the file so from its first moment. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const mask = process.umask(0o177)
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
    process.umask(mask)
  })
}

/** A host that was killed leaves its socket file. It is removed only if it is a socket and nobody answers there. */
async function clearStale(path: string): Promise<void> {
  if (process.platform === 'win32') return // a pipe goes with its process
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file) return
  if (!file.isSocket()) throw new Error(`${path} is there and is not a socket: remove it or choose another --socket`)
  if (await answers(path)) throw new Error(`another engine host listens on ${path}`)
  rmSync(path, { force: true })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
