import type { Pool } from 'undici'
import { hasContent } from '../../../lines/inference/upstream.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import { EventParser } from '../events.ts'
import { longestStream, type Question } from './checks.ts'

/** What came back of one question. `trouble`: no HTTP answer at all. */
export type Heard =
  | { readonly kind: 'trouble'; readonly why: string; readonly brokeOff?: true }
  | { readonly kind: 'refused'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'whole'; readonly body: JsonObject }
  | { readonly kind: 'events'; readonly chunks: readonly JsonObject[]; readonly done: boolean; readonly cut: boolean }

/** A model may have to be read from disk first. */
const answer_ms = 60_000
/** The largest answer asked for is an embedding. */
const mostBytes = 1024 * 1024

/** Asks one question; never throws. A connection that was kept may be closed by the other side at any moment: then once more. */
export async function ask(
  pool: Pool,
  base: string,
  headers: Record<string, string>,
  question: Question,
): Promise<Heard> {
  const heard = await once(pool, base, headers, question)
  return heard.kind === 'trouble' && heard.brokeOff ? once(pool, base, headers, question) : heard
}

async function once(
  pool: Pool,
  base: string,
  headers: Record<string, string>,
  { path, body }: Question,
): Promise<Heard> {
  try {
    const reply = await pool.request({
      method: 'POST',
      path: base + path,
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answer_ms),
    })
    const isStream = /event-stream/.test(String(reply.headers['content-type'] ?? ''))
    if (reply.statusCode === 200 && isStream) return await eventsOf(reply.body)
    const text = await textOf(reply.body)
    const value = parsed(text)
    if (reply.statusCode !== 200)
      return { kind: 'refused', status: reply.statusCode, body: value ?? text.slice(0, 200) }
    if (!isObject(value)) return { kind: 'trouble', why: 'it answered what is no JSON object' }
    return value.error ? { kind: 'refused', status: 200, body: value } : { kind: 'whole', body: value }
  } catch (cause) {
    const { name, code } = cause as { name?: string; code?: string }
    if (name === 'TimeoutError') return { kind: 'trouble', why: `no answer within ${answer_ms / 1000} s` }
    return { kind: 'trouble', why: `it broke off (${code ?? name})`, brokeOff: true }
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > mostBytes) break
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** Reads to the end, or hangs up on an answer that goes on and on. */
async function eventsOf(body: AsyncIterable<Buffer>): Promise<Heard> {
  const parser = new EventParser(mostBytes)
  const chunks: JsonObject[] = []
  let [done, size] = [false, 0]
  for await (const part of body) {
    size += part.length
    for (const data of parser.push(part)) {
      if (data.trim() === '[DONE]') done = true
      const chunk = parsed(data)
      if (isObject(chunk)) chunks.push(chunk)
    }
    if (size > mostBytes || chunks.filter(carries).length > longestStream)
      return { kind: 'events', chunks, done, cut: true } // leaving the loop closes the socket
  }
  return { kind: 'events', chunks, done, cut: false }
}

const carries = (chunk: JsonObject): boolean =>
  Array.isArray(chunk.choices) && chunk.choices.some((choice) => isObject(choice) && hasContent(choice))

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
