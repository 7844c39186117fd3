import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { makeHome } from '../../../adapters/files/home.ts'
import { writeStored } from '../../../adapters/operator/stored.ts'
import { listJournals, readJournal } from '../../../adapters/sqlite/journal-reader.ts'
import { holdsResults } from '../../../adapters/sqlite/journal-results.ts'
import { one } from '../../../adapters/sqlite/query.ts'
import { openStore } from '../../../adapters/sqlite/store.ts'
import { takeJournals } from '../../../adapters/sqlite/take-journals.ts'
import type { CloseRow } from '../../../books/row.ts'
import { fakeUpstream, snapshotOf } from '../testing.ts'
import { askLine, batchWhen, call, handIn, isOver, linesIn, whole } from './testing.ts'

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

async function start(t: TestContext, home: string, slot: number): Promise<Running> {
  const child = fork(
    join(import.meta.dirname, '..', 'main.ts'),
    ['--home', home, '--slot', String(slot), '--port', '0'],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  const [news] = (await once(child, 'message')) as [{ port: number }]
  return { child, url: `http://127.0.0.1:${news.port}` }
}

async function die({ child }: Running, how: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
  const exit = once(child, 'exit')
  child.kill(how)
  await exit
}

test('gateways are killed, and some stopped, in the middle of a batch: each line is in the output once, and billed once', async (t) => {
  const up = await fakeUpstream(t, (response, { body }) => {
    setTimeout(() => whole(response, `re: ${body.messages[0].content}`), 10 + Math.random() * 50)
  })
  const directory = mkdtempSync(join(tmpdir(), 'wm-batch-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const home = makeHome(directory)
  writeFileSync(home.pepper, 'pepper-of-the-tests')
  for (const slot of [0, 1])
    writeStored(join(home.snapshots, `${slot}.json`), snapshotOf({ engines: [{ url: up.url, concurrency: 16 }] }))
  const count = 1500
  const gateways = [await start(t, directory, 0), await start(t, directory, 1)]
  const url = (): string => gateways[1]?.url ?? ''
  const { id } = (
    await handIn(
      url(),
      Array.from({ length: count }, (_, n) => askLine(`line-${n}`, `ask ${n}`)),
    )
  ).json

  let kills = 0
  for (let seen = 0; ; ) {
    const now = await batchWhen(
      url(),
      id,
      (batch) => up.seen.length >= seen + 100 || kills >= 8 || isOver(batch),
      60_000,
    )
    if (kills >= 8 || isOver(now)) break
    seen = up.seen.length
    const victim = kills++ % 2
    await after(Math.random() * 50)
    await die(gateways[victim] as Running, kills % 4 === 0 ? 'SIGTERM' : 'SIGKILL')
    gateways[victim] = await start(t, directory, victim)
  }
  assert(kills >= 4, `the batch was over after ${kills} kills`)
  const batch = await batchWhen(url(), id, isOver, 60_000)
  assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: count, completed: count, failed: 0 }])
  const output = await linesIn(url(), batch.output_file_id)
  assert.equal(output.length, count)
  assert.equal(new Set(output.map(({ custom_id }) => custom_id)).size, count, 'no line is answered twice')
  for (const { custom_id, response } of output)
    assert.equal(response.body.choices[0].message.content, `re: ask ${custom_id.slice('line-'.length)}`)

  const rows = listJournals(home.journals).flatMap((each) => readJournal(home.journals, each, 0, 1_000_000))
  const closes = rows.map(({ row }) => row).filter((row): row is CloseRow => row?.kind === 'close')
  const billed = closes.filter(({ outcome }) => outcome === 'complete').map((row) => row.id)
  assert.deepEqual(
    billed.sort(),
    output.map(({ response }) => response.request_id).sort(),
    'what is billed is answered',
  )
  t.diagnostic(`${up.seen.length - count} requests of ${up.seen.length} were asked again after ${kills} kills`)
  assert.equal((await call(`${url()}/v1/files/${batch.input_file_id}`, 'GET')).status, 200)

  for (const gateway of gateways) await die(gateway)
  const last = await start(t, directory, 0)
  for (let tries = 0; listJournals(home.journals).some((each) => holdsResults(home.journals, each)); tries++) {
    assert(tries < 100, 'results of a batch that is over stay in a journal')
    await after(50)
  }
  await die(last)
  const store = openStore(home)
  t.after(() => store.database.close())
  const columns =
    'version, model, effective_from_ms, input_uncached, cache_read, cache_write, output_visible, reasoning, note'
  const values = "3, 'm', 0, 50000000, 5000000, 50000000, 100000000, 200000000, ''"
  store.database.exec(`insert into price (${columns}) values (${values})`)
  for (let turns = 0; takeJournals(store, home.journals, Date.now); turns++) assert(turns < 1000)
  assert.deepEqual(listJournals(home.journals), [], 'journals that hold nothing any more are deleted')
  const booked = one<{ n: number }>(store.database, "select count(*) as n from request where outcome = 'complete'")
  assert.equal(booked?.n, count)
  const paid = one<{ nano: number }>(store.database, "select sum(amount) as nano from transfer where unit = 'nano-USD'")
  assert.equal(paid?.nano, count * (3 * 50 + 2 * 100), 'three tokens in and two out, for each line once')
})
