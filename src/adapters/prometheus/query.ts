import { Page, ScrapeError } from './scrape.ts'

/** An instant query to a Prometheus server, such as that of the machine hall: one number, or nothing. */
export class PromQuery {
  readonly #page: Page

  constructor(server: string, query: string) {
    const url = new URL(`${server.replace(/\/+$/, '')}/api/v1/query`)
    url.searchParams.set('query', query)
    this.#page = new Page(url.href)
  }

  /** Throws ScrapeError when the server fails or the query gives anything but one number. */
  async value(): Promise<number> {
    return valueIn(await this.#page.text('application/json'), this.#page.url.origin)
  }

  close(): Promise<void> {
    return this.#page.close()
  }
}

interface Reply {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

/** Prometheus' JSON → the number of a scalar, or of a vector with exactly one element. */
export function valueIn(text: string, server: string): number {
  const bad = (why: string): ScrapeError => new ScrapeError('bad_reply', `the query at ${server} ${why}`)
  let reply: Reply
  try {
    reply = JSON.parse(text) as Reply
  } catch {
    throw bad('was answered with no JSON')
  }
  if (reply.status !== 'success' || !reply.data) throw bad(`failed: ${String(reply.error).slice(0, 200)}`)
  const { resultType, result } = reply.data
  const samples = resultType === 'vector' ? (result as { value: unknown }[]).map(({ value }) => value) : [result]
  if (resultType !== 'vector' && resultType !== 'scalar') throw bad(`gives a ${resultType}, not one number`)
  if (samples.length !== 1) throw bad(`gives ${samples.length} series, not one: put sum(…) around it`)
  const value = Number((samples[0] as readonly unknown[])[1])
  if (!Number.isFinite(value) || value < 0) throw bad(`gives ${value}`)
  return value
}
