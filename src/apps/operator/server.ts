import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { ControlError } from './errors.ts'
import type { Factory } from './factory.ts'
import { type Call, dispatch, type Reply, type Route, toJson } from './router.ts'

/** A request of the control API is a few fields; an export goes the other way. */
const mostBody = 1024 * 1024

export interface Served {
  /** Refuses what is new, and is told when what runs has been answered, or was cut at the end of the patience. */
  drain(patience_ms: number): Promise<void>
}

/** The operator's socket: readable and writable by its owner only, which is what makes it trusted. */
export async function serve(factory: Factory, routes: readonly Route[], socketPath: string): Promise<Served> {
  await clearStale(socketPath)
  let draining = false
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, (request, response) => {
    if (draining) response.shouldKeepAlive = false
    if (draining) return void send(response, { status: 503, body: { json: leaving.body } }, false)
    answer(factory, routes, request, response).catch((cause) => {
      factory.log(`reply failed: ${String(cause)}`)
      response.destroy()
    })
  })
  server.maxConnections = 1024 // gateways keep a few each; beyond it something leaks
  const mask = process.umask(0o177)
  try {
    server.listen(socketPath)
    await once(server, 'listening')
  } finally {
    process.umask(mask)
  }
  if (process.platform !== 'win32') chmodSync(socketPath, 0o600)
  return {
    async drain(patience_ms) {
      draining = true
      const cut = setTimeout(() => server.closeAllConnections(), patience_ms)
      const sweep = setInterval(() => server.closeIdleConnections(), sweep_ms) // of answers that have ended meanwhile
      await new Promise((resolve) => server.close(resolve))
      clearTimeout(cut)
      clearInterval(sweep)
    },
  }
}

const sweep_ms = 20
const leaving = new ControlError('draining', 'the operator is ending')

async function answer(
  factory: Factory,
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = request.headers as Record<string, string | undefined>
  const call: Call = { method: request.method ?? 'GET', url: request.url ?? '/', headers }
  const body = await read(request)
  const reply =
    body.kind === 'refused'
      ? { status: body.status, body: { json: body.error.body } }
      : await dispatch(routes, factory, { ...call, body: body.value }, (route, asked) =>
          factory.live?.admission.authorise(route, asked),
        )
  await send(response, reply, request.method === 'HEAD')
}

type Body =
  | { readonly kind: 'body'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly status: number; readonly error: ControlError }

async function read(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostBody)
      return {
        kind: 'refused',
        status: 413,
        error: new ControlError('body_too_large', 'the body is larger than 1 MiB'),
      }
    parts.push(part)
  }
  if (size === 0) return { kind: 'body', value: undefined }
  try {
    return { kind: 'body', value: JSON.parse(Buffer.concat(parts).toString()) }
  } catch {
    return { kind: 'refused', status: 400, error: new ControlError('invalid_json', 'the body is not JSON') }
  }
}

/** `bare`: HEAD was asked for, the answer without its body. */
async function send(response: ServerResponse, { status, headers, body }: Reply, bare: boolean): Promise<void> {
  const type =
    'json' in body ? 'application/json' : 'text' in body ? 'text/plain; charset=utf-8' : 'application/x-ndjson'
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  if (bare) return void response.end()
  if (!('lines' in body)) {
    response.end('json' in body ? `${toJson(body.json)}\n` : 'text' in body ? body.text : body.bytes)
    return
  }
  for (const line of body.lines) {
    if (response.destroyed) return
    if (!response.write(`${line.trimEnd()}\n`)) await drainedOrClosed(response)
  }
  response.end()
}

const drainedOrClosed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })

/** A killed operator leaves its socket file behind; it is taken away only when nobody answers there. */
async function clearStale(path: string): Promise<void> {
  if (process.platform === 'win32') return // a pipe goes with its process
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
  if (answers) throw new ControlError('home_in_use', `another operator listens on ${path}`)
  rmSync(path, { force: true })
}
