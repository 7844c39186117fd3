/**
 * A synthetic OpenAI-compatible upstream on bare sockets, so that what stands in front of it is the slowest part. It computes
 * nothing: whole answers come at once, streams as the request's `max_tokens` and the pace say.
 *
 *     node bin/node.mjs bench/gateway/mock.ts [--gap-ms 0]
 */
import type { AddressInfo, Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { mockModel } from './mock-model.ts'
import { rawServer } from './raw.ts'

const { values } = parseArgs({ options: { 'gap-ms': { type: 'string', default: '0' } } })
const gap_ms = Number(values['gap-ms'])

const head = { id: 'mock-1', created: 1, model: mockModel }
const usage = { prompt_tokens: 8, completion_tokens: 8, total_tokens: 16 }
const json = (value: object): string => {
  const text = JSON.stringify(value)
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}
const models = json({ object: 'list', data: [{ id: mockModel, object: 'model', created: 1, owned_by: 'mock' }] })
const message = { role: 'assistant', content: 'one two three four five six seven eight' }
const whole = json({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage,
})

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const event = (choices: readonly object[], more: object = {}): string =>
  chunk(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`)
const opening = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n`
const delta = event([{ index: 0, delta: { content: ' token' }, finish_reason: null }])
const stopped = event([{ index: 0, delta: {}, finish_reason: 'stop' }])
const ending = (tokens: number): string =>
  `${stopped}${event([], { usage: { prompt_tokens: 8, completion_tokens: tokens, total_tokens: 8 + tokens } })}${chunk('data: [DONE]\n\n')}0\r\n\r\n`

function stream(socket: Socket, tokens: number): void {
  if (gap_ms === 0) return void socket.write(opening + delta.repeat(tokens) + ending(tokens))
  const start = performance.now()
  let sent = 0
  const next = (): void => {
    if (socket.destroyed) return
    socket.write(sent === 0 ? opening + delta : delta)
    if (++sent === tokens) return void socket.write(ending(tokens))
    // Each by its own due time, so that a late timer delays no later one.
    setTimeout(next, Math.max(0, start + sent * gap_ms - performance.now()))
  }
  next()
}

const server = rawServer((socket, request, body) => {
  if (request.startsWith('get')) return void socket.write(models)
  // Told from the end of the body, which the bench writes last: a prompt of 200 KB need not be parsed here.
  const end = body.subarray(-120).toString('latin1')
  const tokens = Number(
    /"max_tokens": ?(\d+)/.exec(end)?.[1] ?? /"max_tokens": ?(\d+)/.exec(body.toString('latin1'))?.[1] ?? 8,
  )
  if (/"stream": ?true/.test(end) || /"stream": ?true/.test(body.subarray(0, 400).toString('latin1')))
    stream(socket, tokens)
  else socket.write(whole)
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
