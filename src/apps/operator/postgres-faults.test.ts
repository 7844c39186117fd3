import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PostgresDatabase, PostgresError } from '../../adapters/postgres/postgres-database.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { exportBooks } from '../../adapters/sqlite/export.ts'
import { one, run } from '../../adapters/sqlite/query.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { setTestPrice, testDatabase, testHome } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { newKeeper } from './keeper.ts'

const here = { skip: testDatabase === undefined ? 'set WATTMILL_TEST_POSTGRES to the address of a PostgreSQL' : false }

const faults = ['connection lost', 'disk full', 'answer lost'] as const

/** The server really ends the connection, and really says that its disk is full: what was begun is aborted as it would be. */
function failing(database: PostgresDatabase) {
  const other = new PostgresDatabase(testDatabase ?? '')
  let [calls, failAt, during] = [0, Number.POSITIVE_INFINITY, false]
  let fault: (typeof faults)[number] = 'disk full'
  const direct = { exec: database.exec.bind(database), one: database.one.bind(database) }
  const cut = (): void => {
    const pid = (direct.one('select pg_backend_pid() as pid', []) as { pid: number }).pid
    run(other, 'select pg_terminate_backend(cast(? as int))', pid)
    while (one(other, 'select 1 from pg_stat_activity where pid = ?', pid));
  }
  const around = (ask: () => unknown): unknown => {
    if (during || calls++ !== failAt) return ask()
    during = true
    try {
      if (fault === 'connection lost') cut()
      if (fault === 'disk full') direct.exec("do $$ begin raise exception 'no room' using errcode = '53100'; end $$")
      const answer = ask()
      if (fault !== 'answer lost') return answer // a connection that was lost before anything began is made again
      cut()
      throw new PostgresError('no answer', '', true)
    } finally {
      during = false
    }
  }
  for (const name of ['exec', 'run', 'one', 'all'] as const) {
    const real = (database[name] as (...given: unknown[]) => unknown).bind(database)
    Object.assign(database, { [name]: (...given: unknown[]) => around(() => real(...given)) })
  }
  return {
    close: () => other.close(),
    /** Fails the call of that number, counted from now; says how many calls there were. */
    during(of: typeof fault, at: number, work: () => void): number {
      ;[fault, calls, failAt] = [of, 0, at]
      work()
      failAt = Number.POSITIVE_INFINITY
      return calls
    },
  }
}

test(
  'every call of the database fails in turn, in three ways: nothing is lost or doubled, and it is told meanwhile',
  here,
  () => {
    using home = testHome()
    using plain = testHome()
    const kept = (of: typeof home, each: (turn: () => void, failure: () => string | null) => void): string => {
      const held = makeDay(of, 1)
      const store = openStore(of)
      setTestPrice(store)
      const meter = { idleWatts: 20, fullWatts: 60 }
      const now = () => dayEnd_ms
      const keeper = newKeeper({ home: of, store, meter, now, log: () => undefined, readers: [silentMeter] })
      keeper.sample()
      const faulty = failing(store.database as PostgresDatabase)
      /** Who asks right after a connection was lost hears that instead. */
      const failure = (): string | null => {
        try {
          return keeper.lag().failing
        } catch (error) {
          return String(error)
        }
      }
      let told = 0
      if (of === home)
        for (const fault of faults)
          for (let at = 0; ; at++) {
            const calls = faulty.during(fault, at, () => keeper.tick())
            if (failure() !== null) told++
            if (calls <= at) break
          }
      if (of === home) assert(told > 60, `${told} failures were told`)
      each(() => keeper.tick(), failure)
      assert.equal(check(store).conserved, true)
      faulty.close()
      keeper.close()
      store.close()
      held[Symbol.dispose]()
      return [...exportBooks({ home: of })].join('')
    }
    const settle = (turn: () => void, failure: () => string | null): void => {
      for (let turns = 0; turns < 5; turns++) turn()
      assert.equal(failure(), null, 'it works again')
    }
    assert.equal(kept(home, settle), kept(plain, settle))
  },
)
