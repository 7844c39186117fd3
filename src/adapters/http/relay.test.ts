import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Relay } from './relay.ts'

test('requests go to the socket and answers stream back', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'wm-relay-'))
  const socket = join(directory, 'operator.sock')
  const seen: IncomingMessage['headers'][] = []
  const left: string[] = []
  const behind = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request.headers)
    response.on('close', () => left.push(`${request.url} ${response.writableFinished}`))
    if (request.url === '/api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      return void response.write('data: 1\n\n')
    }
    response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'x-request-id': 'theirs' })
    response.end(`${request.method} ${request.url} ${await text(request)}`)
  })
  await new Promise<void>((done) => behind.listen(socket, done))
  const relay = new Relay(socket, () => ({ address: '192.0.2.9', secure: true }))
  const front = createServer((request, response) => relay.pass(request, response, request.url ?? '/', 'ours'))
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  t.after(() => {
    front.closeAllConnections()
    front.close()
    relay.close()
    behind.closeAllConnections()
    behind.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const posted = await fetch(`${url}/api/keys?x=1`, {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'x-forwarded-for': '6.6.6.6', forwarded: 'for=6.6.6.6', cookie: 'session=1' },
  })
  assert.equal(posted.status, 201)
  assert.equal(await posted.text(), 'POST /api/keys?x=1 {"a":1}')
  assert.deepEqual(posted.headers.getSetCookie(), ['a=1', 'b=2'])
  assert.equal(posted.headers.get('x-request-id'), 'theirs')
  assert.deepEqual([seen[0]?.['x-forwarded-for'], seen[0]?.['x-forwarded-proto']], ['192.0.2.9', 'https'])
  assert.equal(seen[0]?.forwarded, undefined)
  assert.equal(seen[0]?.cookie, 'session=1')
  assert.equal(seen[0]?.['x-request-id'], 'ours')

  const near = async (headers: Record<string, string>): Promise<unknown> => {
    await new Promise<void>((done) => {
      request(`${url}/metrics`, { headers }, (reply) => reply.resume().on('end', () => done())).end()
    })
    return seen.at(-1)?.['x-wattmill-near']
  }
  assert.equal(await near({}), '1')
  for (const headers of [
    { 'x-forwarded-for': '127.0.0.1', 'x-wattmill-near': '1' },
    { forwarded: 'for=127.0.0.1' },
    { via: '1.1 proxy' },
    { host: 'rebound.example' },
  ])
    assert.equal(await near(headers), '0', JSON.stringify(headers))

  const leave = new AbortController()
  const events = await fetch(`${url}/api/events`, { signal: leave.signal })
  const first = await events.body?.getReader().read()
  assert.equal(new TextDecoder().decode(first?.value), 'data: 1\n\n')
  leave.abort()
  while (!left.includes('/api/events false')) await new Promise((next) => setTimeout(next, 5))

  const large = await fetch(`${url}/api/x`, { method: 'POST', body: 'x'.repeat(2 * 1024 * 1024) })
  assert.equal(large.status, 413)
  await large.body?.cancel()
  behind.closeAllConnections()
  await new Promise((done) => behind.close(done))
  assert.equal((await fetch(`${url}/api/x`)).status, 503)
})
