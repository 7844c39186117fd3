/** A gateway, upstreams and clients in one process, on loopback ports of the system's choice: for tests only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { clock } from '../../adapters/clock/clock.ts'
import { makeHome } from '../../adapters/files/home.ts'
import { Proxies } from '../../adapters/http/client.ts'
import type { EngineHostClient, HostReport, HostStatus } from '../../adapters/llama/client.ts'
import type { KnownModel } from '../../adapters/llama/protocol.ts'
import type { WireSnapshot } from '../../adapters/operator/contract.ts'
import { writeStored } from '../../adapters/operator/stored.ts'
import { hashKey } from '../../adapters/random/secret.ts'
import type { Result } from '../../adapters/sqlite/journal-file.ts'
import type { CloseRow, Row } from '../../books/row.ts'
import { id } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'
import { type Gateway, gateway } from './gateway.ts'
import { jsonLog } from './log.ts'
import type { Settings } from './settings.ts'

export const testKey = 'wm-test-canary-0123456789'
/** Of another tenant. */
export const otherKey = 'wm-test-other-0123456789'
const pepper = 'pepper-of-the-tests'

/** A journal in memory: durable after a tick, or not at all when told to fail. */
export class FakeJournal {
  readonly rows: Row[] = []
  readonly kept: CloseRow[] = []
  state: 'up' | 'down' = 'up'
  fails = false
  delayMs = 0
  acknowledged = 0
  depth = 0

  readonly results = new Map<string, Result>()

  append(row: Row, answer: (durable: boolean) => void, result?: Result): void {
    const fails = this.fails
    const told = (): void => {
      if (!fails) this.rows.push(row)
      if (!fails && result) this.results.set(row.id, result)
      answer(!fails)
    }
    if (this.delayMs === 0) setImmediate(told)
    else setTimeout(told, this.delayMs)
  }

  keep(row: CloseRow): void {
    this.kept.push(row)
  }

  forget(ids: readonly string[]): void {
    for (const each of ids) this.results.delete(each)
  }

  acknowledge(sequence: number): void {
    this.acknowledged = sequence
  }

  async close(): Promise<void> {}

  get closes(): CloseRow[] {
    return this.rows.filter((row) => row.kind === 'close')
  }
}

type WireEngine = WireSnapshot['engines'][number]
type WireGrant = WireSnapshot['grants'][number]

export interface Setup {
  readonly engines?: readonly Partial<WireEngine>[]
  readonly grant?: Partial<WireGrant>
  readonly aliases?: Record<string, string[]>
  readonly rails?: WireSnapshot['rails'] & {}
  /** Besides that of all classes. */
  readonly prices?: WireSnapshot['prices']
  readonly settings?: Partial<Settings>
  readonly host?: Partial<EngineHostClient> & { readonly listen?: (listener: (report: HostReport) => void) => void }
}

export const perMillion = {
  input_uncached: '50000000',
  cache_read: '5000000',
  cache_write: '50000000',
  output_visible: '100000000',
  reasoning: '200000000',
}

const engine = (one: Partial<WireEngine>, index: number): WireEngine => ({
  name: `engine-${index + 1}`,
  vendor: 'openai',
  url: null,
  key_from: null,
  models: { m: 'upstream-m' },
  concurrency: 8,
  draining: false,
  ...one,
})

export function snapshotOf(
  { engines = [], grant = {}, aliases = {}, prices = [], rails = [] }: Setup,
  number = 1,
): WireSnapshot {
  const free = { models: null, requests_per_minute: null, tokens_per_minute: null, expires_ms: null }
  const hash = (key: string): string => hashKey(Buffer.from(pepper), key)
  return {
    number,
    published_ms: Date.now(),
    gateways: 1,
    grants: [
      { hash: hash(testKey), key: 'key_1', tenant: 'acme', application: 'app', ...free, ...grant },
      { hash: hash(otherKey), key: 'key_2', tenant: 'other', application: 'app', ...free },
    ],
    prices: [{ version: 3, model: 'm', effective_from_ms: 0, note: '', perMillion }, ...prices],
    aliases,
    rails,
    engines: engines.map(engine),
  }
}

const usualSettings = {
  slot: 0,
  host: '127.0.0.1',
  port: 0,
  certificate: undefined,
  proxies: new Proxies([]),
  bodyBytes: 64 * 1024,
  requestMs: 10_000,
  maxConnections: 100,
  stallMs: 5_000,
  cacheBytes: 1024 * 1024,
  room: { most_bytes: 1024 ** 3, least_free_bytes: 0 },
  responses: { retentionMs: 86_400_000, bytesPerTenant: 1024 ** 2 },
  debug: false,
  admission: { queueLength: 4, queueTime: seconds(2), absentTime: seconds(0), leaseTime: seconds(1), attempts: 3 },
  objectives: { ttft: seconds(2), tpot: seconds(0.2) },
  batches: {
    fileBytes: 100_000,
    tenantBytes: 1_000_000,
    tenantFiles: 20,
    keepMs: 86_400_000,
    lines: 1000,
    unfinished: 5,
    requests: 4,
  },
}

