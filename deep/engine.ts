import { setTimeout as sleep } from 'node:timers/promises'
import { served } from './served.ts'

/** Slow enough that a page shows each word. */
const between_ms = 150

/** A made-up engine with OpenAI's API, for the console to add: it lists its models and streams some words. */
export async function madeUpEngine(...models: string[]): Promise<Disposable & { url: string }> {
  return served(async (request, response) => {
    if (request.url === '/v1/models') {
      response.setHeader('content-type', 'application/json')
      return void response.end(JSON.stringify({ data: models.map((id) => ({ id })) }))
    }
    if (request.url !== '/v1/chat/completions') return void response.writeHead(404).end()
    response.setHeader('content-type', 'text/event-stream')
    const send = (chunk: object): boolean => response.write(`data: ${JSON.stringify({ id: 'x', ...chunk })}\n\n`)
    for (const content of ['one ', 'two ', 'three']) {
      send({ choices: [{ index: 0, delta: { content } }] })
      await sleep(between_ms)
    }
    send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    send({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } })
    response.end('data: [DONE]\n\n')
  }, '/v1')
}
