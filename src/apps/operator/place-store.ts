/** Where a home's store is: in its file, or on PostgreSQL. It changes by a move and by nothing else. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { clock } from '../../adapters/clock/clock.ts'
import { type Home, home as homeAt, keepAddress, makeHome } from '../../adapters/files/home.ts'
import { type Manifest, readStore, writeStore } from '../../adapters/sqlite/backup.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { copyStore, type MovedTable, MoveError } from '../../adapters/sqlite/move.ts'
import { openStore, type Pending, pendingScripts, type Store } from '../../adapters/sqlite/store.ts'
import { nameOf } from '../../adapters/sqlite/take-over.ts'
import { ControlError } from './errors.ts'

const isAddress = (url: string): boolean => /^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')

function addressed(url: string): string {
  if (isAddress(url)) return url
  const message = 'the address of a store is postgres://USER@HOST:PORT/DATABASE'
  throw new ControlError('invalid_value', message, { param: 'store' })
}

/** What the settings say, at the start: a new home takes it; one whose store is elsewhere is told to move it. */
export function placeStore(home: Home, url: string | undefined): Home {
  if (url === undefined || url === home.database) return home
  const address = addressed(url)
  if (home.database === undefined && !existsSync(home.store)) {
    keepAddress(home.root, address)
    return homeAt(home.root)
  }
  const is = home.database === undefined ? home.store : nameOf(home.database)
  throw new ControlError('conflict', `the settings say ${nameOf(address)}, and the store of this home is ${is}`, {
    param: 'store',
    next: `wattmill store move --home ${home.root} --to ADDRESS`,
  })
}

/** A store that is elsewhere is found there, or says itself that it is not. */
export function mustStand(home: Home): void {
  if (home.database === undefined && !existsSync(home.store))
    throw new ControlError('no_factory', `there is no factory in ${home.root}`, {
      next: `wattmill up --home ${home.root}`,
    })
}

export interface Moved {
  readonly from: string
  readonly to: string
  readonly requests: number
  readonly tables: readonly MovedTable[]
}

/** To PostgreSQL; undefined: back into the home's file. The books are checked on both sides before the home points to the new one. */
export function moveStore(home: Home, url: string | undefined): Moved {
  const target = { ...home, database: url === undefined ? undefined : addressed(url) }
  mustStand(home)
  if (target.database === home.database) throw new ControlError('conflict', 'the store is there already')
  const from = openStore(home, { alone: true })
  try {
    const to = openStore(target, { alone: true })
    try {
      const tables = copyStore(from, to)
      const requests = conserved(to)
      keepAddress(home.root, target.database)
      if (home.database === undefined) setAside(home, from)
      return { from: from.path, to: to.path, requests, tables }
    } catch (cause) {
      throw cause instanceof MoveError ? new ControlError('conflict', cause.message, { cause }) : cause
    } finally {
      to.close()
    }
  } finally {
    from.close()
  }
}

export interface Migrated extends Pending {
  readonly done: boolean
}

/** Brings the tables up to date, alone with them; or only says what that would do. There is no way back but a backup. */
export function migrateStore(home: Home, dryRun: boolean): Migrated {
  mustStand(home)
  const pending = pendingScripts(home)
  if (!dryRun && pending.scripts.length > 0) openStore(home, { alone: true }).close()
  return { ...pending, done: !dryRun && pending.scripts.length > 0 }
}

/** All of the store as files, while the factory runs or not. */
export function backUp(home: Home, folder: string, format: Manifest['format'], told: (line: string) => void): Manifest {
  mustStand(home)
  return inWords(() => writeStore(home, folder, format, clock.ms(), told))
}

export interface Restored {
  readonly from: string
  readonly to: string
  readonly requests: number
  readonly tables: Manifest['tables']
}

/** Into a home without a store, in its file or on PostgreSQL: whole and with books that add up, or not at all. */
export function restoreStore(home: Home, from: string, url: string | undefined): Restored {
  if (home.database !== undefined || existsSync(home.store))
    throw new ControlError('conflict', `the home ${home.root} has a store already; nothing is written over`, {
      next: `wattmill store restore --from ${from} --home ANOTHER`,
    })
  const into = makeHome(home.root)
  return inWords(() => (url === undefined ? restoreFile(into, from) : restoreShared(into, from, addressed(url))))
}

/** Under another name until it is whole: a file that was cut off is no store. */
function restoreFile(home: Home, from: string): Restored {
  const part = `${home.store}.part`
  const remove = (): void => {
    for (const ending of [...parts, '.alive']) rmSync(part + ending, { force: true })
  }
  remove()
  try {
    const store = openStore({ ...home, store: part })
    const restored = filled(store, from)
    store.close()
    renameSync(part, home.store)
    return { ...restored, to: home.store }
  } finally {
    remove()
  }
}

function restoreShared(home: Home, from: string, database: string): Restored {
  const store = openStore({ ...home, database }, { alone: true })
  const restored = filled(store, from)
  store.close()
  keepAddress(home.root, database)
  return restored
}

function filled(store: Store, from: string): Restored {
  try {
    let requests = 0
    const { tables } = readStore(from, store, () => {
      requests = conserved(store)
    })
    if (store.database.dialect === 'sqlite') store.database.exec('pragma wal_checkpoint(truncate)')
    return { from, to: store.path, requests, tables }
  } catch (cause) {
    store.close()
    throw cause
  }
}

function inWords<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw cause instanceof MoveError ? new ControlError('conflict', cause.message, { cause }) : cause
  }
}

function conserved(store: Store): number {
  const found = check(store)
  if (!found.conserved)
    throw new ControlError('conflict', 'the books are not conserved; nothing has changed', {
      next: 'wattmill books check',
    })
  return found.requests
}

const parts = ['', '-wal', '-shm']

/** The file stays as a copy of what was moved; under another name, since it is the store of this home no more. */
function setAside(home: Home, store: Store): void {
  store.database.exec('pragma wal_checkpoint(truncate)')
  store.database.close()
  const name = `${home.store}.moved-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`
  for (const part of parts) if (existsSync(home.store + part)) renameSync(home.store + part, name + part)
}
