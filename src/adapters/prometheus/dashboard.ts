import type { EngineCounter } from '../../plant/infrastructure/telemetry.ts'
import { type MetricName, metricOf } from './metrics.ts'

/** One chart: its queries, and what to do when it looks bad. */
interface Panel {
  readonly title: string
  readonly unit: string
  readonly advice: string
  readonly queries: readonly (readonly [query: string, legend: string])[]
}

/** Labels that a query groups by must be in the table, as the metric itself must: a slip does not make a silent chart. */
function grouped(name: MetricName, by: readonly string[]): string {
  for (const label of by) if (!metricOf(name).labels.includes(label)) throw new Error(`${name} has no label ${label}`)
  return by.length === 0 ? 'sum' : `sum by (${by.join(', ')})`
}

const rate = (name: MetricName, by: readonly string[], matcher = ''): string =>
  `${grouped(name, by)} (rate(${name}${matcher}[$__rate_interval]))`

const reported = (kind: EngineCounter): string => rate('wattmill_engine_reported_total', ['engine'], `{kind="${kind}"}`)

const now = (name: MetricName, by: readonly string[] = []): string => `${grouped(name, by)} (${name})`

const quantile = (of: number, name: MetricName): string =>
  `histogram_quantile(${of}, sum by (le) (rate(${name}_bucket[$__rate_interval])))`

const quantiles = (name: MetricName): Panel['queries'] => [
  [quantile(0.5, name), 'p50'],
  [quantile(0.95, name), 'p95'],
  [quantile(0.99, name), 'p99'],
]

/** Share of good ones over an hour: 1 less it, over 1 less the objective, is the burn rate. */
const goodShare = (objective: string): string => {
  const of = (matcher: string): string =>
    `sum (increase(wattmill_slo_requests_total{objective="${objective}"${matcher}}[1h]))`
  return `${of(',verdict="good"')} / ${of('')}`
}

