import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { makeHome } from '../../adapters/files/home.ts'
import type { Factory } from './factory.ts'
import { Answer, type Route, route } from './router.ts'
import { serve } from './server.ts'
import { temporary } from './testing.ts'

interface Heard {
  readonly status: number
  readonly text: string
  readonly whole: boolean
}

const ask = (socketPath: string, path: string, method = 'GET'): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      reply.on('close', () => resolve({ status: reply.statusCode ?? 0, text, whole: reply.complete }))
    })
    asked.on('error', reject)
    asked.end()
  })

/** A server with one route that answers when it is let, and one that never ends. */
async function serving() {
  const home = makeHome(temporary())
  const asked = Promise.withResolvers<void>()
  const let_ = Promise.withResolvers<string>()
  function* forever(): Generator<string> {
    for (;;) yield 'x'.repeat(65_536)
  }
  const routes: Route[] = [
    route({
      method: 'GET',
      role: 'viewer',
      path: '/slow',
      about: 'Waits',
      run: () => {
        asked.resolve()
        return let_.promise
      },
    }),
    route({
      method: 'GET',
      role: 'viewer',
      path: '/endless',
      about: 'Never ends',
      run: () => {
        asked.resolve()
        return new Answer({ status: 200, body: { lines: forever() } })
      },
    }),
  ]
  const served = await serve({ home, live: undefined } as Factory, routes, home.operatorSocket)
  return { served, socket: home.operatorSocket, asked: asked.promise, answer: let_.resolve }
}

test('an operator that ends answers what it was asked', async () => {
  const { served, socket, asked, answer } = await serving()
  const slow = ask(socket, '/slow')
  await asked
  const drained = served.drain(10_000)
  setTimeout(answer, 50, 'done')
  assert.deepEqual([(await slow).text, (await slow).whole], ['"done"\n', true])
  await drained
  await assert.rejects(ask(socket, '/slow'), 'nobody listens any more')
})

test('an answer without an end is cut, and its reader sees that', async () => {
  const { served, socket, asked } = await serving()
  const endless = ask(socket, '/endless').catch((error: Error) => error)
  await asked
  await served.drain(100)
  const heard = await endless
  assert(heard instanceof Error || !heard.whole)
})

test('HEAD is answered as GET, without the body, however long that is', async () => {
  const { served, socket, answer } = await serving()
  answer('x')
  for (const path of ['/slow', '/endless']) {
    const { status, text, whole } = await ask(socket, path, 'HEAD')
    assert.deepEqual([status, text, whole], [200, '', true], path)
  }
  await served.drain(1000)
})
