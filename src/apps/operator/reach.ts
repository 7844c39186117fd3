import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Dispatcher, Pool } from 'undici'
import { isDead } from '../../adapters/files/alive.ts'
import { type Home, home as homeAt } from '../../adapters/files/home.ts'
import { heldIn } from '../../adapters/files/room.ts'
import { dialSocket } from '../../adapters/http/dial.ts'
import { sized } from '../../books/room.ts'
import { owner } from './auth.ts'
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
  for (const until = performance.now() + restart_ms; ; ) {
    const pool = await listening(home)
    if (pool) return bySocket(pool, home)
    if (!existsSync(home.root) || isDead(home.upLock)) return inProcess(directory, log)
    if (performance.now() > until) throw await silent(home)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** It may wait for a database that does not answer; what its gateways journal meanwhile can be seen without it. */
async function silent(home: Home): Promise<ControlError> {
  const { journal_bytes, engine_log_bytes } = await heldIn(home)
  const waits = `journals and engine logs hold ${sized(journal_bytes + engine_log_bytes)}`
  const message = `the factory in ${home.root} runs, but its operator does not answer; ${waits}`
  return new ControlError('factory_unreachable', message, {
    next: 'See the output of wattmill up. Gateways serve on and journal; nothing is lost',
  })
}

function bySocket(pool: Pool, home: Home): Reached {
  const authorization = `Bearer ${adminKeyOf(home)}`
  const ask = async (method: string, path: string, body?: unknown): Promise<Dispatcher.ResponseData> => {
    try {
      return await pool.request({
        method: method as Dispatcher.HttpMethod,
        path,
        headers: { authorization, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: 0, // adding a large model takes minutes; a person at the keyboard is the bound
        bodyTimeout: 0,
      })
    } catch (cause) {
      throw new ControlError('factory_unreachable', 'the operator went away during the request', {
        next: 'wattmill status',
        cause,
      })
    }
  }
  const json = async ({ statusCode, body }: Dispatcher.ResponseData): Promise<unknown> =>
    checked(statusCode, await body.json())
  return {
    running: true,
    json: async (method, url, body) => json(await ask(method, url, body)),
    async *lines(method, url) {
      const reply = await ask(method, url)
      if (reply.statusCode !== 200) await json(reply)
      yield* createInterface({ input: reply.body, crlfDelay: Infinity })
    },
    close: () => void pool.destroy(),
  }
}

function inProcess(directory: string, log: (line: string) => void): Reached {
  const open = openStopped(directory, log)
  const run = async (call: Call): Promise<Reply> => {
    if (/^\/api\/(books|receipts|requests|explain)/.test(call.url)) settleBooks(open.factory)
    return dispatch(routes, open.factory, call, () => owner)
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

/** A way to the operator, when it answers. */
async function listening(home: Home): Promise<Pool | undefined> {
  const pool = dialSocket(home.operatorSocket, 2)
  try {
    await (await pool.request({ method: 'GET', path: '/', headersTimeout: restart_ms })).body.dump()
    return pool
  } catch {
    await pool.destroy()
    return undefined
  }
}