export interface Bench {
  readonly gateway: Gateway
  readonly journal: FakeJournal
  readonly url: string
  readonly port: number
  readonly log: string[]
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Shape
}

/** What tests look into; a wrong guess fails the test that makes it. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into, and an assertion follows each look.
type Shape = any

export const parsed = (json: string): Shape => JSON.parse(json)

export async function bench(t: TestContext, setup: Setup = {}): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'wm-gateway-'))
  const settings: Settings = { ...usualSettings, home: directory, ...setup.settings }
  const home = makeHome(directory)
  writeFileSync(home.pepper, pepper)
  writeStored(join(home.snapshots, '0.json'), snapshotOf(setup))
  const journal = new FakeJournal()
  const log: string[] = []
  const made = gateway({
    home,
    settings,
    incarnation: id('g0-test'),
    journal,
    now: clock.seconds,
    log: jsonLog(settings.debug, (line) => log.push(line)),
    connectHost: (listener) => {
      setup.host?.listen?.(listener)
      return hostOf(setup.host)
    },
  })
  const port = await made.start()
  const url = `http://127.0.0.1:${port}`
  t.after(async () => {
    await made.drain(0)
    rmSync(directory, { recursive: true, force: true })
  })
  return { gateway: made, journal, url, port, log, post: (path, body, headers) => post(url + path, body, headers) }
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${testKey}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const answer = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: response.headers, text: answer, json: isJson ? parsed(answer) : undefined }
}

/** What the engine host says of itself, with its one model in a state. */
export const hostStatus = (state: KnownModel['state'] = 'ready'): HostStatus => ({
  on: 'status',
  incarnation: 'host',
  models: [{ model: 'upstream-m', path: '', bytes: 1, makes: 'text', context_length: 100, parameters: 1, state }],
  memory: { budget: 1, used: 1 },
  running: 0,
  waiting: 0,
  slots: 1,
})

const hostOf = (host: Setup['host']): EngineHostClient => ({
  generate: () => undefined,
  cancel: () => undefined,
  load: () => undefined,
  unload: () => undefined,
  remove: () => undefined,
  askStatus: () => undefined,
  ready: () => true,
  status: () => hostStatus(),
  close: () => undefined,
  ...host,
})

export interface Seen {
  readonly headers: IncomingMessage['headers']
  readonly body: Shape
  readonly path: string
}

/** An OpenAI-compatible server whose every answer the test writes itself. */
export async function fakeUpstream(
  t: TestContext,
  answer: (response: ServerResponse, seen: Seen) => void,
): Promise<{ readonly url: string; readonly seen: Seen[]; readonly cut: number[] }> {
  const seen: Seen[] = []
  const cut: number[] = []
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{"data":[]}')
    const one = { headers: request.headers, body: parsed(await text(request)), path: request.url ?? '' }
    seen.push(one)
    response.on('close', () => response.writableFinished || cut.push(seen.indexOf(one)))
    answer(response, one)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen, cut }
}

export const chunkOf = (choice: unknown, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'up-1', object: 'chat.completion.chunk', created: 7, model: 'upstream-m', choices: choice === undefined ? [] : [choice], ...more })}\n\n`

export const delta = (content: string, more: object = {}): string =>
  chunkOf({ index: 0, delta: { content }, finish_reason: null }, more)

export const finish = (more: object = {}): string => chunkOf({ index: 0, delta: {}, finish_reason: 'stop' }, more)

export const done = 'data: [DONE]\n\n'

/** Sends a stream in one go. */
export function stream(response: ServerResponse, ...parts: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(parts.join(''))
}

export const chatBody = (more: object = {}): object => ({
  model: 'm',
  messages: [{ role: 'user', content: 'hello there' }],
  ...more,
})

/** The data of the events of a stream. */
export const eventsOf = (stream: string): Shape[] =>
  [...stream.matchAll(/^data: (.*)$/gm)].map(([, data]) => (data === '[DONE]' ? '[DONE]' : parsed(data ?? '')))

export async function until(what: () => boolean, ms = 3_000): Promise<void> {
  for (const end = Date.now() + ms; !what(); await new Promise((next) => setTimeout(next, 5)))
    if (Date.now() > end) throw new Error(`never: ${what}`)
}
