import { ask } from './api.ts'
import { failed } from './session.svelte.ts'
import { Events } from './sse.ts'

/** A key of one hour, made when it is first needed and kept in this page's memory alone. */
let key: Promise<string> | undefined

const tryKey = (): Promise<string> => {
  key ??= ask<{ key: string }>('POST', '/api/try-key', {}).then((made) => made.key)
  key.catch((cause: unknown) => {
    key = undefined
    failed(cause)
  })
  return key
}

export interface Answer {
  readonly id: string
  readonly ttft_ms: number | null
  readonly took_ms: number
  readonly tokens: { readonly in: number | null; readonly out: number | null }
  readonly cost_usd: string | null
}

export interface Asked {
  readonly model: string
  readonly message: string
  readonly system: string
  readonly most: number | undefined
  readonly temperature: number | undefined
}

export const bodyOf = ({ model, message, system, most, temperature }: Asked) => ({
  model,
  messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content: message }],
  ...(most === undefined ? {} : { max_tokens: most }),
  ...(temperature === undefined ? {} : { temperature }),
})

interface Chunk {
  readonly error?: { readonly message: string }
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number }
  readonly wattmill?: { readonly cost_usd?: string }
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[]
}

/** Asks a model and tells its text as it comes. Throws what the gateway refused, in its words. */
export async function converse(asked: Asked, say: (text: string) => void, signal: AbortSignal): Promise<Answer> {
  const began = performance.now()
  const reply = await send(asked, signal)
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader()
  const events = new Events()
  let first: number | null = null
  let last: Chunk = {}
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
    for (const chunk of events.push(piece.value) as Chunk[]) {
      if (chunk.error) throw new Error(chunk.error.message)
      const text = chunk.choices?.[0]?.delta?.content
      if (text) {
        first ??= performance.now() - began
        say(text)
      }
      if (chunk.usage) last = chunk
    }
  return {
    id: reply.headers.get('x-request-id') ?? '',
    ttft_ms: first,
    took_ms: performance.now() - began,
    tokens: { in: last.usage?.prompt_tokens ?? null, out: last.usage?.completion_tokens ?? null },
    cost_usd: last.wattmill?.cost_usd ?? null,
  }
}

/** A key that was revoked meanwhile is made anew, once. */
async function send(asked: Asked, signal: AbortSignal, again = true): Promise<Response> {
  const reply = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${await tryKey()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...bodyOf(asked), stream: true, stream_options: { include_usage: true } }),
    signal,
  })
  if (reply.ok) return reply
  if (reply.status === 401 && again) {
    key = undefined
    return send(asked, signal, false)
  }
  const { error } = (await reply.json().catch(() => ({}))) as { error?: { message?: string } }
  throw new Error(error?.message ?? `HTTP ${reply.status}`)
}
