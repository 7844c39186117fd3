import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { PostgresDatabase } from './postgres-database.ts'
import { noServer, ownServer } from './testing-server.ts'

test('a database that takes connections and says nothing does not take all the time of who asks it', {
  skip: noServer,
}, async () => {
  await using server = await ownServer()
  const database = new PostgresDatabase(server.url)
  const took = (script: string): number => {
    const began = performance.now()
    assert.throws(() => database.exec(script), /timeout expired/)
    return performance.now() - began
  }
  server.stop() // the connection goes, and what comes is a new one
  server.start()
  server.hang()
  const first_ms = took('begin')
  assert(first_ms > 4000 && first_ms < 9000, `it is waited for once: ${first_ms} ms`)
  for (let times = 0; times < 10; times++) assert(took('begin') < 500, 'then it is told at once for a while')
  server.wake()
  await wait(2 * first_ms)
  database.exec('begin')
  database.exec('commit')
  database.close()
})
