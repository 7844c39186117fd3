import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { makeHome } from '../../adapters/files/home.ts'
import { writeStored } from '../../adapters/operator/stored.ts'
import { chatBody, delta, done, eventsOf, fakeUpstream, finish, snapshotOf, stream, testKey } from './testing.ts'

const main = join(import.meta.dirname, 'main.ts')

function start(t: TestContext, home: string, port: number): ChildProcess {
  const child = fork(main, ['--home', home, '--port', String(port)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, WATTMILL_GATEWAY: '{"request_seconds": 20}' },
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

function makeFactory(t: TestContext, url: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'wm-process-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const home = makeHome(directory)
  writeFileSync(home.pepper, 'pepper-of-the-tests')
  writeStored(join(home.snapshots, '0.json'), snapshotOf({ engines: [{ url }] }))
  return directory
}

test('pain 9, a database on the hot path: a gateway on its own: serves without an operator, drains on SIGTERM, its rows are in its journal', async (t) => {
  const up = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(delta('slow '))
    setTimeout(() => response.end(delta('but whole') + finish() + done), 500)
  })
  const home = makeFactory(t, up.url)
  const child = start(t, home, 0)
  const [news] = (await once(child, 'message')) as [{ ready: boolean; port: number }]
  assert.equal(news.ready, true)
  const url = `http://127.0.0.1:${news.port}`
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${testKey}` },
    body: JSON.stringify(chatBody({ stream: true })),
  })
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const events = eventsOf(await response.text())
  assert.deepEqual([events[1].choices[0].delta.content, events.at(-1)], ['but whole', '[DONE]'])
  assert.deepEqual(await exit, [0, null])
  const journals = readdirSync(join(home, 'journal')).filter((name) => name.endsWith('.db'))
  assert.equal(journals.length, 1)
  const book = new DatabaseSync(join(home, 'journal', journals[0] ?? ''), { readOnly: true })
  const tables = book.prepare("select name from sqlite_schema where type = 'table'").all()
  const rows = tables.flatMap(({ name }) => book.prepare(`select * from ${name}`).all())
  book.close()
  assert.equal(rows.filter((row) => JSON.stringify(row).includes('"outcome\\":\\"complete')).length, 1)
})

test('a port that is taken is said to be so', async (t) => {
  const holder = createTcp()
  await new Promise<void>((ready) => holder.listen(0, '127.0.0.1', ready))
  t.after(() => holder.close())
  const address = holder.address()
  const up = await fakeUpstream(t, (response) => stream(response, done))
  const child = start(t, makeFactory(t, up.url), typeof address === 'object' && address ? address.port : 0)
  const exit = once(child, 'exit')
  const [news] = (await once(child, 'message')) as [{ failed: { code: string } }]
  assert.equal(news.failed.code, 'port_in_use')
  assert.deepEqual(await exit, [1, null])
})
