import type { Pool } from 'undici'
import { dial, ForbiddenAddress } from '../http/dial.ts'
import type { Sample } from './parse.ts'
import { parseMetrics } from './parse.ts'

export type ScrapeFault = 'unreachable' | 'bad_reply'

/** A page of metrics did not come, or is none. */
export class ScrapeError extends Error {
  override readonly name = 'ScrapeError'
  readonly fault: ScrapeFault

  constructor(fault: ScrapeFault, message: string, cause?: unknown) {
    super(message, { cause })
    this.fault = fault
  }
}

/** A page that takes longer is of no use: it would be about another second. */
const answer_ms = 3_000
/** A node of eight GPUs with all of DCGM's fields has some 2 MB; what is larger is no page of metrics. */
const mostBytes = 8 * 1024 * 1024

/** One page of metrics, asked for again and again over one connection through the guarded dial. */
export class Page {
  readonly url: URL
  readonly #pool: Pool
  readonly #headers: Readonly<Record<string, string>>

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = new URL(url)
    this.#pool = dial(this.url, { connections: 1, connectMs: answer_ms })
    this.#headers = headers
  }

  /** Throws ScrapeError. */
  async samples(): Promise<readonly Sample[]> {
    const text = await this.text('text/plain;version=0.0.4')
    const { samples, bad } = parseMetrics(text)
    if (samples.length === 0 || bad > samples.length)
      throw new ScrapeError('bad_reply', `${this.url.href} answered something else than metrics`)
    return samples
  }

  /** Throws ScrapeError. */
  async text(accept: string, more: Readonly<Record<string, string>> = {}, search = this.url.search): Promise<string> {
    const path = this.url.pathname + search
    try {
      const reply = await this.#pool.request({
        method: 'GET',
        path,
        headers: { accept, ...this.#headers, ...more },
        signal: AbortSignal.timeout(answer_ms),
      })
      const text = await bounded(reply.body, this.url.href)
      if (reply.statusCode === 200) return text
      throw new ScrapeError('bad_reply', `${this.url.href} answered ${reply.statusCode}`)
    } catch (cause) {
      throw asScrapeError(this.url.href, cause)
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

async function bounded(body: AsyncIterable<Buffer>, url: string): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > mostBytes) throw new ScrapeError('bad_reply', `${url} answered more than 8 MiB`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function asScrapeError(url: string, cause: unknown): ScrapeError {
  if (cause instanceof ScrapeError) return cause
  if (cause instanceof ForbiddenAddress) return new ScrapeError('unreachable', cause.message, cause)
  const { code, name } = cause as { code?: string; name?: string }
  const why =
    name === 'TimeoutError' ? `did not answer within ${answer_ms / 1000} s` : `does not answer (${code ?? name})`
  return new ScrapeError('unreachable', `${url} ${why}`, cause)
}
