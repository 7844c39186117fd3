/** Test only: an engine with OpenAI's API that does what it is told to do, well or badly. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'

export interface Habits {
  /** Names of the limit that it obeys. */
  readonly limits: readonly string[]
  readonly refuses: readonly string[]
  readonly ignores: readonly string[]
  readonly streamUsage: 'always' | 'on_request' | 'never'
  /** Where the usage of a stream stands. */
  readonly usageAt: 'usage' | 'x_groq.usage'
  readonly cached: 'within' | 'beside' | 'untold'
  readonly error: (message: string) => object
  /** Paths that it does not have. */
  readonly lacks: readonly string[]
}

export const goodHabits: Habits = {
  limits: ['max_tokens', 'max_completion_tokens'],
  refuses: [],
  ignores: [],
  streamUsage: 'on_request',
  usageAt: 'usage',
  cached: 'within',
  error: (message) => ({ error: { message, type: 'invalid_request_error' } }),
  lacks: [],
}

const words = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen'.split(' ')

/** Serves until it is disposed of; counts what it made. */
export async function habitualEngine(habits: Habits): Promise<
  Disposable & {
    readonly url: URL
    readonly counted: { requests: number; output: number }
    readonly bodies: JsonObject[]
  }
> {
  const seen = new Set<string>()
  const counted = { requests: 0, output: 0 }
  const bodies: JsonObject[] = []
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/models') return json(response, 200, { data: [{ id: 'm' }] })
    if (request.method !== 'POST') return json(response, 404, {})
    const body = JSON.parse(await text(request)) as JsonObject
    counted.requests++
    bodies.push(body)
    answer(habits, String(request.url).slice('/v1'.length), body, response, seen, counted)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}/v1`),
    counted,
    bodies,
    [Symbol.dispose]: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function answer(
  habits: Habits,
  path: string,
  body: JsonObject,
  response: ServerResponse,
  seen: Set<string>,
  counted: { output: number },
): void {
  const no = (message: string): void => json(response, 400, habits.error(message))
  const refused = habits.refuses.find((field) => body[field] !== undefined)
  if (habits.lacks.includes(path)) return json(response, 404, habits.error(`there is no ${path}`))
  if (refused) return no(`${refused} is not supported`)
  if (path === '/embeddings') return json(response, 200, { data: [{ embedding: [1, 2, 3] }] })
  if (path === '/completions') return json(response, 200, { choices: [{ text: 'three', finish_reason: 'stop' }] })
  if (!Array.isArray(body.messages)) return no('messages must be an array')
  if (body.model !== 'm') return json(response, 404, habits.error('no such model'))

  const { text, end } = said(habits, body)
  const usage = usageOf(habits, JSON.stringify(body.messages), text, seen)
  counted.output += text.length
  if (body.stream === true) return streamed(habits, body, text, end, usage, response)
  const choice = { message: messageOf(habits, body, text), finish_reason: end, ...likely(habits, body, text) }
  const many = obeys(habits, body, 'n') ? Number(body.n) : 1
  json(response, 200, { choices: Array.from({ length: many }, (_, index) => ({ index, ...choice })), usage })
}

const obeys = (habits: Habits, body: JsonObject, field: string): boolean =>
  body[field] !== undefined && !habits.ignores.includes(field)

/** The words of an answer, up to its limit and its stop string. */
function said(habits: Habits, body: JsonObject): { text: string[]; end: string } {
  const shift = obeys(habits, body, 'seed') ? Number(body.seed) % 7 : 0
  const all = [...words.slice(shift), ...words.slice(0, shift), ...words, ...words]
  const limit = habits.limits.map((name) => body[name]).find((value) => typeof value === 'number')
  const stop = obeys(habits, body, 'stop') ? [body.stop].flat()[0] : undefined
  const until = all.indexOf(String(stop))
  const cut = all.slice(0, until < 0 ? all.length : until)
  const text = cut.slice(0, typeof limit === 'number' ? limit : cut.length)
  return { text, end: text.length < cut.length ? 'length' : 'stop' }
}

function usageOf(habits: Habits, prompt: string, text: readonly string[], seen: Set<string>): JsonObject {
  const hit = seen.has(prompt) ? 10 : 0
  seen.add(prompt)
  const usage = { prompt_tokens: habits.cached === 'beside' ? 12 - hit : 12, completion_tokens: text.length }
  return habits.cached === 'untold' ? usage : { ...usage, prompt_tokens_details: { cached_tokens: hit } }
}

function streamed(
  habits: Habits,
  body: JsonObject,
  text: readonly string[],
  end: string,
  usage: JsonObject,
  response: ServerResponse,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (chunk: object): boolean => response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  for (const word of text) send({ choices: [{ index: 0, delta: { content: `${word} ` }, finish_reason: null }] })
  send({ choices: [{ index: 0, delta: {}, finish_reason: end }] })
  const asked = isObject(body.stream_options) && body.stream_options.include_usage === true
  if (habits.streamUsage === 'always' || (habits.streamUsage === 'on_request' && asked))
    send(habits.usageAt === 'usage' ? { choices: [], usage } : { choices: [], x_groq: { usage } })
  response.end('data: [DONE]\n\n')
}

function messageOf(habits: Habits, body: JsonObject, text: readonly string[]): object {
  if (obeys(habits, body, 'tools')) return { content: null, tool_calls: [{ id: '1', function: { name: 'say' } }] }
  return { content: obeys(habits, body, 'response_format') ? '{"answer":"yes"}' : text.join(' ') }
}

const likely = (habits: Habits, body: JsonObject, text: readonly string[]): object =>
  obeys(habits, body, 'logprobs')
    ? { logprobs: { content: text.map((token) => ({ token, top_logprobs: [{}, {}] })) } }
    : {}
