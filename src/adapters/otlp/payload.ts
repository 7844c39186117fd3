import type { Metric } from '../prometheus/metric.ts'
import { metricNames, metricOf } from '../prometheus/metrics.ts'
import type { Histogram } from '../prometheus/recorder.ts'
import type { Reading } from '../prometheus/text.ts'

/** Of what the metrics are: OpenTelemetry's resource. */
export interface Resource {
  readonly version: string
  /** When the counters began at 0. */
  readonly started_ms: number
}

/** UCUM, as OpenTelemetry writes units. */
const units: Readonly<Record<Metric['unit'], string>> = {
  one: '1',
  seconds: 's',
  joules: 'J',
  watts: 'W',
  dollars: '{USD}',
  ratio: '1',
  bytes: 'By',
}

/**
 * Readings as one OTLP/HTTP JSON request (opentelemetry-proto 1.x, `ExportMetricsServiceRequest`): cumulative since the start of
 * this process. Names and attributes of OpenTelemetry's own metrics are written with dots again. What vLLM calls the same is
 * left out: a collector wants each figure once.
 */
export function otlpPayload(readings: readonly Reading[], { version, started_ms }: Resource, now_ms: number): object {
  const series = Map.groupBy(readings, ({ name }) => name)
  const time = { startTimeUnixNano: nanos(started_ms), timeUnixNano: nanos(now_ms) }
  const metrics = metricNames.flatMap((name) => {
    const metric = metricOf(name)
    const of = series.get(name)
    if (!of || metric.from) return []
    const points = of.map((reading) => pointOf(metric, reading, time))
    return { name: metric.otel ?? name, description: metric.help, unit: units[metric.unit], ...kindOf(metric, points) }
  })
  const attributes = [attribute('service.name', 'wattmill'), attribute('service.version', version)]
  return {
    resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: 'wattmill', version }, metrics }] }],
  }
}

const cumulative = 2

function kindOf({ kind }: Metric, dataPoints: readonly object[]): object {
  switch (kind) {
    case 'counter':
      return { sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } }
    case 'gauge':
      return { gauge: { dataPoints } }
    case 'histogram':
      return { histogram: { aggregationTemporality: cumulative, dataPoints } }
  }
}

function pointOf(metric: Metric, { values, value }: Reading, time: object): object {
  // An empty label says that there is nothing to say, which OpenTelemetry says by leaving the attribute out.
  const attributes = metric.labels.flatMap((label, index) =>
    values[index] ? attribute(metric.otel ? dotted(label) : label, values[index]) : [],
  )
  if (typeof value === 'number') return { attributes, ...time, asDouble: value }
  const [sum, ...buckets] = value as Histogram
  const count = buckets.reduce((total, each) => total + each, 0)
  return {
    attributes,
    ...time,
    count: String(count),
    sum,
    bucketCounts: buckets.map(String),
    explicitBounds: metric.buckets,
  }
}

/** `gen_ai_request_model` → `gen_ai.request.model`, `error_type` → `error.type`. */
const dotted = (label: string): string =>
  label.startsWith('gen_ai_') ? `gen_ai.${label.slice('gen_ai_'.length).replace('_', '.')}` : label.replace('_', '.')

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } })

/** 64-bit integers are strings in protobuf's JSON. */
const nanos = (ms: number): string => `${BigInt(Math.round(ms)) * 1_000_000n}`
