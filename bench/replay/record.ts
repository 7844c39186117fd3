import { request } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import { dice } from '../dice.ts'

/** One request to a live factory: what was asked, and what its client saw. Times are milliseconds since the recording began. */
export interface Recorded {
  readonly text: string
  readonly limit: number
  readonly sent_ms: number
  readonly first_ms: number
  readonly last_ms: number
  readonly prompt: number
  readonly cached: number
  readonly output: number
}

export interface Recording {
  readonly base: string
  readonly key: string
  readonly model: string
  readonly requests: number
  readonly seed: number
  /** How busy the engine shall be, as a share of what it could do with all slots full. */
  readonly load: number
  readonly slots: number
}

/** The common beginning of all prompts: every slot holds it after its first request. */
const intro =
  'You are the clerk of a bank. Read what the customer writes and say what it is about, in one word. '.repeat(3)

/** Sends requests at random moments, whatever becomes of those before: an open loop. */
export async function record(of: Recording): Promise<Recorded[]> {
  const chance = dice(of.seed)
  const began = performance.now()
  const now = (): number => performance.now() - began
  const ask = (): Promise<Recorded> => {
    const unique = Array.from({ length: chance.whole(40, 900) }, () => 'etaoinshrdlu ycm'[chance.whole(0, 15)]).join('')
    return one(of, `${intro}${unique}`, chance.whole(8, 90), now)
  }
  const filling = await Promise.all(Array.from({ length: of.slots }, ask))
  const each_ms = filling.reduce((sum, one) => sum + one.last_ms - one.sent_ms, 0) / filling.length
  const gap_ms = each_ms / of.slots / of.load
  const rest: Promise<Recorded>[] = []
  for (let at = now(); rest.length < of.requests; ) {
    at += -Math.log(1 - chance.next()) * gap_ms
    await after(Math.max(0, at - now()))
    rest.push(ask())
  }
  return [...filling, ...(await Promise.all(rest))]
}

function one({ base, key, model }: Recording, text: string, limit: number, now: () => number): Promise<Recorded> {
  const body = JSON.stringify({
    model,
    prompt: text,
    max_tokens: limit,
    temperature: 1.5,
    stream: true,
    stream_options: { include_usage: true },
  })
  const { promise, resolve, reject } = Promise.withResolvers<Recorded>()
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const sent_ms = now()
  let [first_ms, last_ms] = [Number.NaN, Number.NaN]
  let usage:
    | { prompt_tokens: number; completion_tokens: number; prompt_tokens_details: { cached_tokens: number } }
    | undefined
  let rest = ''
  const outgoing = request(`${base}/v1/completions`, { method: 'POST', headers }, (response) => {
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (!line.startsWith('data: {')) continue
        const chunk = JSON.parse(line.slice(6))
        if (chunk.usage) usage = chunk.usage
        if (!chunk.choices?.[0]?.text) continue
        last_ms = now()
        if (Number.isNaN(first_ms)) first_ms = last_ms
      }
    })
    response.on('end', () => {
      if (!usage) return reject(new Error(`an answer came without usage, status ${response.statusCode}`))
      const { prompt_tokens, completion_tokens, prompt_tokens_details } = usage
      const counts = { prompt: prompt_tokens, cached: prompt_tokens_details.cached_tokens, output: completion_tokens }
      resolve({ text, limit, sent_ms, first_ms, last_ms, ...counts })
    })
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}
