import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { holdAlive } from '../../adapters/files/alive.ts'
import { noServer, noSmallDisk, ownServer } from '../../adapters/postgres/testing-server.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { alivePath, journalPath } from '../../adapters/sqlite/journal-file.ts'
import { closeRow, gateway, journaled, openRow, setTestPrice, writeJournal } from '../../adapters/sqlite/testing.ts'
import type { Backlog } from '../../books/backlog.ts'
import { dispatch } from './router.ts'
import { routes } from './routes/all.ts'
import { operatorSettings } from './settings.ts'
import { type Operator, startOperator } from './start.ts'
import { temporary } from './testing.ts'

/** An operator on that database, and a gateway that lives and journals. */
async function factoryOn(t: TestContext, url: string): Promise<Operator> {
  const settings = { ...operatorSettings(undefined), store: url }
  const operator = await startOperator(join(temporary(), 'home'), settings, () => undefined)
  t.after(() => operator.stop())
  const { home, store } = operator.factory
  setTestPrice(store)
  writeJournal(home.journals, gateway, rows(1, 20))
  const alive = holdAlive(alivePath(home.journals, gateway))
  t.after(() => alive?.release())
  return operator
}

const rows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => [openRow(from + index), closeRow(from + index)]).flat()

/** What the gateway journals on. */
function journal({ factory: { home } }: Operator, from: number, to: number): void {
  const database = new DatabaseSync(journalPath(home.journals, gateway))
  const insert = database.prepare('insert into row (seq, kind, id, body, hash) values (?, ?, ?, ?, ?)')
  for (const { seq, row, body, hash } of journaled(rows(from, to), 2 * from - 1))
    insert.run(seq, row?.kind ?? '', row?.id ?? '', body, hash)
  database.close()
}

interface Status {
  readonly requests: number | null
  readonly snapshot: number | null
  readonly backlog: Backlog | null
}

function asking({ factory }: Operator) {
  const ask = async (path: string, headers: Record<string, string>) => {
    const reply = await dispatch(routes, factory, { method: 'GET', url: path, headers }, (route, call) =>
      factory.live?.admission.authorise(route, call),
    )
    return {
      status: reply.status,
      body: 'json' in reply.body ? reply.body.json : 'text' in reply.body && reply.body.text,
    }
  }
  const owner = { authorization: `Bearer ${readFileSync(factory.home.adminKey, 'utf8').trim()}` }
  const cookie = { cookie: `wattmill_session=${factory.live?.admission.login(owner.authorization.slice(7), 'here')}` }
  return { ask, owner, cookie, status: async () => (await ask('/api/status', owner)).body as Status }
}

async function until<T>(what: string, look: () => Promise<T | undefined | null | false>): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end; await wait(50)) {
    const found = await look()
    if (found) return found
  }
  throw new Error(`not within a minute: ${what}`)
}

const metric = (page: unknown, name: string): number | undefined => {
  const line = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(String(page))?.[1]
  return line === undefined ? undefined : Number(line)
}

test('while PostgreSQL is stopped, status, metrics and doctor say since when, how much waits and what comes next', {
  skip: noServer,
}, async (t) => {
  await using server = await ownServer()
  const operator = await factoryOn(t, server.url)
  const { ask, owner, cookie, status } = asking(operator)
  await until('booked', async () => (await status()).requests === 20)
  const before = await status()
  assert.equal(before.backlog, null)
  assert.equal((await ask('/api/whoami', cookie)).status, 200)
  assert.equal(metric((await ask('/metrics', owner)).body, 'wattmill_books_stopped'), 0)

  const stopped_ms = Date.now()
  server.stop()
  journal(operator, 21, 30)
  const backlog = await until('told', async () => {
    const told = (await status()).backlog
    return told && told.held_bytes > 0 && told // sizes are looked at once a second
  })
  const rest = await status()
  assert(backlog.since_ms >= stopped_ms && backlog.since_ms <= Date.now())
  assert.deepEqual([backlog.fault, backlog.journal_rows, backlog.state], ['unreachable', 20, 'ample'])
  assert.equal(backlog.most_bytes, 4 * 1024 ** 3)
  assert.match(backlog.next, /served and journaled.* nothing is lost.* 4\.0 GiB .* 503 journal_unavailable/)
  assert.deepEqual([rest.requests, rest.snapshot], [null, null], 'what the store would say')

  assert.equal((await ask('/api/status', cookie)).status, 200, 'who was known shortly before')
  assert.equal((await ask('/api/whoami', cookie)).status, 200)
  for (const [path, headers] of [
    ['/api/status', { authorization: 'Bearer wm-admin-unknown' }],
    ['/api/status', { cookie: `wattmill_session=${'x'.repeat(43)}` }],
    ['/api/keys', cookie],
  ] as const)
    assert.equal((await ask(path, headers)).status, 503, `${path} ${JSON.stringify(headers)}`)
  const page = (await ask('/metrics', owner)).body
  assert.deepEqual(
    ['wattmill_books_stopped', 'wattmill_backlog_rows'].map((name) => metric(page, name)),
    [1, 20],
  )
  assert((metric(page, 'wattmill_books_stopped_seconds') ?? 0) > 0)
  const { findings } = (await ask('/api/doctor', owner)).body as { findings: { check: string; found: string }[] }
  assert.match(
    findings.find((one) => one.check === 'books-stopped')?.found ?? '',
    /cannot be reached.*20 journal rows wait/,
  )

  server.start()
  await until('booked again', async () => (await status()).requests === 30)
  const after = await status()
  assert.deepEqual([after.backlog, after.snapshot], [null, before.snapshot])
  const { conserved, requests, open } = check(operator.factory.store)
  assert.deepEqual([conserved, requests, open], [true, 30, 0])
})

test('a PostgreSQL whose disk is full is told the same way, and books all of it when there is room again', {
  skip: noSmallDisk,
}, async (t) => {
  await using server = await ownServer({ disk_mib: 200 })
  const operator = await factoryOn(t, server.url)
  const { status } = asking(operator)
  await until('booked', async () => (await status()).requests === 20)
  server.fill()
  journal(operator, 21, 2000)
  const { fault, why, journal_rows, next } = await until('told', async () => (await status()).backlog ?? undefined)
  console.log(`said: ${fault}, ${why}; ${journal_rows} rows wait`)
  assert.match(fault, /^(full|unreachable)$/)
  assert(journal_rows > 0 && journal_rows <= 3960, `${journal_rows}`)
  assert.match(next, /nothing is lost/)
  server.makeRoom()
  await until('booked again', async () => (await status()).requests === 2000)
  assert.equal((await status()).backlog, null)
  const { conserved, requests, lost, doubled } = check(operator.factory.store)
  assert.deepEqual([conserved, requests, lost, doubled], [true, 2000, 0, 0])
})
