import { gatewayMetrics } from './gateway-metrics.ts'
import type { Metric } from './metric.ts'
import { operatorMetrics } from './operator-metrics.ts'
import { vllmMetrics } from './vllm-metrics.ts'

/**
 * Every metric of the factory, once. `/metrics`, OTLP, docs/metrics.md and the Grafana dashboard are made from this table.
 *
 * Where OpenTelemetry's GenAI conventions name what we measure, their name is used, with dots as underscores and the unit at
 * the end, as OpenTelemetry maps names to Prometheus. The rest begins with `wattmill_`.
 *
 * Label values come from the factory's own registry, never from a request: no key id, no user id, no prompt.
 */
const metrics = { ...gatewayMetrics, ...operatorMetrics, ...vllmMetrics } as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metrics
export type GatewayMetricName = keyof typeof gatewayMetrics

/** The table's row of a metric. */
export const metricOf = (name: MetricName): Metric => metrics[name]

export const isMetric = (name: string): name is MetricName => Object.hasOwn(metrics, name)

/** In the table's order. */
export const metricNames = Object.keys(metrics) as MetricName[]
