/** Where a home's store is: in its file, or on PostgreSQL. It changes by a move and by nothing else. */
import { existsSync, renameSync } from 'node:fs'
import { type Home, home as homeAt, keepAddress } from '../../adapters/files/home.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { copyStore, type MovedTable, MoveError } from '../../adapters/sqlite/move.ts'
import { openStore, type Store } from '../../adapters/sqlite/store.ts'
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

function conserved(store: Store): number {
  const found = check(store)
  if (!found.conserved)
    throw new ControlError('conflict', 'the books are not conserved; nothing was moved', {
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
