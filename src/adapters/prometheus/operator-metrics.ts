import { counter, gauge, type Metric } from './metric.ts'

/** What the operator knows when it is asked: gateways and engines as last heard, the books, the meters, the economics. */
export const operatorMetrics = {
  // The factory now.
  wattmill_info: gauge('one', 'declared', ['version'], 'Always 1; the version is in the label.'),
  wattmill_gateways: gauge('one', 'counted', ['ready'], 'Gateways that the operator hears, ready or not.'),
  wattmill_requests_running: gauge('one', 'counted', ['model'], 'Requests under way at engines.'),
  wattmill_requests_waiting: gauge('one', 'counted', ['model'], 'Requests that wait for a free engine.'),
  wattmill_engine_up: gauge('one', 'measured', ['engine'], '1 when some gateway reaches the engine, else 0.'),
  wattmill_engine_requests_running: gauge('one', 'counted', ['engine'], 'Requests of ours under way at the engine.'),
  wattmill_journal_rows: gauge(
    'one',
    'counted',
    [],
    'Rows that living gateways hold in memory until they are durable in their journals.',
  ),
  wattmill_gateway_peers: gauge(
    'one',
    'measured',
    [],
    'Other gateways that the one that hears the fewest hears; all but itself when words get through.',
  ),
  wattmill_journal_up: gauge('one', 'measured', [], '1 when every living gateway can write its journal, else 0.'),
  wattmill_journal_bytes: gauge(
    'bytes',
    'measured',
    ['what'],
    'Bytes on the disk of what is not booked yet or still kept: journals, engine logs.',
  ),
  wattmill_journal_limit_bytes: gauge('bytes', 'declared', [], 'What journals and engine logs may hold together.'),
  wattmill_journal_room_used_ratio: gauge(
    'ratio',
    'measured',
    [],
    'Share of the nearer bound, of bytes held or of free disk, that is used: from 0.8 on it is an alarm, at 1 nothing new is admitted.',
  ),
  wattmill_disk_free_bytes: gauge('bytes', 'measured', [], 'Free on the disk of the home.'),
  wattmill_series_folded: gauge(
    'one',
    'counted',
    ['metric'],
    'Series of this page that are folded into `other`, because a metric has too many.',
  ),

  // The books.
  wattmill_revenue_dollars_total: counter('dollars', 'booked', ['model', 'class'], 'Revenue in the books.'),
  wattmill_refunds_dollars_total: counter(
    'dollars',
    'booked',
    ['tenant', 'application'],
    'Given back to an application since promises were missed; revenue is before it, what it owes is after it.',
  ),
  wattmill_tenant_revenue_dollars_total: counter(
    'dollars',
    'booked',
    ['tenant', 'application'],
    'What an application owes, in the books.',
  ),
  wattmill_tenant_energy_joules_total: counter(
    'joules',
    'booked',
    ['tenant', 'application'],
    'Energy attributed to an application, in the books.',
  ),
  wattmill_energy_joules_total: counter(
    'joules',
    'labelled',
    ['meter', 'engine', 'grade'],
    'Energy that a meter counted, in the books.',
  ),
  wattmill_energy_use_joules_total: counter(
    'joules',
    'booked',
    ['use', 'detail'],
    'Where the energy went: served to tenants, wasted by cause, idle, or overhead: what meters above others show beyond them and no rule gives to anybody.',
  ),
  wattmill_waste_tokens_total: counter(
    'one',
    'booked',
    ['cause'],
    'Tokens that engines made and nobody paid for, by cause, in the books.',
  ),
  wattmill_books_residual: gauge(
    'one',
    'booked',
    ['unit'],
    'Sum of all balances of a unit: 0, or the books are broken.',
  ),
  wattmill_books_lag_seconds: gauge(
    'seconds',
    'measured',
    ['of'],
    'Age of the oldest row or log line that the books do not have (tokens), or of the oldest interval not attributed (energy).',
  ),
  wattmill_books_stopped: gauge(
    'one',
    'measured',
    [],
    '1 while the books take nothing in, since the store does not answer or has no room; else 0. Requests are served meanwhile, as far as journals have room.',
  ),
  wattmill_books_stopped_seconds: gauge('seconds', 'measured', [], 'Since when the books take nothing in; else 0.'),
  wattmill_backlog_rows: gauge(
    'one',
    'counted',
    [],
    'Rows in all journals of this home that wait to be booked, while the books take nothing in; else 0.',
  ),
  wattmill_books_open_requests: gauge('one', 'counted', [], 'Requests in the books that are not settled.'),
  wattmill_books_open_intervals: gauge('one', 'counted', [], 'Meter intervals that are not attributed yet.'),
  wattmill_books_quarantined: gauge('one', 'counted', [], 'Rows that contradict the books and were put aside.'),
  wattmill_attribution_residual_factor: gauge(
    'one',
    'booked',
    ['meter'],
    'Measured over modelled energy of the last ten busy minutes, before scaling: far from 1 the model of a step has drifted.',
  ),
  wattmill_meter_age_seconds: gauge(
    'seconds',
    'measured',
    ['meter'],
    'Time since the last reading of a meter that is in the books.',
  ),
  wattmill_meter_coverage_ratio: gauge(
    'ratio',
    'measured',
    ['meter'],
    'Share of the last hour that a meter covered, measured or estimated; the rest is unmetered and not filled in.',
  ),

  // What an engine costs and draws, over the last minutes.
  wattmill_engine_cost_dollars_total: counter(
    'dollars',
    'declared',
    ['engine'],
    'Declared cost per hour of an engine, times the hours since it was declared.',
  ),
  wattmill_cost_dollars_per_million_tokens: gauge(
    'dollars',
    'derived',
    ['engine', 'per'],
    'Declared cost of an engine over the last 5 minutes per million tokens: per=output, or per=all with input and cache.',
  ),
  wattmill_joules_per_token: gauge(
    'joules',
    'labelled',
    ['engine', 'per', 'grade'],
    "Energy of an engine's meters over the last 5 minutes per token, idle included: per=output, or per=all.",
  ),
  wattmill_tokens_per_second: gauge(
    'one',
    'derived',
    ['engine', 'kind'],
    'Tokens per second that an engine served over the last 5 minutes, input (cached too) or output.',
  ),
  wattmill_power_watts: gauge(
    'watts',
    'labelled',
    ['engine', 'grade'],
    "Mean power of an engine's meters over the last 5 minutes.",
  ),
  wattmill_margin_dollars_per_hour: gauge(
    'dollars',
    'derived',
    [],
    'Revenue less declared cost of all engines over the last 5 minutes, per hour.',
  ),

  // What engines and exporters say of themselves.
  wattmill_engine_reported_running: gauge(
    'one',
    'measured',
    ['engine'],
    'Requests under way as the engine itself reports them, others than ours included.',
  ),
  wattmill_engine_reported_waiting: gauge('one', 'measured', ['engine'], "Requests in the engine's own queue."),
  wattmill_engine_kv_cache_usage_ratio: gauge(
    'ratio',
    'measured',
    ['engine'],
    'Share of its KV cache that the engine reports as used, 0 to 1.',
  ),
  wattmill_engine_reported_total: counter(
    'one',
    'measured',
    ['engine', 'kind'],
    "As the engine itself counts since we watch it, its restarts bridged, others' traffic included: prompt_tokens, output_tokens, prefix_queries, prefix_hits (prompt tokens looked up and found in the prefix cache), preemptions.",
  ),
  wattmill_scrape_age_seconds: gauge(
    'seconds',
    'measured',
    ['source'],
    'Time since a source of telemetry last answered with what we can read.',
  ),
  wattmill_scrape_failures_total: counter(
    'one',
    'counted',
    ['source'],
    'Times that a source of telemetry did not answer, or with what we cannot read.',
  ),
} as const satisfies Record<string, Metric>
