import { usageFrom } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { tokens } from '../../units/quantity.ts'
import { parseReply } from '../http/json.ts'
import type { Counted, Job, Piece, Told } from '../openai/engine.ts'
import { Exchange } from '../openai/upstream-exchange.ts'
import type { Upstream, UpstreamSettings } from '../openai/upstream-link.ts'
import { attemptOf, largestAnswer, linkTo, probe } from '../openai/upstream-link.ts'
import { Chunks, completionOf } from './chunks.ts'
import { failureOfEvent, failureOfMessagesStatus } from './upstream-errors.ts'
import { countBody, messagesBody, messagesHeaders } from './upstream-request.ts'
import { MessagesStream, type Saying } from './upstream-stream.ts'
import { usageOfReport } from './usage.ts'

/** Any engine that speaks Anthropic's language behind a URL: Anthropic's own service, or another server of its API. */
export function messagesUpstream(settings: UpstreamSettings): Upstream {
  const link = linkTo(settings)
  const { pool, base, key } = link
  const { preset } = settings
  return {
    generate(job, told) {
      const { stream } = job.request
      const exchange = stream ? readStream(settings, job, told) : readWhole(settings, job, told)
      exchange.start(pool, {
        path: `${base}/messages`,
        method: 'POST',
        headers: messagesHeaders(job, preset, key()),
        body: messagesBody(job),
        // A whole answer is silent until it is done: the request's own deadline bounds it.
        headersTimeout: stream ? settings.stallMs : 0,
        bodyTimeout: settings.stallMs,
      })
      return attemptOf(exchange)
    },
    count(job, told) {
      readBody(settings.name, (outcome) => told(countIn(settings.name, outcome))).start(pool, {
        path: `${base}/messages/count_tokens`,
        method: 'POST',
        headers: messagesHeaders(job, preset, key()),
        body: countBody(job),
        headersTimeout: countMs,
        bodyTimeout: countMs,
      })
    },
    probe: (told) => probe(link, messagesHeaders({ id: 'probe' as Job['id'] }, preset, key()), told),
    close: () => void pool.close().catch(() => undefined),
  }
}

/** A count takes some hundred milliseconds. */
const countMs = 10_000

type Tell = (told: Told) => void

/** In the words in which its client asked: its own, or a chat's. */
function sayingOf({ request }: Job): Saying {
  if (request.dialect === 'messages') return (event) => ({ kind: 'event', event })
  const chunks = new Chunks()
  return (event) => {
    const chunk = chunks.of(event)
    return chunk && { kind: 'chunk', chunk }
  }
}

function readStream({ name }: UpstreamSettings, job: Job, told: Tell): Exchange {
  const stream = new MessagesStream(name, sayingOf(job), told)
  return new Exchange(
    name,
    {
      data: (bytes) => stream.push(bytes),
      produced: () => stream.produced,
      whole: () => stream.whole,
      end() {
        if (!stream.whole)
          return told({ kind: 'failed', failure: brokenOff(name, stream.produced), usage: stream.usage })
        stream.flush()
        told({ kind: 'ended', usage: stream.usage })
      },
      failed: (failure) => told({ kind: 'failed', failure, usage: stream.usage }),
    },
    failureOfMessagesStatus,
  )
}

/** A stream that ends in good order and yet without its end. Before any content another replica may do better. */
const brokenOff = (name: string, produced: boolean): EngineFailure => ({
  fault: produced ? 'truncated' : 'crashed',
  message: `the stream of engine ${name} ended without a stop reason`,
})

type Outcome =
  | { readonly ok: true; readonly body: JsonObject }
  | { readonly ok: false; readonly failure: EngineFailure }

const bad = (name: string, why: string): EngineFailure => ({ fault: 'bad_reply', message: `engine ${name} ${why}` })

/** An answer in one piece. */
function readBody(name: string, told: (outcome: Outcome) => void): Exchange {
  const parts: Buffer[] = []
  let size = 0
  const failed = (failure: EngineFailure): void => told({ ok: false, failure })
  return new Exchange(
    name,
    {
      data(bytes) {
        parts.push(bytes)
        size += bytes.length
        return size > largestAnswer ? bad(name, `answered more than ${largestAnswer} bytes`) : undefined
      },
      produced: () => false, // nothing of it has been told, so another replica may answer instead
      whole: () => false,
      end() {
        const body = parseReply(Buffer.concat(parts, size).toString())
        if (!body) return failed(bad(name, 'answered what is not JSON'))
        if (body.type === 'error') return failed(failureOfEvent(name, body))
        told({ ok: true, body })
      },
      failed,
    },
    failureOfMessagesStatus,
  )
}

const readWhole = ({ name }: UpstreamSettings, { request }: Job, told: Tell): Exchange =>
  readBody(name, (outcome) => {
    const failed = (failure: EngineFailure): void => told({ kind: 'failed', failure, usage: undefined })
    if (!outcome.ok) return failed(outcome.failure)
    const { body } = outcome
    if (!Array.isArray(body.content)) return failed(bad(name, 'answered what is no message'))
    const piece: Piece =
      request.dialect === 'messages' ? { kind: 'message', body } : { kind: 'whole', body: completionOf(body) }
    told({ kind: 'chunk', tokens: tokens(1), bytes: [piece] })
    told({ kind: 'ended', usage: usageOfWhole(body) })
  })

/** What it does not tell of its output is taken from its size. */
function usageOfWhole(body: JsonObject) {
  const usage = usageOfReport(isObject(body.usage) ? body.usage : undefined, true)
  if (usage?.output_visible) return usage
  const estimated = usageFrom('estimated', { output_visible: Math.ceil(JSON.stringify(body.content).length / 4) })
  return { ...(usage ?? estimated), output_visible: estimated.output_visible }
}

function countIn(name: string, outcome: Outcome): Counted {
  if (!outcome.ok) return { kind: 'failed', failure: outcome.failure }
  const { input_tokens } = outcome.body
  if (!Number.isSafeInteger(input_tokens) || Number(input_tokens) < 0)
    return { kind: 'failed', failure: bad(name, 'answered what is no count') }
  return { kind: 'counted', tokens: tokens(Number(input_tokens)), source: 'provider' }
}
