/** What an engine says of itself, in our words, whatever it calls them. What it does not say is left out, and is not zero. */
export interface EngineReport {
  /** Requests in its batch, others than ours included. */
  readonly running?: number
  /** Requests in its own queue. */
  readonly waiting?: number
  /** Share of the KV cache in use, 0 to 1. */
  readonly kv_usage?: number
  /** Counters since it started. Whether a prompt counts its cached part is said by the table of names. */
  readonly prompt_tokens?: number
  readonly output_tokens?: number
  /** Prompt tokens looked up in the prefix cache, and found there. */
  readonly prefix_queries?: number
  readonly prefix_hits?: number
  readonly preemptions?: number
}

export type EngineField = keyof EngineReport

export const engineCounters = [
  'prompt_tokens',
  'output_tokens',
  'prefix_queries',
  'prefix_hits',
  'preemptions',
] as const satisfies readonly EngineField[]
export type EngineCounter = (typeof engineCounters)[number]

/**
 * Counters of an engine, added up over its restarts. A counter that went back began anew: what it shows has come since, and
 * what it counted between our last look and the restart is lost. The first look counts nothing: that was before us.
 */
export class BridgedCounters {
  readonly #last = new Map<EngineCounter, number>()
  readonly #total = new Map<EngineCounter, number>()

  /** Takes a report; returns how much each counter grew since the one before, for those that both have. */
  take(report: EngineReport): Partial<Record<EngineCounter, number>> {
    const grown: Partial<Record<EngineCounter, number>> = {}
    for (const name of engineCounters) {
      const value = report[name]
      if (value === undefined) continue
      const last = this.#last.get(name)
      this.#last.set(name, value)
      if (last === undefined) continue
      const by = value >= last ? value - last : value
      grown[name] = by
      this.#total.set(name, (this.#total.get(name) ?? 0) + by)
    }
    return grown
  }

  /** Counted since the first look; undefined: the engine has not shown it twice. */
  total(name: EngineCounter): number | undefined {
    return this.#total.get(name)
  }

  /** Share of prompt tokens found in the prefix cache since the first look, 0 to 1. */
  get hitRatio(): number | undefined {
    const queries = this.total('prefix_queries')
    const hits = this.total('prefix_hits')
    return queries && hits !== undefined ? hits / queries : undefined
  }
}

/** A source that missed three looks in a row says nothing about now. */
export const isStale = (seen_ms: number | undefined, now_ms: number, period_ms: number): boolean =>
  seen_ms === undefined || now_ms - seen_ms > 3 * period_ms
