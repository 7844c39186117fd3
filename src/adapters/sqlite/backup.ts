/**
 * A store as plain files: a folder with one file of NDJSON for each table and a manifest that says how many rows each has, and the
 * SHA-256 of its file. A column of whole numbers is a JSON number up to 2^53, and decimal text beyond. The folder has its name
 * only once all of it is written and has been read again: what is cut off in the middle lies beside it, under another name.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import type { Database, Value } from '../database/database.ts'
import type { Home } from '../files/home.ts'
import { openBooks } from './books.ts'
import { audited } from './changes/audited.ts'
import type { Insert } from './insert-many.ts'
import { fillStore, fillTable, MoveError, orderOf, rowsOf, type Table, tablesInOrder } from './move.ts'
import { one } from './query.ts'
import { newestVersion, type Store } from './store.ts'

export interface WrittenTable {
  readonly table: string
  readonly rows: number
  readonly sha256: string
}

export interface Manifest {
  readonly format: 'wattmill-backup' | 'wattmill-export'
  /** Of the tables; only a program of the same reads it back. */
  readonly schema: number
  readonly at: string
  readonly tables: readonly WrittenTable[]
}

/** Written and read in pieces, since each line would be a call of the system. */
const piece = 1 << 20

const manifestName = 'manifest.json'
const fileOf = (folder: string, table: string): string => join(folder, `${table}.ndjson`)

/** What no reader of an export has a use for: hashes of keys, and sessions. Without them it is not read back. */
const secret = new Map(audited.flatMap(({ table, hidden }) => (hidden ? [[table, new Set(hidden)] as const] : [])))
const unexported = new Set(['session'])

/** One moment of the store, however long it takes and whatever is written meanwhile. */
export function writeStore(
  home: Home,
  folder: string,
  format: Manifest['format'],
  now_ms: number,
  told = (_: string) => {},
): Manifest {
  const target = resolve(folder)
  if (existsSync(target)) throw new MoveError(`${target} is there already; nothing is written over`)
  const part = `${target}.${process.pid}.part`
  const books = openBooks(home)
  try {
    checkVersion(books.database)
    mkdirSync(part, { recursive: true, mode: 0o700 })
    const tables = tablesInOrder()
      .filter(({ insert }) => format === 'wattmill-backup' || !unexported.has(insert.table))
      .map((table) => {
        const written = writeTable(books.database, part, format === 'wattmill-backup' ? table : withoutSecrets(table))
        told(`${written.table}: ${written.rows} rows`)
        return written
      })
    const manifest: Manifest = { format, schema: newestVersion(), at: new Date(now_ms).toISOString(), tables }
    writeSynced(join(part, manifestName), [`${JSON.stringify(manifest, undefined, 2)}\n`])
    for (const table of readManifest(part).tables) checkFile(part, table)
    syncFolder(part)
    renameSync(part, target)
    syncFolder(dirname(target))
    return manifest
  } catch (cause) {
    rmSync(part, { recursive: true, force: true })
    throw cause
  } finally {
    books.close()
  }
}

/** Into an empty store, in one transaction: each file as its manifest says, each table as its file says; `check` has the last word. */
export function readStore(folder: string, target: Store, check: () => void): Manifest {
  const manifest = readManifest(folder)
  if (manifest.format !== 'wattmill-backup')
    throw new MoveError(`${folder} is an export, without the hashes of keys: only a backup is read back`)
  if (manifest.schema !== newestVersion())
    throw new MoveError(
      `${folder} has tables of version ${manifest.schema}, and this program those of ${newestVersion()}`,
    )
  for (const table of manifest.tables) checkFile(folder, table)
  fillStore(target, (tables) => {
    const written = new Map(manifest.tables.map((table) => [table.table, table]))
    for (const table of tables) {
      const { insert } = table
      const of = written.get(insert.table)
      if (!of) throw new MoveError(`${folder} lacks the table ${insert.table}`)
      fillTable(target.database, table, rowsIn(folder, insert))
      const is = digestOf(linesOf(target.database, table))
      if (is.rows !== of.rows || is.sha256 !== of.sha256)
        throw new MoveError(
          `table ${insert.table}: ${of.rows} rows in ${folder}, and ${is.rows} other ones in ${target.path}`,
        )
    }
    check()
  })
  return manifest
}

