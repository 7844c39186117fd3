import { type GatewayMetricName, isMetric, type MetricName, metricOf } from './metrics.ts'

/** A histogram's figures: the sum of what was observed, then the number of observations per bucket, the infinite one last. */
export type Histogram = readonly [sum: number, ...buckets: number[]]

/** Counts by series. A key is the JSON of the metric's name and its label values, in the table's order. */
export type Counts = Readonly<Record<string, number | Histogram>>

/** One series of a counter or histogram. Kept by who counts often, so that no key is made for each token. */
export interface Series {
  add(by?: number): void
  /** The same value so many times: a chunk of n tokens is n gaps. */
  observe(value: number, times?: number): void
}

/** Beyond it label values come from a fault: a factory has tens of models, engines and codes, not hundreds. */
const mostSeries = 500
/** Where counts go that have no series of their own. */
const other = 'other'

const dropped: GatewayMetricName = 'wattmill_series_dropped_total'

/** What one process counted since it was last taken. */
export class Recorder {
  /** By metric, then by label values one after the other: some fifteen look-ups a request, and a key only for what is new. */
  readonly #series = new Map<MetricName, Map<string, Kept>>()
  readonly #most: number

  constructor(most = mostSeries) {
    this.#most = most
  }

  series(name: GatewayMetricName, ...values: readonly string[]): Series {
    let all = this.#series.get(name)
    if (!all) {
      all = new Map()
      this.#series.set(name, all)
    }
    const place = values.join('\0')
    const known = all.get(place)
    if (known) return known.counting
    const overflow = values.map(() => other)
    if (all.size >= this.#most && values.length > 0 && place !== overflow.join('\0')) {
      this.series(dropped, name).add()
      return this.series(name, ...overflow)
    }
    const counting = new Counting(metricOf(name).buckets)
    all.set(place, { key: keyOf(name, values), counting })
    return counting
  }

  count(name: GatewayMetricName, values: readonly string[], by = 1): void {
    this.series(name, ...values).add(by)
  }

  observe(name: GatewayMetricName, values: readonly string[], value: number, times = 1): void {
    this.series(name, ...values).observe(value, times)
  }

  /** What has been counted since the last call; nothing is counted twice. */
  take(): Counts {
    const taken: Record<string, number | Histogram> = {}
    for (const all of this.#series.values())
      for (const { key, counting } of all.values()) {
        const value = counting.take()
        if (value !== undefined) taken[key] = value
      }
    return taken
  }
}

interface Kept {
  /** As it is told to others. */
  readonly key: string
  readonly counting: Counting
}

class Counting implements Series {
  readonly #bounds: readonly number[] | undefined
  #sum = 0
  #buckets: number[] | undefined

  constructor(bounds: readonly number[] | undefined) {
    this.#bounds = bounds
  }

  add(by = 1): void {
    this.#sum += by
  }

  observe(value: number, times = 1): void {
    const bounds = this.#bounds ?? []
    this.#buckets ??= new Array<number>(bounds.length + 1).fill(0)
    let at = 0
    while (at < bounds.length && value > (bounds[at] ?? Infinity)) at++
    this.#buckets[at] = (this.#buckets[at] ?? 0) + times
    this.#sum += value * times
  }

  take(): number | Histogram | undefined {
    const buckets = this.#buckets
    const sum = this.#sum
    this.#sum = 0
    this.#buckets = undefined
    if (this.#bounds) return buckets && [sum, ...buckets]
    return sum === 0 ? undefined : sum
  }
}

export const keyOf = (name: string, values: readonly string[]): string => JSON.stringify([name, ...values])

/** A key's metric and label values; `undefined` when it is no series of the table. */
export function partsOf(key: string): { name: MetricName; values: string[] } | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(key)
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) return undefined
  const [name = '', ...values] = parts as string[]
  if (!isMetric(name) || metricOf(name).labels.length !== values.length) return undefined
  return { name, values }
}
