import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { type Home, home as homeAt } from '../../adapters/files/home.ts'
import { isDead } from '../../adapters/sqlite/alive.ts'
import { ControlError, type ErrorBody } from './errors.ts'
import { openStopped } from './open.ts'
import { type Call, dispatch, type Reply } from './router.ts'
import { routes } from './routes/all.ts'
import { settleBooks } from './settle-books.ts'

/** The way in for the command line: the operator's socket while it runs, else the same routes in this process. */
export interface Reached {
  readonly running: boolean
  /** JSON of the reply; an error of the API is thrown as `ControlError`. */
  json(method: string, url: string, body?: unknown): Promise<unknown>
  /** Text of the reply, line by line, for what is long. */
  lines(method: string, url: string): AsyncIterable<string> | Iterable<string>
  close(): void
}

/** An operator that died is started again within this time by its launcher. */
const restart_ms = 5_000

export async function reach(directory: string, log: (line: string) => void): Promise<Reached> {
  const home = homeAt(directory)
  for (const until = Date.now() + restart_ms; ; ) {
    if (await listens(home)) return bySocket(home, adminKeyOf(home))
    if (!existsSync(home.root) || isDead(home.upLock)) return inProcess(directory, log)
    if (Date.now() > until)
      throw new ControlError(
        'factory_unreachable',
        `the factory in ${home.root} runs, but its operator does not answer`,
        { next: 'See the output of wattmill up.' },
      )
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function bySocket(home: Home, adminKey: string): Reached {
  const ask = async (method: string, url: string, body?: unknown): Promise<IncomingMessage> => {
    const headers = {
      authorization: `Bearer ${adminKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const asked = httpRequest({ socketPath: home.operatorSocket, method, path: url, headers })
    asked.end(body === undefined ? undefined : JSON.stringify(body))
    try {
      const [reply] = (await once(asked, 'response')) as [IncomingMessage]
      return reply
    } catch (cause) {
      throw new ControlError('factory_unreachable', 'the operator went away during the request', {
        next: 'wattmill status',
        cause,
      })
    }
  }
  const json = async (reply: IncomingMessage): Promise<unknown> => {
    let text = ''
    for await (const part of reply.setEncoding('utf8')) text += part
    return checked(reply.statusCode ?? 500, JSON.parse(text))
  }
  return {
    running: true,
    json: async (method, url, body) => json(await ask(method, url, body)),
    async *lines(method, url) {
      const reply = await ask(method, url)
      if (reply.statusCode !== 200) await json(reply)
      yield* createInterface({ input: reply, crlfDelay: Infinity })
    },
    close: () => undefined,
  }
}

function inProcess(directory: string, log: (line: string) => void): Reached {
  const open = openStopped(directory, log)
  const run = async (call: Call): Promise<Reply> => {
    if (/^\/api\/(books|receipts|requests)/.test(call.url)) settleBooks(open.factory)
    return dispatch(routes, open.factory, call, () => undefined)
  }
  return {
    running: false,
    async json(method, url, body) {
      const reply = await run({ method, url, body })
      return checked(reply.status, 'json' in reply.body ? JSON.parse(JSON.stringify(reply.body.json, big)) : undefined)
    },
    async *lines(method, url) {
      const { status, body } = await run({ method, url })
      if ('json' in body) checked(status, body.json)
      if ('text' in body) yield* body.text.trimEnd().split('\n')
      if ('lines' in body) for (const line of body.lines) yield line.trimEnd()
    },
    close: () => open.close(),
  }
}

/** As it would have come over the socket. */
const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

function checked(status: number, value: unknown): unknown {
  if (status < 400) return value
  const { code, message, param, next } = (value as ErrorBody).error
  throw new ControlError(code, message, { param, next })
}

/** Who may read the file may use the control API. */
function adminKeyOf(home: Home): string {
  try {
    return readFileSync(home.adminKey, 'utf8').trim()
  } catch (cause) {
    throw new ControlError('no_permission', `${home.adminKey} cannot be read`, {
      next: 'Run this as the owner of the factory; a lost admin.key is made anew when `wattmill up` is started again.',
      cause,
    })
  }
}

const listens = (home: Home): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = httpRequest({ socketPath: home.operatorSocket, path: '/api/status', method: 'HEAD' })
    asked.once('error', () => resolve(false))
    asked.once('response', (reply) => {
      reply.resume()
      resolve(true)
    })
    asked.end()
  })
