/** One request of a load, timed: when its first content came, the gaps between chunks, how it ended. */
import { Agent, type ClientRequest, request } from 'node:http'

export interface Target {
  /** `http://127.0.0.1:PORT/v1` */
  readonly base: string
  readonly key: string
  readonly model: string
  readonly agent: Agent
}

/** What a client asks for. */
export interface Wish {
  readonly stream: boolean
  readonly maxTokens: number
  /** It hangs up after so many chunks; null: it stays. */
  readonly leavesAfter: number | null
}

export interface Sample {
  readonly ended: 'whole' | 'left' | 'refused' | 'broken'
  /** From the moment it should have been sent. */
  readonly ttft_ms: number | undefined
  readonly took_ms: number
  /** Between one event with content and the next. */
  readonly gaps_ms: readonly number[]
}

/** A pool cap is a concurrency cap: none here, so that what is measured is the other side. */
export const openTarget = (base: string, key: string, model: string): Target => ({
  base,
  key,
  model,
  agent: new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, scheduling: 'lifo' }),
})

/** `due`: when it should have been sent. A generator that is late itself must not hide it (coordinated omission). */
export function exchange(target: Target, wish: Wish, due = performance.now()): Promise<Sample> {
  const { promise, resolve } = Promise.withResolvers<Sample>()
  const contents: number[] = []
  const end = (ended: Sample['ended']): void =>
    resolve({
      ended,
      ttft_ms: contents[0] === undefined ? undefined : contents[0] - due,
      took_ms: performance.now() - due,
      gaps_ms: contents.slice(1).map((at, index) => at - (contents[index] ?? at)),
    })
  const asked = post(target, wish)
  asked.on('error', () => end('broken'))
  asked.on('response', (response) => {
    let text = ''
    let done = false
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (!wish.stream) return
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      const now = performance.now()
      for (const event of events) {
        if (/"content":"[^"]/.test(event)) contents.push(now)
        done ||= event.includes('[DONE]')
      }
      if (wish.leavesAfter === null || contents.length < wish.leavesAfter) return
      end('left')
      asked.destroy()
    })
    response.on('error', () => end('broken'))
    response.on('end', () => {
      if (response.statusCode !== 200) return end('refused')
      end(wish.stream && !done ? 'broken' : 'whole')
    })
  })
  return promise
}

function post({ base, key, model, agent }: Target, { stream, maxTokens }: Wish): ClientRequest {
  const body = JSON.stringify({
    model,
    messages: [{ role: 'user', content: 'How long does a transfer take?' }],
    max_tokens: maxTokens,
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  })
  const asked = request(`${base}/chat/completions`, {
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  })
  asked.end(body)
  return asked
}
