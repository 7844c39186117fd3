/**
 * A synthetic OpenAI-compatible upstream: it computes nothing, it only keeps time. A stream has its first content after
 * `--ttft-ms` and one chunk every `--gap-ms`; a whole answer comes at once. For measuring what stands in front of it.
 *
 *     node bin/node.mjs bench/load/synthetic.ts [--port 0] [--ttft-ms 20] [--gap-ms 10]
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

export interface Pace {
  readonly ttft_ms: number
  readonly gap_ms: number
}

export const syntheticModel = 'synthetic'

const promptTokens = 8
/** A chunk's content: one token's worth of text. */
const content = ' token'

interface Ask {
  readonly stream?: boolean
  readonly max_tokens?: number
}

const usageOf = (tokens: number) => ({
  prompt_tokens: promptTokens,
  completion_tokens: tokens,
  total_tokens: promptTokens + tokens,
})

const head = { id: 'synthetic-1', created: 0, model: syntheticModel }

const event = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`

function whole(response: ServerResponse, tokens: number): void {
  const message = { role: 'assistant', content: content.repeat(tokens) }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage: usageOf(tokens) }))
}

function streamed(response: ServerResponse, tokens: number, pace: Pace): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const delta = event([{ index: 0, delta: { content }, finish_reason: null }])
  const start = performance.now() + pace.ttft_ms
  let sent = 0
  // Each chunk by its own due time, so that a late timer delays no later one.
  const next = (): void => {
    response.write(delta)
    if (++sent < tokens) return wait()
    response.write(event([{ index: 0, delta: {}, finish_reason: 'stop' }]))
    response.end(`${event([], { usage: usageOf(tokens) })}data: [DONE]\n\n`)
  }
  let timer: NodeJS.Timeout
  const wait = (): void => {
    timer = setTimeout(next, Math.max(0, start + sent * pace.gap_ms - performance.now()))
  }
  response.on('close', () => clearTimeout(timer))
  wait()
}

async function answer(request: IncomingMessage, response: ServerResponse, pace: Pace): Promise<void> {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' })
    return void response.end(JSON.stringify({ data: [{ id: syntheticModel, object: 'model' }] }))
  }
  const { stream, max_tokens = 16 } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as Ask
  if (stream) streamed(response, max_tokens, pace)
  else whole(response, max_tokens)
}

export async function startSynthetic(pace: Pace, port = 0): Promise<{ readonly base: string; close(): void }> {
  const server = createServer((request, response) => {
    answer(request, response, pace).catch(() => response.destroy())
  })
  await new Promise<void>((listening) => server.listen({ port, host: '127.0.0.1', backlog: 4096 }, listening))
  const { port: bound } = server.address() as AddressInfo
  return {
    base: `http://127.0.0.1:${bound}/v1`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      'ttft-ms': { type: 'string', default: '20' },
      'gap-ms': { type: 'string', default: '10' },
    },
  })
  const pace = { ttft_ms: Number(values['ttft-ms']), gap_ms: Number(values['gap-ms']) }
  const { base } = await startSynthetic(pace, Number(values.port))
  if (process.send) {
    process.send({ base })
    process.on('disconnect', () => process.exit(0))
  } else console.log(`synthetic upstream at ${base}`)
}
