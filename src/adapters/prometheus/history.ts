import type { Steps } from '../../plant/energy/history.ts'
import { Page, ScrapeError } from './scrape.ts'

/** What a query gave at a step. */
export interface StepValue {
  readonly at_ms: number
  readonly value: number
}

export interface StepValues {
  /** In order of time; steps at which there was nothing are not there. */
  readonly values: readonly StepValue[]
  /** Why there is nothing at steps at which there was something that is no one number; undefined: there were none. */
  readonly trouble: string | undefined
}

/**
 * How long after a scrape its figure may still be given, beside a step: longer than two scrapes are apart by Prometheus' own default, and as
 * long as a gap of power is bridged. Servers that do not know this parameter use their own, which is five minutes; a target that
 * does not answer ends at once with any of them.
 */
const holds_s = 60

/** A query at the steps of a time, from a Prometheus server's own history. */
export class PromHistory {
  readonly #page: Page
  readonly #query: string

  constructor(server: string, query: string) {
    this.#page = new Page(`${server.replace(/\/+$/, '')}/api/v1/query_range`)
    this.#query = query
  }

  /** Throws ScrapeError when the server fails. */
  async at({ first_ms, last_ms }: Steps, step_ms: number): Promise<StepValues> {
    const asked = new URLSearchParams({
      query: this.#query,
      start: String(first_ms / 1000),
      end: String(last_ms / 1000),
      step: String(step_ms / 1000),
      lookback_delta: String(holds_s + step_ms / 1000),
    })
    const text = await this.#page.text('application/json', {}, `?${asked}`)
    return stepValues(text, this.#page.url.origin, { first_ms, last_ms }, step_ms)
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

interface Series {
  readonly values: readonly (readonly [number, string])[]
}

/**
 * Prometheus' JSON → one number a step. A series may end and another begin (a target that got another name); two at once are nobody's to
 * add up, and a step of them is left out.
 */
export function stepValues(text: string, server: string, { first_ms, last_ms }: Steps, step_ms: number): StepValues {
  const result = seriesIn(text, server)
  const at = new Map<number, string[]>()
  for (const { values } of result)
    for (const [second, value] of values) {
      const at_ms = Math.round(second * 1000)
      if (at_ms < first_ms || at_ms > last_ms || (at_ms - first_ms) % step_ms !== 0) continue
      at.set(at_ms, [...(at.get(at_ms) ?? []), value])
    }
  let trouble: string | undefined
  const values = [...at]
    .sort(([a], [b]) => a - b)
    .flatMap(([at_ms, [text = '', ...more]]) => {
      const value = text === '' ? Number.NaN : Number(text)
      if (more.length === 0 && Number.isFinite(value) && value >= 0) return [{ at_ms, value }]
      const when = new Date(at_ms).toISOString()
      trouble = `the query at ${server} gives ${more.length > 0 ? `${more.length + 1} series at ${when}, not one: put sum(…) around it` : `${text} at ${when}`}`
      return []
    })
  return { values, trouble }
}

function seriesIn(text: string, server: string): readonly Series[] {
  const bad = (why: string): ScrapeError => new ScrapeError('bad_reply', `the query at ${server} ${why}`)
  let reply: Reply
  try {
    reply = JSON.parse(text) as Reply
  } catch {
    throw bad('was answered with no JSON')
  }
  if (reply?.status !== 'success' || !reply.data) throw bad(`failed: ${String(reply?.error).slice(0, 200)}`)
  const { resultType, result } = reply.data
  if (resultType !== 'matrix' || !Array.isArray(result)) throw bad(`gives a ${resultType} over time, not a matrix`)
  if (!result.every(isSeries)) throw bad('is answered in a form that Prometheus does not have')
  return result
}

const isSeries = (one: unknown): one is Series => {
  const values = (one as Series | null)?.values
  return Array.isArray(values) && values.every((pair) => Array.isArray(pair) && typeof pair[0] === 'number')
}
