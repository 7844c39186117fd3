import { usageFrom } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { usageOf } from '../../lines/inference/wire-usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { tokens } from '../../units/quantity.ts'
import { parseReply } from '../http/json.ts'
import { usageOfVectors } from './embeddings.ts'
import type { Job, Told } from './engine.ts'
import type { Preset } from './presets/preset.ts'
import { withPlainUsage } from './presets/quirks.ts'
import { type ApiRequest, inChat } from './request.ts'
import { failureOfError, failureOfStatus } from './upstream-errors.ts'
import { Exchange, type StatusReading } from './upstream-exchange.ts'
import { attemptOf, largestAnswer, linkTo, probe, type Upstream, type UpstreamSettings } from './upstream-link.ts'
import { outgoingBody, outgoingHeaders, pathOf } from './upstream-request.ts'
import { UpstreamStream } from './upstream-stream.ts'

/** Any engine that speaks OpenAI's language behind a URL: vLLM, SGLang, llama-server, Ollama, a hosted API. */
export function upstream(settings: UpstreamSettings): Upstream {
  const link = linkTo(settings)
  const { pool, base, key } = link
  return {
    generate(given, told) {
      const job = { ...given, request: inChat(given.request) }
      const exchange = job.request.stream ? readStream(settings, told) : readWhole(settings, told, job.request)
      exchange.start(pool, {
        path: base + pathOf(job.request.dialect),
        method: 'POST',
        headers: outgoingHeaders(job, settings.preset, key()),
        body: outgoingBody(job, settings.preset),
        // A whole answer is silent until it is done: the request's own deadline bounds it.
        headersTimeout: job.request.stream ? settings.stallMs : 0,
        bodyTimeout: settings.stallMs,
      })
      return attemptOf(exchange)
    },
    probe: (told) => probe(link, outgoingHeaders({ id: 'probe' as Job['id'] }, settings.preset, key()), told),
    close: () => void pool.close().catch(() => undefined),
  }
}

/** Statuses as this engine means them. */
const statusesOf =
  ({ statuses }: Preset): StatusReading =>
  (engine, status, body) =>
    failureOfStatus(engine, status, body, statuses[status])

type Tell = (told: Told) => void

function readStream({ name, preset }: UpstreamSettings, told: Tell): Exchange {
  const stream = new UpstreamStream(name, told, preset.usage)
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
    statusesOf(preset),
  )
}

/** A stream that ends in good order and yet without its end. Before any content another replica may do better. */
const brokenOff = (name: string, produced: boolean): EngineFailure => ({
  fault: produced ? 'truncated' : 'crashed',
  message: `the stream of engine ${name} ended without a finish reason`,
})

function readWhole({ name, preset }: UpstreamSettings, told: Tell, request: ApiRequest): Exchange {
  const embeds = request.dialect === 'embeddings'
  const parts: Buffer[] = []
  let size = 0
  const bad = (why: string): EngineFailure => ({ fault: 'bad_reply', message: `engine ${name} ${why}` })
  return new Exchange(
    name,
    {
      data(bytes) {
        parts.push(bytes)
        size += bytes.length
        return size > largestAnswer ? bad(`answered more than ${largestAnswer} bytes`) : undefined
      },
      produced: () => false, // nothing of it has been told, so another replica may answer instead
      whole: () => false,
      end() {
        const answer = parseReply(Buffer.concat(parts, size).toString())
        if (!answer) return told({ kind: 'failed', failure: bad('answered what is not JSON'), usage: undefined })
        const body = withPlainUsage(answer, preset.usage)
        if (isObject(body.error))
          return told({ kind: 'failed', failure: failureOfError(name, body.error), usage: undefined })
        if (!Array.isArray(embeds ? body.data : body.choices))
          return told({ kind: 'failed', failure: bad('answered what is no answer'), usage: undefined })
        told({ kind: 'chunk', tokens: tokens(embeds ? 0 : 1), bytes: [{ kind: 'whole', body }] })
        told({ kind: 'ended', usage: embeds ? usageOfVectors(body, request.promptEstimate) : usageOfWhole(body) })
      },
      failed: (failure) => told({ kind: 'failed', failure, usage: undefined }),
    },
    statusesOf(preset),
  )
}

/** An answer that came in one piece has no chunks to count: what it does not tell of its output is taken from its size. */
function usageOfWhole(body: JsonObject) {
  const usage = usageOf(isObject(body.usage) ? body.usage : undefined)
  const estimated = usageFrom('estimated', { output_visible: Math.ceil(JSON.stringify(body.choices).length / 4) })
  return usage?.output_visible ? usage : { ...(usage ?? estimated), output_visible: estimated.output_visible }
}
