/**
 * A SYNTHETIC GPU node: a server that answers like vLLM's on the wire, and an exporter that answers like dcgm-exporter. No
 * model is run and nothing is measured: words are made up at a steady pace, and power follows a formula of the batch. It shows
 * what Wattmill makes of such a node, on a machine without one.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface NodeOptions {
  readonly model: string
  readonly gpus: number
  /** 0: any free port. */
  readonly apiPort?: number
  readonly dcgmPort?: number
  /** How often the exporter refreshes its figures; dcgm-exporter's own default is 30,000. */
  readonly refresh_ms?: number
}

/** Pace and power of the made-up engine. */
const [prefillPerSecond, firstItl_ms, itlPerStream_ms] = [20_000, 8, 0.4]
const [idle_w, step_w, stream_w, most_w] = [110, 190, 9, 700]

/** Power of one board: at rest, or a step and its streams, up to the limit. */
const boardWatts = (running: number): number =>
  running === 0 ? idle_w : Math.min(most_w, idle_w + step_w + stream_w * running)

export class SyntheticNode {
  readonly uuids: readonly string[]
  readonly #options: NodeOptions
  readonly #api: Server
  readonly #dcgm: Server
  readonly #seen = new Set<string>()
  #running = 0
  #promptTokens = 0
  #outputTokens = 0
  #queries = 0
  #hits = 0
  #energy_mj = 5e9 // as if it had been up for a while
  #since_ms = performance.now()
  #shown = { at_ms: Number.NEGATIVE_INFINITY, page: '' }

  constructor(options: NodeOptions) {
    this.#options = options
    this.uuids = Array.from({ length: options.gpus }, (_, n) => `GPU-5f9e0000-0000-4000-8000-00000000000${n}`)
    this.#api = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
    this.#dcgm = createServer((request, response) => {
      response.writeHead(request.url === '/metrics' ? 200 : 404).end(request.url === '/metrics' ? this.#boards() : '')
    })
  }

  async listen(): Promise<{ readonly api: string; readonly dcgm: string }> {
    const listening = async (server: Server, port = 0): Promise<string> => {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }
    return {
      api: await listening(this.#api, this.#options.apiPort),
      dcgm: await listening(this.#dcgm, this.#options.dcgmPort),
    }
  }

  /** What the boards have drawn since this node began, mJ: the truth that books are compared with. */
  get energy_mj(): number {
    this.#integrate()
    return this.#energy_mj
  }

  get outputTokens(): number {
    return this.#outputTokens
  }

  close(): void {
    for (const server of [this.#api, this.#dcgm]) {
      server.closeAllConnections()
      server.close()
    }
  }

  #integrate(): void {
    const now = performance.now()
    this.#energy_mj += boardWatts(this.#running) * (now - this.#since_ms)
    this.#since_ms = now
  }

  #run(by: 1 | -1): void {
    this.#integrate()
    this.#running += by
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (status: number, value: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.url === '/metrics') return void response.end(this.#page())
    if (request.url === '/v1/models') return json(200, { object: 'list', data: [{ id: this.#options.model }] })
    if (request.url !== '/v1/chat/completions') return json(404, { detail: 'Not Found' })
    const body = JSON.parse(await text(request)) as Ask
    if (body.model !== this.#options.model)
      return json(404, { error: { message: `The model \`${body.model}\` does not exist.`, code: 404 } })
    this.#run(1)
    try {
      await this.#generate(body, response)
    } finally {
      this.#run(-1)
    }
  }

  async #generate(body: Ask, response: ServerResponse): Promise<void> {
    const prompt = JSON.stringify(body.messages)
    const promptTokens = Math.ceil(prompt.length / 4)
    const cached = this.#seen.has(prompt) ? Math.floor(promptTokens / 16) * 16 : 0
    this.#seen.add(prompt)
    this.#queries += promptTokens
    this.#hits += cached
    await sleep(((promptTokens - cached) / prefillPerSecond) * 1000)
    this.#promptTokens += promptTokens
    const wanted = body.max_tokens ?? body.max_completion_tokens ?? 64
    const answer = new Answer(body, response)
    let made = 0
    for (; made < wanted && !response.destroyed; made++) {
      await sleep(firstItl_ms + itlPerStream_ms * this.#running)
      this.#outputTokens++
      answer.word(` word${made}`)
    }
    answer.end({
      prompt_tokens: promptTokens,
      completion_tokens: made,
      total_tokens: promptTokens + made,
      prompt_tokens_details: { cached_tokens: cached },
    })
  }

  #page(): string {
    const labels = `{engine="0",model_name="${this.#options.model}"}`
    return [
      gauge('vllm:num_requests_running', labels, this.#running),
      gauge('vllm:num_requests_waiting', labels, 0),
      gauge('vllm:kv_cache_usage_perc', labels, Math.min(1, this.#running / 64)),
      counter('vllm:prompt_tokens_total', labels, this.#promptTokens),
      counter('vllm:generation_tokens_total', labels, this.#outputTokens),
      counter('vllm:prefix_cache_queries_total', labels, this.#queries),
      counter('vllm:prefix_cache_hits_total', labels, this.#hits),
    ].join('')
  }

  /** As dcgm-exporter does: figures of the last refresh, whoever asks in between. */
  #boards(): string {
    const now = performance.now()
    if (now - this.#shown.at_ms < (this.#options.refresh_ms ?? 1000)) return this.#shown.page
    this.#integrate()
    const boards = this.uuids.map((uuid, n) => {
      const labels = `{gpu="${n}",UUID="${uuid}",modelName="SYNTHETIC H200"}`
      return [
        counter('DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', labels, Math.floor(this.#energy_mj)),
        gauge('DCGM_FI_DEV_POWER_USAGE', labels, boardWatts(this.#running)),
      ].join('')
    })
    this.#shown = { at_ms: now, page: boards.join('') }
    return this.#shown.page
  }
}

interface Ask {
  readonly model: string
  readonly messages: unknown
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
}

/** One answer in the shape of vLLM's, streamed or whole. */
class Answer {
  readonly #ask: Ask
  readonly #response: ServerResponse
  readonly #words: string[] = []
  readonly #head: object

  constructor(ask: Ask, response: ServerResponse) {
    this.#ask = ask
    this.#response = response
    this.#head = { id: 'chatcmpl-synthetic', created: Math.floor(Date.now() / 1000), model: ask.model }
    if (!ask.stream) return
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    this.#chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])
  }

  word(content: string): void {
    if (this.#ask.stream) this.#chunk([{ index: 0, delta: { content }, finish_reason: null }])
    else this.#words.push(content)
  }

  end(usage: object): void {
    if (!this.#ask.stream) {
      const message = { role: 'assistant', content: this.#words.join('') }
      const choices = [{ index: 0, message, finish_reason: 'length' }]
      this.#response.writeHead(200, { 'content-type': 'application/json' })
      return void this.#response.end(JSON.stringify({ ...this.#head, object: 'chat.completion', choices, usage }))
    }
    this.#chunk([{ index: 0, delta: {}, finish_reason: 'length' }])
    if (this.#ask.stream_options?.include_usage) this.#chunk([], { usage })
    this.#response.end('data: [DONE]\n\n')
  }

  #chunk(choices: readonly object[], more: object = {}): void {
    const chunk = { ...this.#head, object: 'chat.completion.chunk', choices, ...more }
    this.#response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
}

const gauge = (name: string, labels: string, value: number): string =>
  `# TYPE ${name} gauge\n${name}${labels} ${value}\n`
const counter = (name: string, labels: string, value: number): string =>
  `# TYPE ${name} counter\n${name}${labels} ${value}\n`
