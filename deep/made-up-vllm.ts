import type { ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { served } from './served.ts'

interface Asked {
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly input?: readonly unknown[] | string
}

const words = ['It ', 'is ', 'on ', 'its ', 'way.']
const usage = { prompt_tokens: 11, total_tokens: 16, completion_tokens: 5, prompt_tokens_details: null }

/**
 * A synthetic engine with vLLM's API, after its OpenAI-compatible server (vllm-project/vllm, docs/serving/openai_compatible_server):
 * chat, text completions and embeddings of one model each, whole and streamed. It computes nothing.
 */
export async function madeUpVllm(chat: string, vectors: string): Promise<Disposable & { readonly url: string }> {
  return served(async (request, response) => {
    if (request.url === '/v1/models') {
      const data = [chat, vectors].map((id) => ({ id, object: 'model', created: 1, owned_by: 'vllm' }))
      return tell(response, { object: 'list', data })
    }
    const asked = (await json(request).catch(() => ({}))) as Asked
    if (request.url === '/v1/chat/completions') return chats(response, asked)
    if (request.url === '/v1/completions') return texts(response, asked)
    if (request.url === '/v1/embeddings') return embeddings(response, asked)
    response.writeHead(404).end()
  }, '/v1')
}

function tell(response: ServerResponse, body: object): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}

function stream(response: ServerResponse, head: object, choices: readonly object[], asked: Asked): void {
  response.setHeader('content-type', 'text/event-stream')
  const send = (chunk: object): boolean => response.write(`data: ${JSON.stringify({ ...head, ...chunk })}\n\n`)
  for (const choice of choices) send({ choices: [{ index: 0, finish_reason: null, ...choice }] })
  if (asked.stream_options?.include_usage) send({ choices: [], usage })
  response.end('data: [DONE]\n\n')
}

function chats(response: ServerResponse, asked: Asked): void {
  const head = { id: 'chatcmpl-1', created: 1, model: 'made-up' }
  const message = { role: 'assistant', content: words.join(''), reasoning_content: null, tool_calls: [] }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop', stop_reason: null }]
  if (!asked.stream) return tell(response, { ...head, object: 'chat.completion', choices, usage })
  const deltas = [{ role: 'assistant', content: '' }, ...words.map((content) => ({ content }))]
  const parts = [...deltas.map((delta) => ({ delta })), { delta: {}, finish_reason: 'stop', stop_reason: null }]
  stream(response, { ...head, object: 'chat.completion.chunk' }, parts, asked)
}

function texts(response: ServerResponse, asked: Asked): void {
  const head = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'made-up' }
  const choices = [{ index: 0, text: words.join(''), logprobs: null, finish_reason: 'stop', stop_reason: null }]
  if (!asked.stream) return tell(response, { ...head, choices, usage })
  stream(response, head, [...words.map((text) => ({ text })), { text: '', finish_reason: 'stop' }], asked)
}

function embeddings(response: ServerResponse, { input = [] }: Asked): void {
  const inputs = typeof input === 'string' || typeof input[0] === 'number' ? [input] : input
  const data = inputs.map((_, index) => ({ index, object: 'embedding', embedding: [0.5, -0.25, 1] }))
  tell(response, {
    id: 'embd-1',
    object: 'list',
    created: 1,
    model: 'made-up',
    data,
    usage: { ...usage, completion_tokens: 0 },
  })
}
