export type Kind = 'counter' | 'gauge' | 'histogram'

/** How the figure comes to be. `labelled`: the series say it themselves, in a label `grade` or `source`. */
export type MetricGrade = 'counted' | 'measured' | 'booked' | 'declared' | 'derived' | 'labelled'

/** Prometheus' base units; `one` is a plain number. */
export type Unit = 'one' | 'bytes' | 'seconds' | 'joules' | 'watts' | 'dollars' | 'ratio'

/** One row of the table of metrics. */
export interface Metric {
  readonly kind: Kind
  readonly unit: Unit
  readonly grade: MetricGrade
  readonly labels: readonly string[]
  readonly help: string
  /** OpenTelemetry's own name, where it has one. */
  readonly otel?: string
  /** Upper bounds of a histogram's buckets; the last, infinite one is not written. */
  readonly buckets?: readonly number[]
  /** The same figure under another system's name: the sum of another metric's series over the labels that this one lacks. */
  readonly from?: { readonly metric: string; readonly labels: Readonly<Record<string, string>>; readonly where?: Where }
}

/** Only series whose label has one of these values. */
export type Where = { readonly label: string; readonly values: readonly string[] }

type More = Pick<Metric, 'otel' | 'from'>

export const counter = (
  unit: Unit,
  grade: MetricGrade,
  labels: readonly string[],
  help: string,
  more: More = {},
): Metric => ({ kind: 'counter', unit, grade, labels, help, ...more })

export const gauge = (
  unit: Unit,
  grade: MetricGrade,
  labels: readonly string[],
  help: string,
  more: More = {},
): Metric => ({ kind: 'gauge', unit, grade, labels, help, ...more })

export const histogram = (
  unit: Unit,
  grade: MetricGrade,
  labels: readonly string[],
  help: string,
  buckets: readonly number[],
  more: More = {},
): Metric => ({ kind: 'histogram', unit, grade, labels, help, buckets, ...more })
