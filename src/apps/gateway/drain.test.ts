import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, chatBody, delta, done, eventsOf, fakeUpstream, finish, testKey, until } from './testing.ts'

const ask = (url: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${testKey}`, connection: 'close' },
    body: JSON.stringify(chatBody({ stream: true })),
  })

/** An upstream whose answers end when the test says so. */
async function patient(t: Parameters<typeof bench>[0]) {
  const release = Promise.withResolvers<void>()
  const up = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(delta('half '))
    void release.promise.then(() => response.end(delta('whole') + finish() + done))
  })
  return { ...(await bench(t, { engines: [{ url: up.url }] })), release: release.resolve }
}

test('a gateway that stops finishes what runs, and refuses what is new on new connections too', async (t) => {
  const { gateway, url, release } = await patient(t)
  const running = await ask(url)
  const drained = gateway.drain(10_000)
  const late = await ask(url)
  assert.equal(late.status, 503)
  assert.equal(late.headers.get('connection'), 'close')
  assert.equal(late.headers.get('x-should-retry'), 'true')
  assert.equal(((await late.json()) as { error: { code: string } }).error.code, 'draining')
  const probe = await fetch(`${url}/readyz`, { headers: { connection: 'close' } })
  assert.deepEqual([probe.status, ((await probe.json()) as { waits_for: string[] }).waits_for], [503, ['draining']])
  release()
  assert.equal(eventsOf(await running.text()).at(-1), '[DONE]')
  await drained
  await assert.rejects(fetch(`${url}/livez`), 'nobody listens any more')
})

test('a gateway that retires serves as ever those who are connected, and closes each behind its answer', async (t) => {
  const { gateway, url, release } = await patient(t)
  const running = await ask(url)
  const retired = gateway.drain(10_000, 'retire')
  const next = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${testKey}` } })
  assert.deepEqual([next.status, next.headers.get('connection')], [200, 'close'])
  await next.text()
  assert.equal((await fetch(`${url}/readyz`)).status, 200, 'the port is served')
  release()
  assert.equal(eventsOf(await running.text()).at(-1), '[DONE]')
  await retired
  await assert.rejects(fetch(`${url}/livez`))
})

test('a gateway that retires cuts what outlasts its patience, and says why', async (t) => {
  const { gateway, url, journal } = await patient(t)
  const running = await ask(url)
  await until(() => journal.rows.length === 1)
  const retired = gateway.drain(100, 'retire')
  assert.equal(eventsOf(await running.text()).at(-1).error.code, 'draining')
  await retired
})
