import { type MetricName, metricOf } from './metrics.ts'
import { type Counts, type Histogram, keyOf, partsOf, type Recorder } from './recorder.ts'

/** What a process counted, and the how manyeth time it tells: sent again until it is acknowledged, counted once. */
export interface Batch {
  readonly number: number
  readonly counts: Counts
}

/** The sending side: one batch is under way, what is counted meanwhile goes into the next. */
export class Outbox {
  readonly #recorder: Recorder
  #number = 0
  #pending: Batch | undefined

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  /** The batch to send now: the one that was not acknowledged, else what was counted since. */
  next(): Batch {
    this.#pending ??= { number: ++this.#number, counts: this.#recorder.take() }
    return this.#pending
  }

  acknowledged(): void {
    this.#pending = undefined
  }
}

/** Processes that have told something; a gateway lives for hours, so this is years of restarts. */
const mostProcesses = 10_000
/** Above a process's own bound, since several may have different series. */
const mostSeries = 5_000

/**
 * The receiving side: batches of all processes, added up. A process that died has told all but its last second, and what it
 * told stays. When this process starts again all totals begin at 0, which every reader of counters knows how to take.
 */
export class Totals {
  readonly #values = new Map<string, number | Histogram>()
  readonly #heard = new Map<string, number>()

  take(process: string, batch: Batch): void {
    if (batch.number <= (this.#heard.get(process) ?? 0)) return
    this.#heard.delete(process)
    this.#heard.set(process, batch.number)
    const [oldest] = this.#heard.keys()
    if (this.#heard.size > mostProcesses && oldest !== undefined) this.#heard.delete(oldest)
    for (const [key, value] of Object.entries(batch.counts)) this.#add(key, value)
  }

  get counts(): ReadonlyMap<string, number | Histogram> {
    return this.#values
  }

  #add(key: string, value: number | Histogram): void {
    const parts = partsOf(key)
    if (!parts || !fits(parts.name, value)) return
    const known = this.#values.get(key)
    if (known === undefined && this.#values.size >= mostSeries)
      return this.#addTo(keyOf('wattmill_series_dropped_total', [parts.name]), 1)
    this.#addTo(key, value)
  }

  #addTo(key: string, value: number | Histogram): void {
    this.#values.set(key, sumOf(this.#values.get(key), value))
  }
}

/** Two values of one series. */
export function sumOf(a: number | Histogram | undefined, b: number | Histogram): number | Histogram {
  if (a === undefined) return b
  if (typeof a === 'number' || typeof b === 'number') return Number(a) + Number(b)
  return a.map((value, index) => value + (b[index] ?? 0)) as unknown as Histogram
}

/** Another version's gateway may tell what we do not know, or with other buckets: that is left out, not mixed in. */
function fits(name: MetricName, value: number | Histogram): boolean {
  const { buckets } = metricOf(name)
  if (typeof value === 'number') return buckets === undefined && Number.isFinite(value) && value >= 0
  return buckets !== undefined && value.length === buckets.length + 2 && value.every((each) => Number.isFinite(each))
}
