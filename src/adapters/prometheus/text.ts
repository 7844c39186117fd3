import type { Metric } from './metric.ts'
import { type MetricName, metricNames, metricOf } from './metrics.ts'
import { type Histogram, keyOf } from './recorder.ts'
import { sumOf } from './totals.ts'

/** One series with its value, as the operator found it when it was asked. */
export interface Reading {
  readonly name: MetricName
  readonly values: readonly string[]
  readonly value: number | Histogram
}

export const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Readings as Prometheus' text format 0.0.4, in the table's order; metrics without a reading are left out. */
export function exposition(readings: readonly Reading[]): string {
  const families = Map.groupBy(withAliases(readings), ({ name }) => name)
  return metricNames
    .flatMap((name) => {
      const series = families.get(name)
      if (!series) return []
      const metric = metricOf(name)
      return [
        `# HELP ${name} ${metric.help.replaceAll('\\', '\\\\').replaceAll('\n', ' ')} (${metric.grade})`,
        `# TYPE ${name} ${metric.kind}`,
        ...series.flatMap((each) => linesOf(metric, each)),
      ]
    })
    .map((line) => `${line}\n`)
    .join('')
}

/** Beyond it a page is more than Prometheus should be asked to keep; tenants and applications are what can be many. */
const mostSeries = 500

/** One reading per series: those of the same series are added up, and those beyond a metric's bound become `other`. */
export function merged(readings: readonly Reading[], most = mostSeries): Reading[] {
  const byMetric = Map.groupBy(readings, ({ name }) => name)
  return [...byMetric].flatMap(([name, of]) => {
    const sums = sumsOf(of)
    if (sums.length <= most) return sums
    const kept = sums.toSorted((a, b) => (keyOf(name, a.values) < keyOf(name, b.values) ? -1 : 1))
    const folded = kept.splice(most - 1).map((each) => ({ ...each, values: each.values.map(() => 'other') }))
    return [...kept, ...sumsOf(folded), { name: 'wattmill_series_folded', values: [name], value: folded.length }]
  })
}

function sumsOf(readings: readonly Reading[]): Reading[] {
  const sums = new Map<string, Reading>()
  for (const reading of readings) {
    const key = keyOf(reading.name, reading.values)
    sums.set(key, { ...reading, value: sumOf(sums.get(key)?.value, reading.value) })
  }
  return [...sums.values()]
}

/** The same figures under other systems' names beside ours. */
export function withAliases(readings: readonly Reading[]): Reading[] {
  const aliases = metricNames.flatMap((name) => aliasesOf(name, readings))
  return [...readings, ...aliases]
}

function aliasesOf(name: MetricName, readings: readonly Reading[]): Reading[] {
  const { from, labels } = metricOf(name)
  if (!from) return []
  const source = metricOf(from.metric as MetricName)
  const at = (label: string): number => source.labels.indexOf(label)
  const renamed = readings.flatMap(({ name: of, values, value }) => {
    if (of !== from.metric) return []
    if (from.where && !from.where.values.includes(values[at(from.where.label)] ?? '')) return []
    return { name, values: labels.map((label) => values[at(from.labels[label] ?? '')] ?? ''), value }
  })
  return sumsOf(renamed)
}

function linesOf(metric: Metric, { name, values, value }: Reading): string[] {
  const labels = metric.labels.map((label, index) => [label, values[index] ?? ''] as const)
  if (typeof value === 'number') return [`${name}${labelText(labels)} ${numberText(value)}`]
  const [sum, ...buckets] = value
  let count = 0
  const lines = buckets.map((each, index) => {
    count += each
    const le = metric.buckets?.[index]
    return `${name}_bucket${labelText([...labels, ['le', le === undefined ? '+Inf' : String(le)]])} ${count}`
  })
  return [...lines, `${name}_sum${labelText(labels)} ${numberText(sum)}`, `${name}_count${labelText(labels)} ${count}`]
}

const labelText = (labels: readonly (readonly [string, string])[]): string =>
  labels.length === 0 ? '' : `{${labels.map(([label, value]) => `${label}="${escaped(value)}"`).join(',')}}`

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}
