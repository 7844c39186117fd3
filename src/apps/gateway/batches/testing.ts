/** A client of files and batches, for tests only. */
import type { ServerResponse } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import { testKey } from '../testing.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into, and an assertion follows each look.
type Shape = any

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly json: Shape
  readonly text: string
}

export async function call(url: string, method: string, body?: unknown, key = testKey): Promise<Answered> {
  const form = body instanceof FormData
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && !form ? { 'content-type': 'application/json' } : {}) },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
}

export function form(content: string, fields: Record<string, string> = { purpose: 'batch' }): FormData {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields)) made.set(name, value)
  made.set('file', new File([content], 'asks.jsonl'))
  return made
}

export const askLine = (custom_id: string, content: string, more: object = {}): string =>
  JSON.stringify({
    custom_id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content }], ...more },
  })

export async function handIn(base: string, lines: readonly string[], more: object = {}): Promise<Answered> {
  const file = await call(`${base}/v1/files`, 'POST', form(`${lines.join('\n')}\n`))
  const about = { input_file_id: file.json.id, endpoint: '/v1/chat/completions', completion_window: '24h', ...more }
  return call(`${base}/v1/batches`, 'POST', about)
}

/** Looks at a batch until it is as wanted. */
export async function batchWhen(base: string, id: string, is: (batch: Shape) => boolean, ms = 15_000): Promise<Shape> {
  for (const end = Date.now() + ms; ; await after(30)) {
    const { json } = await call(`${base}/v1/batches/${id}`, 'GET')
    if (is(json)) return json
    if (Date.now() > end) throw new Error(`the batch stayed ${JSON.stringify(json)}`)
  }
}

export const isOver = ({ status }: Shape): boolean => ['completed', 'failed', 'expired', 'cancelled'].includes(status)

export async function linesIn(base: string, file: string | null): Promise<Shape[]> {
  if (!file) return []
  const { text } = await call(`${base}/v1/files/${file}/content`, 'GET')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** An answer in one piece that says what was asked. */
export const whole = (response: ServerResponse, content: string): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({
      id: 'up',
      object: 'chat.completion',
      created: 7,
      model: 'upstream-m',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    }),
  )
}
