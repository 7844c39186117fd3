import { engineKinds, namesVersion, vocabularyOf } from './engine-names.ts'
import { gatewayMetrics } from './gateway-metrics.ts'
import { gpuNames } from './gpu-names.ts'
import type { Metric } from './metric.ts'
import { operatorMetrics } from './operator-metrics.ts'
import { vllmMetrics } from './vllm-metrics.ts'

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const code = (text: string): string => `\`${text}\``

/** docs/metrics.md, from the tables. */
export function metricsPage(): string {
  return [
    '# Metrics',
    '',
    'Made by `npm run docs` from the tables in `src/adapters/prometheus`; do not edit by hand.',
    '',
    '`GET /metrics` answers in the text format of Prometheus: to programs of the same machine without a key, to others with',
    '`Authorization: Bearer` and the admin key. [examples/grafana/wattmill.json](../examples/grafana/wattmill.json) is a Grafana',
    'dashboard of them. The same metrics are sent by OTLP/HTTP (JSON) where `telemetry.otlp_url` names a collector.',
    '',
    'No label holds a key, a user or a prompt. A metric has at most 500 series; what is beyond goes to the series `other`, and',
    '`wattmill_series_dropped_total` and `wattmill_series_folded` say so. *Grade* says how a figure comes to be: `counted` as',
    'requests passed, `measured` by a clock or a meter, `booked` in the ledger, `declared` by the owner, `derived` from these;',
    '`labelled`: each series says it in a label.',
    '',
    '## From gateways',
    '',
    'Summed over all gateways since the operator started.',
    '',
    ...table(gatewayMetrics),
    '',
    '## From the operator',
    '',
    ...table(operatorMetrics),
    '',
    "## Under vLLM's names",
    '',
    'What has the same meaning there, so that dashboards and autoscalers made for vLLM work. Leave these out of sums over a',
    "Prometheus that scrapes the engines too: the engines' own figures are under the same names.",
    '',
    ...table(vllmMetrics),
    '',
    '## Alerts',
    '',
    'Each objective has a counter of requests that met it and of those that missed it; a burn rate is a division:',
    '',
    '```promql',
    '# 14.4 times too fast for an objective of 99 % over 30 days',
    'sum(rate(wattmill_slo_requests_total{objective="ttft",verdict="bad"}[1h]))',
    '  / sum(rate(wattmill_slo_requests_total{objective="ttft"}[1h])) > 14.4 * (1 - 0.99)',
    '```',
    '',
    '## Read from engines',
    '',
    `Names that Wattmill knows (version ${namesVersion} of the table); the first that a page has is taken.`,
    '',
    row('field', ...engineKinds.map((kind) => vocabularyOf(kind).title)),
    row('---', ...engineKinds.map(() => '---')),
    ...fields().map((field) =>
      row(
        field,
        ...engineKinds.map((kind) => {
          const { names } = vocabularyOf(kind)
          const sums = (names[field as keyof typeof names] ?? []).map((sum) => [sum].flat().map(code).join(' + '))
          return sums.join(', ') || '-'
        }),
      ),
    ),
    '',
    ...engineKinds.map((kind) => `- ${vocabularyOf(kind).title}: ${vocabularyOf(kind).hint}`),
    '',
    '## Read from dcgm-exporter',
    '',
    row('field', 'names, newest first', 'theirs × this = ours'),
    row('---', '---', '---'),
    ...Object.entries(gpuNames).map(([field, names]) =>
      row(field, names.map(({ name }) => code(name)).join(', '), names.map(({ times }) => String(times)).join(', ')),
    ),
    '',
  ].join('\n')
}

const fields = (): string[] => [...new Set(engineKinds.flatMap((kind) => Object.keys(vocabularyOf(kind).names)))]

const table = (metrics: Readonly<Record<string, Metric>>): string[] => [
  row('metric', 'type', 'unit', 'labels', 'grade', 'what it is'),
  row('---', '---', '---', '---', '---', '---'),
  ...Object.entries(metrics).map(([name, { kind, unit, labels, grade, help }]) =>
    row(code(name), kind, unit === 'one' ? '' : unit, labels.map(code).join(', '), grade, help.replaceAll('|', '\\|')),
  ),
]
