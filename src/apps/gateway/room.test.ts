import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bench, chatBody, delta, done, fakeUpstream, finish, until } from './testing.ts'

test('where nothing more could be booked nothing is admitted, and what runs is finished', async (t) => {
  const release = Promise.withResolvers<void>()
  const up = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(delta('half '))
    void release.promise.then(() => response.end(delta('whole') + finish() + done))
  })
  const settings = { room: { most_bytes: 1_000_000, least_free_bytes: 0 } }
  const { post, gateway, log, journal, url } = await bench(t, { engines: [{ url: up.url }], settings })
  const { room } = gateway.state
  const running = post('/v1/chat/completions', chatBody({ stream: true }))
  await until(() => journal.rows.length === 1)

  const log0 = join(gateway.state.settings.home, 'engine', 'e.0000.ndjson')
  writeFileSync(log0, 'x'.repeat(850_000))
  await until(() => room.room.state === 'scarce')
  assert.match(log.join(), /journal room scarce/)
  assert.equal((await fetch(`${url}/readyz`)).status, 200, 'said before it happens, and served on')

  writeFileSync(log0, 'x'.repeat(1_000_000))
  await until(() => room.room.state === 'full')
  const refused = await post('/v1/chat/completions', chatBody())
  assert.deepEqual([refused.status, refused.json.error.code], [503, 'journal_unavailable'])
  assert.match(refused.json.error.message, /hold 976\.6 KiB of 976\.6 KiB/)
  assert.deepEqual(((await (await fetch(`${url}/readyz`)).json()) as { waits_for: string[] }).waits_for, [
    'journal room',
  ])
  release.resolve()
  assert.match((await running).text, /whole.*\[DONE\]/s)

  rmSync(log0)
  await until(() => room.room.state === 'ample')
  assert.equal((await post('/v1/chat/completions', chatBody({ stream: true }))).status, 200)
})
