import type { Pool } from 'undici'
import { usageFrom } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { usageOf } from '../../lines/inference/wire-usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { tokens } from '../../units/quantity.ts'
import { dial } from '../http/dial.ts'
import { usageOfVectors } from './embeddings.ts'
import type { Attempt, Engine, Job, Told } from './engine.ts'
import type { ApiRequest } from './request.ts'
import { secretOf } from './secret.ts'
import { failureOfError } from './upstream-errors.ts'
import { Exchange } from './upstream-exchange.ts'
import { outgoingBody, outgoingHeaders, pathOf } from './upstream-request.ts'
import { UpstreamStream } from './upstream-stream.ts'

export interface UpstreamSettings {
  readonly name: string
  /** Base URL, ending before `/chat/completions`. */
  readonly url: string
  readonly keyFrom: string | null
  /** Which engine it is, where that is known: they have different words for reasoning. */
  readonly product?: string | null | undefined
  /** Requests at once; each holds a socket. */
  readonly concurrency: number
  /** A stream that is silent so long has stalled. Long prompts on small machines are read for a minute or more. */
  readonly stallMs: number
}

export interface Upstream extends Engine {
  /** Asks for its models, to learn whether it answers at all; told once. */
  probe(told: (up: boolean) => void): void
}

const connectMs = 5_000
const probeMs = 3_000
/** Above the set-point, so that probes and the retries of others find a socket; below what one process can hold. */
const sockets = (concurrency: number): number => Math.min(concurrency, 4096) + 2

/** Any engine that speaks OpenAI's language behind a URL: vLLM, SGLang, llama-server, Ollama, a hosted API. */
export function upstream(settings: UpstreamSettings): Upstream {
  const url = new URL(settings.url)
  const base = url.pathname.replace(/\/+$/, '')
  const pool = dial(url, { connections: sockets(settings.concurrency), connectMs })
  const key = (): string | undefined => (settings.keyFrom ? secretOf(settings.keyFrom) : undefined)
  return {
    generate(job, told) {
      const exchange = job.request.stream ? readStream(settings, told) : readWhole(settings, told, job.request)
      exchange.start(pool, {
        path: base + pathOf(job.request.dialect),
        method: 'POST',
        headers: outgoingHeaders(job, key()),
        body: outgoingBody(job, settings.product),
        // A whole answer is silent until it is done: the request's own deadline bounds it.
        headersTimeout: job.request.stream ? settings.stallMs : 0,
        bodyTimeout: settings.stallMs,
      })
      return attemptOf(exchange)
    },
    probe: (told) => probe(pool, `${base}/models`, key(), told),
    close: () => void pool.close().catch(() => undefined),
  }
}

const attemptOf = (exchange: Exchange): Attempt => ({
  cancel: () => exchange.cancel(),
  pause: () => exchange.pause(),
  resume: () => exchange.resume(),
})

type Tell = (told: Told) => void

function readStream({ name }: UpstreamSettings, told: Tell): Exchange {
  const stream = new UpstreamStream(name, told)
  return new Exchange(name, {
    data: (bytes) => stream.push(bytes),
    produced: () => stream.produced,
    whole: () => stream.whole,
    end() {
      if (!stream.whole) return told({ kind: 'failed', failure: brokenOff(name, stream.produced), usage: stream.usage })
      stream.flush()
      told({ kind: 'ended', usage: stream.usage })
    },
    failed: (failure) => told({ kind: 'failed', failure, usage: stream.usage }),
  })
}

/** A stream that ends in good order and yet without its end. Before any content another replica may do better. */
const brokenOff = (name: string, produced: boolean): EngineFailure => ({
  fault: produced ? 'truncated' : 'crashed',
  message: `the stream of engine ${name} ended without a finish reason`,
})

/** The same bound as for what we hold of our own engine's answers. */
const largestAnswer = 32 * 1024 * 1024

function readWhole({ name }: UpstreamSettings, told: Tell, request: ApiRequest): Exchange {
  const embeds = request.dialect === 'embeddings'
  const parts: Buffer[] = []
  let size = 0
  const bad = (why: string): EngineFailure => ({ fault: 'bad_reply', message: `engine ${name} ${why}` })
  return new Exchange(name, {
    data(bytes) {
      parts.push(bytes)
      size += bytes.length
      return size > largestAnswer ? bad(`answered more than ${largestAnswer} bytes`) : undefined
    },
    produced: () => false, // nothing of it has been told, so another replica may answer instead
    whole: () => false,
    end() {
      const body = parsed(Buffer.concat(parts, size))
      if (!body) return told({ kind: 'failed', failure: bad('answered what is not JSON'), usage: undefined })
      if (isObject(body.error))
        return told({ kind: 'failed', failure: failureOfError(name, body.error), usage: undefined })
      if (!Array.isArray(embeds ? body.data : body.choices))
        return told({ kind: 'failed', failure: bad('answered what is no answer'), usage: undefined })
      told({ kind: 'chunk', tokens: tokens(embeds ? 0 : 1), bytes: [{ kind: 'whole', body }] })
      told({ kind: 'ended', usage: embeds ? usageOfVectors(body, request.promptEstimate) : usageOfWhole(body) })
    },
    failed: (failure) => told({ kind: 'failed', failure, usage: undefined }),
  })
}

/** An answer that came in one piece has no chunks to count: what it does not tell of its output is taken from its size. */
function usageOfWhole(body: JsonObject) {
  const usage = usageOf(isObject(body.usage) ? body.usage : undefined)
  const estimated = usageFrom('estimated', { output_visible: Math.ceil(JSON.stringify(body.choices).length / 4) })
  return usage?.output_visible ? usage : { ...(usage ?? estimated), output_visible: estimated.output_visible }
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Any answer below 500 is a sign of life, a 401 too: what is wrong then is said when a request fails. */
function probe(pool: Pool, path: string, key: string | undefined, told: (up: boolean) => void): void {
  const headers = outgoingHeaders({ id: 'probe' as Job['id'] }, key)
  pool
    .request({ path, method: 'GET', headers, headersTimeout: probeMs, bodyTimeout: probeMs })
    .then(async ({ statusCode, body }) => {
      await body.dump({ limit: 1024 * 1024 })
      told(statusCode < 500)
    })
    .catch(() => told(false))
}
