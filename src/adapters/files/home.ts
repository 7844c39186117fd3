import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Where everything of one factory lies; the only place that knows. */
export interface Home {
  readonly root: string
  readonly adminKey: string
  readonly pepper: string
  /** What this home is called in a database that several homes share. */
  readonly node: string
  readonly store: string
  /** Address of the PostgreSQL that holds the store instead of that file; undefined: the file does. */
  readonly database: string | undefined
  /** One journal per gateway incarnation: `<incarnation>.db`, with `<incarnation>.alive` held while it lives. */
  readonly journals: string
  /** The engine host's own log: `<incarnation>.0000.ndjson`, …, with `<incarnation>.alive`. */
  readonly engineLogs: string
  /** Raw meter samples: `<meter>.ndjson`. */
  readonly meters: string
  readonly snapshots: string
  /** Responses that clients want kept, of all gateways. */
  readonly responses: string
  /** Model files that were pulled; others stay where their owner has them. */
  readonly models: string
  /** Files of tenants, and the batches made of them. */
  readonly files: string
  readonly batches: string
  /** Held by the gateway that drives batches. */
  readonly batchLock: string
  /** Held by the launcher: one factory per home. */
  readonly upLock: string
  readonly operatorSocket: string
  readonly engineSocket: string
}

export function home(directory: string): Home {
  const root = resolve(directory)
  return {
    root,
    adminKey: join(root, 'admin.key'),
    pepper: join(root, 'pepper'),
    node: join(root, 'node'),
    store: join(root, 'wattmill.db'),
    database: databaseOf(root),
    journals: join(root, 'journal'),
    engineLogs: join(root, 'engine'),
    meters: join(root, 'meter'),
    snapshots: join(root, 'snapshot'),
    responses: join(root, 'responses.db'),
    models: join(root, 'models'),
    files: join(root, 'files'),
    batches: join(root, 'batches'),
    batchLock: join(root, 'batches.lock'),
    upLock: join(root, 'up.lock'),
    operatorSocket: socketPath(root, 'operator'),
    engineSocket: socketPath(root, 'engine'),
  }
}

/** Kept in the home, readable by its owner only: every command finds the store by the home alone. */
const addressPath = (root: string): string => join(root, 'store.url')

function databaseOf(root: string): string | undefined {
  const path = addressPath(root)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

/** From now on the store of this home is there; undefined: in its file. */
export function keepAddress(root: string, url: string | undefined): void {
  if (url === undefined) rmSync(addressPath(root), { force: true })
  else writeWhole(addressPath(root), `${url}\n`)
}

/** Longest path that every unix takes for a socket (macOS: 104 bytes with the terminating zero). */
const longestSocketPath = 100

/** In the home where the path is short enough, else in the temporary folder under a name made from the home's; a pipe on Windows. */
function socketPath(root: string, name: string): string {
  const digest = createHash('sha256').update(root).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\wattmill-${digest}-${name}`
  const inside = join(root, 'run', `${name}.sock`)
  return Buffer.byteLength(inside) <= longestSocketPath ? inside : join(tmpdir(), `wattmill-${digest}`, `${name}.sock`)
}

/** Makes the folders, readable by their owner only. Throws node's own error when it may not. */
export function makeHome(directory: string): Home {
  const made = home(directory)
  const folders = [made.root, made.journals, made.engineLogs, made.meters, made.snapshots, made.files, made.batches]
  if (process.platform !== 'win32') folders.push(dirname(made.operatorSocket))
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 })
  return made
}

/** Writes the whole file or nothing: to a sibling first, synced, then renamed over. */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): void {
  const sibling = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(sibling, 'w', mode)
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    chmodSync(sibling, mode)
    renameSync(sibling, path)
  } catch (cause) {
    rmSync(sibling, { force: true })
    throw cause
  }
}
