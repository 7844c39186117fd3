import { request } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import type { ClientRecord } from '../audit/records.ts'
import { dice } from '../dice.ts'

/** One message that a client is going to send, decided beforehand so that a seed repeats it. */
export interface Message {
  readonly client: number
  readonly stream: boolean
  readonly body: string
  /** When it hangs up: so long after sending, or with so many chunks received; null: it stays to the end. */
  readonly leaves: { readonly after_ms: number } | { readonly after_chunks: number } | null
}

export interface LoadConfig {
  readonly messages: number
  readonly model: string
  readonly seed: number
  /** Share of the clients that hang up at a random moment. */
  readonly leaving: number
}

const questions = [
  'Where is my new card?',
  'I was charged twice for one payment, please look into it.',
  'How do I change my PIN',
  'My transfer to a friend abroad has not arrived after five days. What can I do about that?',
  'top up failed',
  'What is the exchange rate today, and do you take a fee when I pay in another currency?',
]

/** Mixed messages: half of them streamed with usage, short and long answers, same and new prompts. */
export function messages(config: LoadConfig): Message[] {
  const chance = dice(config.seed)
  return Array.from({ length: config.messages }, (_, client) => {
    const stream = chance.next() < 0.5
    const question = chance.pick(questions)
    const content = chance.next() < 0.5 ? question : `${question} (case ${chance.whole(1, 9999)})`
    const body = {
      model: config.model,
      messages: [{ role: 'user', content }],
      max_tokens: chance.pick([1, 4, 16, 48, 96]),
      temperature: chance.pick([0, 0.7]),
      ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    }
    const moment =
      stream && chance.next() < 0.7 ? { after_chunks: chance.whole(1, 12) } : { after_ms: chance.whole(0, 60) }
    return { client, stream, body: JSON.stringify(body), leaves: chance.next() < config.leaving ? moment : null }
  })
}

/** Longest time without a byte before a client takes the connection for dead. */
export const silence_ms = 60_000

/** Sends one message and tries nothing twice; resolves, never rejects, with what came back to the byte. */
export function send(base: string, key: string, message: Message): Promise<ClientRecord> {
  const { promise, resolve } = Promise.withResolvers<ClientRecord>()
  const start = performance.now()
  const got = { id: null as string | null, status: null as number | null, received: [] as string[], left: false }
  const done = (ended: ClientRecord['ended']): void => {
    clearTimeout(leaving)
    const received = got.received.join('')
    resolve({
      client: message.client,
      id: got.id,
      stream: message.stream,
      status: got.status,
      ended: got.left ? 'left' : ended,
      bytes: received.length,
      chunks: got.received.length,
      took_ms: Math.round(performance.now() - start),
      received,
    })
  }
  const outgoing = request(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(message.body),
    },
    agent: false, // a connection of its own: a kill breaks this message and no other
    timeout: silence_ms,
  })
  const leave = (): void => {
    got.left = true
    outgoing.destroy()
  }
  const { leaves } = message
  const leaving = leaves && 'after_ms' in leaves ? setTimeout(leave, leaves.after_ms) : undefined
  outgoing.on('timeout', () => outgoing.destroy(new Error('silence')))
  outgoing.on('error', () => done('broken'))
  outgoing.on('close', () => done('broken')) // the promise keeps the first ending
  outgoing.on('response', (response) => {
    const id = response.headers['x-request-id']
    got.id = typeof id === 'string' ? id : null
    got.status = response.statusCode ?? null
    response.on('data', (chunk: Buffer) => {
      got.received.push(chunk.toString('latin1'))
      if (leaves && 'after_chunks' in leaves && got.received.length === leaves.after_chunks) leave()
    })
    response.on('error', () => done('broken'))
    response.on('end', () => done('end'))
  })
  outgoing.end(message.body)
  return promise
}

/**
 * Sends all, so many at once, in order; tells each record as it comes. No message is sent twice; but who was let down
 * sends the next one only when `ready` says that the factory is back, or a load would be over before it is.
 */
export async function load(
  base: string,
  key: string,
  all: readonly Message[],
  atOnce: number,
  hear: (record: ClientRecord) => void,
  ready: () => Promise<void> = () => factoryReady(base),
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let message = all[next++]; message; message = all[next++]) {
      const record = await send(base, key, message)
      hear(record)
      if (record.ended === 'broken' || (record.status ?? 0) >= 500) await ready()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Longest that a factory may need to come back after a kill; its parts restart within seconds. */
const patience_ms = 60_000

/** What a 503 asks for in `retry-after-ms` when no engine answers: gateways are ready then, and say themselves that it is down. */
const pause_ms = 1_000

async function factoryReady(base: string): Promise<void> {
  await after(pause_ms)
  const deadline = performance.now() + patience_ms
  while (performance.now() < deadline) {
    const answer = await fetch(`${base}/readyz`).catch(() => undefined)
    await answer?.arrayBuffer().catch(() => undefined)
    if (answer?.status === 200) return
    await after(50)
  }
  throw new Error(`the factory at ${base} did not come back within ${patience_ms / 1000} s`)
}