export function readManifest(folder: string): Manifest {
  const path = join(folder, manifestName)
  if (!existsSync(path)) throw new MoveError(`${folder} has no ${manifestName}: it is no backup, or not a whole one`)
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
    if (Array.isArray(manifest.tables) && typeof manifest.format === 'string') return manifest
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  throw new MoveError(`${path} cannot be read`)
}

function checkVersion(database: Database): void {
  const sql =
    database.dialect === 'sqlite'
      ? 'select user_version as version from pragma_user_version'
      : 'select version from schema_version'
  const version = one<{ version: number }>(database, sql)?.version
  if (version !== newestVersion())
    throw new MoveError(`the store has tables of version ${version}, and this program those of ${newestVersion()}`)
}

function withoutSecrets({ insert, ...table }: Table): Table {
  const hidden = secret.get(insert.table)
  const columns = Object.entries(insert.columns).filter(([name]) => !hidden?.has(name))
  return { ...table, insert: { ...insert, columns: Object.fromEntries(columns) } }
}

function writeTable(database: Database, folder: string, table: Table): WrittenTable {
  const hash = createHash('sha256')
  let rows = 0
  const hashed = function* (): Generator<string> {
    for (const line of linesOf(database, table)) {
      hash.update(line)
      rows++
      yield line
    }
  }
  writeSynced(fileOf(folder, table.insert.table), hashed())
  return { table: table.insert.table, rows, sha256: hash.digest('hex') }
}

function* linesOf(database: Database, table: Table): Generator<string> {
  for (const row of rowsOf(database, table.insert, orderOf(table))) yield `${JSON.stringify(row, whole)}\n`
}

const whole = (_: string, value: unknown): unknown => {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

/** The other way round. */
function* rowsIn(folder: string, { table, columns }: Insert): Generator<Record<string, Value>> {
  const types = Object.entries(columns)
  for (const line of linesIn(fileOf(folder, table))) {
    const read = JSON.parse(line) as Record<string, Value>
    yield Object.fromEntries(
      types.map(([name, type]) => {
        const value = read[name] ?? null
        return [name, type === 'integer' && value !== null ? BigInt(value) : value]
      }),
    )
  }
}

/** Each as it lies there, with its end. */
function* linesIn(path: string): Generator<string> {
  const file = openSync(path, 'r')
  const buffer = Buffer.allocUnsafe(piece)
  const decoder = new StringDecoder('utf8')
  try {
    let rest = ''
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      const parts = (rest + decoder.write(buffer.subarray(0, read))).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) yield `${line}\n`
    }
    if (rest !== '') yield rest
  } finally {
    closeSync(file)
  }
}

function digestOf(all: Iterable<string>): { readonly rows: number; readonly sha256: string } {
  const hash = createHash('sha256')
  let rows = 0
  for (const line of all) {
    hash.update(line)
    rows++
  }
  return { rows, sha256: hash.digest('hex') }
}

function checkFile(folder: string, { table, rows, sha256 }: WrittenTable): void {
  const path = fileOf(folder, table)
  if (!existsSync(path)) throw new MoveError(`${path} is missing`)
  const is = digestOf(linesIn(path))
  if (is.rows !== rows || is.sha256 !== sha256) throw new MoveError(`${path} is not what the manifest says`)
}

function writeSynced(path: string, all: Iterable<string>): void {
  const file = openSync(path, 'wx', 0o600)
  const write = (text: string): void => {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
  }
  try {
    let held = ''
    for (const line of all) {
      held += line
      if (held.length < piece) continue
      write(held)
      held = ''
    }
    write(held)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Its names are durable too. Windows has no such thing. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
