import type { ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { served } from './served.ts'

/**
 * A synthetic engine with Anthropic's API, after docs.anthropic.com ("Streaming messages", "Extended thinking"): it does
 * what only a hosted service does. `thinks` thinks before it answers; `breaks` breaks off.
 */
export async function madeUpMessages(): Promise<Disposable & { url: string }> {
  return served(async (request, response) => {
    if (request.url?.startsWith('/v1/models')) {
      response.setHeader('content-type', 'application/json')
      return void response.end(JSON.stringify({ data: [{ id: 'thinks' }, { id: 'breaks' }], has_more: false }))
    }
    if (request.url === '/v1/messages/count_tokens') return void response.end(JSON.stringify({ input_tokens: 7 }))
    if (request.url !== '/v1/messages') return void response.writeHead(404).end()
    const { model, stream } = (await json(request)) as { model: string; stream?: boolean }
    if (!stream) return void response.end(JSON.stringify(whole(model)))
    response.setHeader('content-type', 'text/event-stream')
    answer(response, model)
  })
}

/** The same answer in one piece. */
const whole = (model: string): object => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model,
  content: [
    { type: 'thinking', thinking: 'hm, hm', signature: 'signed' },
    { type: 'text', text: 'Yes.' },
  ],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 7,
    cache_creation_input_tokens: 3,
    cache_read_input_tokens: 0,
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 5 },
  },
})

function answer(response: ServerResponse, model: string): void {
  const send = (event: { readonly type: string; readonly [field: string]: unknown }): boolean =>
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  const delta = (index: number, one: object): boolean => send({ type: 'content_block_delta', index, delta: one })
  const usage = { input_tokens: 7, cache_creation_input_tokens: 3, cache_read_input_tokens: 0, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage }
  send({ type: 'message_start', message })
  send({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } })
  delta(0, { type: 'thinking_delta', thinking: 'hm, ' })
  delta(0, { type: 'thinking_delta', thinking: 'hm' })
  if (model === 'breaks') return void response.end()
  delta(0, { type: 'signature_delta', signature: 'signed' })
  send({ type: 'content_block_stop', index: 0 })
  send({ type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } })
  delta(1, { type: 'text_delta', text: 'Yes.' })
  send({ type: 'content_block_stop', index: 1 })
  const told = { output_tokens: 9, output_tokens_details: { thinking_tokens: 5 } }
  send({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: told })
  send({ type: 'message_stop' })
  response.end()
}