const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Service',
    [
      {
        title: 'Requests per second, by outcome',
        unit: 'reqps',
        advice: 'Anything but complete and client_closed: see the engines, then wattmill explain on one request.',
        queries: [[rate('wattmill_requests_total', ['outcome']), '{{outcome}}']],
      },
      {
        title: 'Refusals per second, by code',
        unit: 'reqps',
        advice: 'overloaded: add a replica. requests_per_minute, tokens_per_minute: a client is at its limit.',
        queries: [[rate('wattmill_refusals_total', ['code']), '{{code}}']],
      },
      {
        title: 'Objectives met, last hour',
        unit: 'percentunit',
        advice: 'Below the objective: find out which of waiting, prefill and decode it is in the charts beside.',
        queries: ['answered', 'ttft', 'tpot'].map((objective) => [goodShare(objective), objective] as const),
      },
      {
        title: 'Time to first token',
        unit: 's',
        advice: 'Grows with waiting: add a replica. Grows alone: prompts got longer, or the prefix cache is lost.',
        queries: quantiles('gen_ai_server_time_to_first_token_seconds'),
      },
      {
        title: 'Inter-token latency',
        unit: 's',
        advice: 'Grows with requests under way: lower the concurrency of the engine, or add one.',
        queries: quantiles('wattmill_inter_token_latency_seconds'),
      },
      {
        title: 'Under way and waiting',
        unit: 'short',
        advice: 'Waiting for long: all replicas are full.',
        queries: [
          [now('wattmill_requests_running'), 'under way'],
          [now('wattmill_requests_waiting'), 'waiting'],
        ],
      },
    ],
  ],
  [
    'Tokens',
    [
      {
        title: 'Tokens per second, by class',
        unit: 'short',
        advice: 'cache_read falling while input_uncached grows: the prefix caches are lost.',
        queries: [[rate('wattmill_tokens_total', ['class'], '{use="served"}'), '{{class}}']],
      },
      {
        title: 'Wasted tokens per second, by cause',
        unit: 'short',
        advice: 'The factory pays for these: the cause says where to look.',
        queries: [[rate('wattmill_waste_tokens_total', ['cause']), '{{cause}}']],
      },
      {
        title: 'KV cache in use, by engine',
        unit: 'percentunit',
        advice: 'Near 1: the engine preempts. Lower its concurrency or the context.',
        queries: [[now('wattmill_engine_kv_cache_usage_ratio', ['engine']), '{{engine}}']],
      },
      {
        title: 'Prompt tokens found in the prefix cache, by engine',
        unit: 'percentunit',
        advice: 'Falling: less is shared, or requests of one session go to several engines.',
        queries: [[`${reported('prefix_hits')} / ${reported('prefix_queries')}`, '{{engine}}']],
      },
    ],
  ],
  [
    'Energy',
    [
      {
        title: 'Power, by meter',
        unit: 'watt',
        advice: 'Grade estimated: no counter is read; see wattmill doctor.',
        queries: [[rate('wattmill_energy_joules_total', ['meter', 'grade']), '{{meter}} ({{grade}})']],
      },
      {
        title: 'Where the energy goes',
        unit: 'watt',
        advice: 'Much idle: fewer or smaller replicas. Much waste: see its cause.',
        queries: [[rate('wattmill_energy_use_joules_total', ['use', 'detail']), '{{use}} {{detail}}']],
      },
      {
        title: 'Joules per token, by engine',
        unit: 'joule',
        advice: 'Idle is in it: it falls with load. Compare engines at the same load.',
        queries: [[now('wattmill_joules_per_token', ['engine', 'per', 'grade']), '{{engine}} per {{per}} ({{grade}})']],
      },
    ],
  ],
  [
    'Money',
    [
      {
        title: 'Dollars per million tokens, by engine',
        unit: 'currencyUSD',
        advice: 'Declared cost over the tokens of the last minutes: an idle engine is dear.',
        queries: [[now('wattmill_cost_dollars_per_million_tokens', ['engine', 'per']), '{{engine}} per {{per}}']],
      },
      {
        title: 'Revenue and cost, dollars per hour',
        unit: 'currencyUSD',
        advice: 'Cost above revenue: see the margin by engine.',
        queries: [
          [`3600 * ${rate('wattmill_revenue_dollars_total', [])}`, 'revenue'],
          [`3600 * ${rate('wattmill_engine_cost_dollars_total', [])}`, 'declared cost'],
        ],
      },
      {
        title: 'Margin per hour',
        unit: 'currencyUSD',
        advice: 'Negative: raise the price or the load, or drain the engine that costs most per token.',
        queries: [[now('wattmill_margin_dollars_per_hour'), 'margin']],
      },
    ],
  ],
  [
    'Books and sources',
    [
      {
        title: 'Books: residual by unit',
        unit: 'short',
        advice: 'Anything but 0: stop and run wattmill books check.',
        queries: [[now('wattmill_books_residual', ['unit']), '{{unit}}']],
      },
      {
        title: 'Not in the books yet',
        unit: 'short',
        advice: 'Growing: the operator is down or slow; see wattmill status.',
        queries: [
          [now('wattmill_journal_rows'), 'journal rows'],
          [now('wattmill_books_open_requests'), 'open requests'],
          [now('wattmill_books_open_intervals'), 'open intervals'],
          [now('wattmill_books_quarantined'), 'put aside'],
        ],
      },
      {
        title: 'Age of meters and sources',
        unit: 's',
        advice: 'A meter that is old makes energy unknown; a source that is old, telemetry.',
        queries: [
          [now('wattmill_meter_age_seconds', ['meter']), 'meter {{meter}}'],
          [now('wattmill_scrape_age_seconds', ['source']), '{{source}}'],
        ],
      },
    ],
  ],
]

const [width, height] = [8, 8]

/** The Grafana dashboard of a factory (schema 39, Grafana 11 and later), as an object to be written as JSON. */
export function dashboard(): object {
  let id = 0
  let y = 0
  const panels = rows.flatMap(([title, of]) => {
    const row = { id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y: y++, w: 24, h: 1 }, panels: [] }
    const charts = of.map((panel, index) =>
      chart(panel, ++id, { x: (index % 3) * width, y: y + Math.floor(index / 3) * height }),
    )
    y += Math.ceil(of.length / 3) * height
    return [row, ...charts]
  })
  return {
    title: 'Wattmill',
    uid: 'wattmill',
    description: "Made from Wattmill's table of metrics; do not edit by hand.",
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }] },
    panels,
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable.
const datasource = { type: 'prometheus', uid: '${datasource}' }

const chart = ({ title, unit, advice, queries }: Panel, id: number, at: { x: number; y: number }): object => ({
  id,
  type: 'timeseries',
  title,
  description: advice,
  datasource,
  gridPos: { ...at, w: width, h: height },
  fieldConfig: { defaults: { unit, min: unit === 'currencyUSD' ? null : 0 }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource,
    expr,
    legendFormat,
  })),
})
