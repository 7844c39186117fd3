import type { ClientRecord } from './records.ts'

/** What a client can know from the bytes it got. */
export interface Answer {
  /** A whole answer: the body's JSON, or a stream up to `[DONE]`. */
  readonly complete: boolean
  /** At least one token of content came through. */
  readonly content: boolean
  /** It was told that something failed, by status or inside the stream. */
  readonly failed: boolean
  readonly usage: ClientUsage | undefined
}

export interface ClientUsage {
  readonly prompt_tokens: number
  readonly cached_tokens: number
  readonly completion_tokens: number
}

/** Reads the raw bytes again, whatever the client's program thought of them. */
export function answerOf(client: ClientRecord): Answer {
  const text = Buffer.from(client.received, 'latin1').toString('utf8')
  if (client.status === null) return nothing
  if (client.status !== 200) return { ...nothing, failed: true }
  return client.stream ? streamed(text) : whole(text, client.ended)
}

const nothing: Answer = { complete: false, content: false, failed: false, usage: undefined }

function whole(text: string, ended: ClientRecord['ended']): Answer {
  const body = ended === 'end' ? json(text) : undefined
  if (body === undefined) return nothing
  return { complete: contentOf(body, 'message') !== undefined, content: true, failed: false, usage: usageOf(body) }
}

function streamed(text: string): Answer {
  const events = text.split(/\r?\n\r?\n/).slice(0, -1) // what follows the last blank line is not a whole event
  const data = events.flatMap((event) => {
    const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'))
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')]
  })
  const parsed = data.filter((one) => one !== '[DONE]').map(json)
  const failed = parsed.some((one) => field(one, 'error') !== undefined)
  return {
    complete: data.at(-1) === '[DONE]' && !failed,
    content: parsed.some((one) => (contentOf(one, 'delta') ?? '') !== ''),
    failed,
    usage: parsed.map(usageOf).findLast((usage) => usage !== undefined),
  }
}

function contentOf(body: unknown, where: 'message' | 'delta'): string | undefined {
  const choices = field(body, 'choices')
  const content = Array.isArray(choices) ? field(field(choices[0], where), 'content') : undefined
  return typeof content === 'string' ? content : undefined
}

function usageOf(body: unknown): ClientUsage | undefined {
  const usage = field(body, 'usage')
  const [prompt, completion] = [field(usage, 'prompt_tokens'), field(usage, 'completion_tokens')]
  if (typeof prompt !== 'number' || typeof completion !== 'number') return undefined
  const cached = field(field(usage, 'prompt_tokens_details'), 'cached_tokens')
  return {
    prompt_tokens: prompt,
    cached_tokens: typeof cached === 'number' ? cached : 0,
    completion_tokens: completion,
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
