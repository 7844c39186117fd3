import { firstTokenSeconds, gapSeconds, outputTokenSeconds, requestSeconds, usageTokens } from './buckets.ts'
import { counter, histogram, type Metric } from './metric.ts'

const genAi = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model']

/** Counted by each gateway as requests pass, and summed over gateways. */
export const gatewayMetrics = {
  gen_ai_server_request_duration_seconds: histogram(
    'seconds',
    'measured',
    [...genAi, 'error_type'],
    'From a request to its last token; error_type is empty for a complete answer.',
    requestSeconds,
    { otel: 'gen_ai.server.request.duration' },
  ),
  gen_ai_server_time_to_first_token_seconds: histogram(
    'seconds',
    'measured',
    genAi,
    'From a request to its first token, waiting included.',
    firstTokenSeconds,
    { otel: 'gen_ai.server.time_to_first_token' },
  ),
  gen_ai_server_time_per_output_token_seconds: histogram(
    'seconds',
    'measured',
    genAi,
    'Mean time per token after the first, of complete answers.',
    outputTokenSeconds,
    { otel: 'gen_ai.server.time_per_output_token' },
  ),
  gen_ai_client_token_usage: histogram(
    'one',
    'counted',
    [...genAi, 'gen_ai_token_type'],
    'Billed tokens per request; not reported where a count is missing.',
    usageTokens,
    { otel: 'gen_ai.client.token.usage' },
  ),
  wattmill_inter_token_latency_seconds: histogram(
    'seconds',
    'measured',
    ['model'],
    'Time from one piece of an answer to the next, per token.',
    gapSeconds,
  ),
  wattmill_queue_time_seconds: histogram(
    'seconds',
    'measured',
    ['model'],
    'Time that admitted requests waited for a free engine.',
    requestSeconds,
  ),
  wattmill_requests_total: counter(
    'one',
    'counted',
    ['model', 'outcome'],
    'Requests that were admitted, by how they ended.',
  ),
  wattmill_refusals_total: counter(
    'one',
    'counted',
    ['code'],
    'Requests that were refused before they were admitted, by error code.',
  ),
  wattmill_attempts_total: counter(
    'one',
    'counted',
    ['engine', 'result'],
    'Attempts at engines; more than requests where one was tried again elsewhere.',
  ),
  wattmill_hedges_total: counter(
    'one',
    'counted',
    ['model', 'result'],
    'Second attempts beside one whose first token was late: won, or lost to the first.',
  ),
  wattmill_tokens_total: counter(
    'one',
    'labelled',
    ['model', 'engine', 'class', 'source', 'use'],
    'Tokens of settled requests, by class, by who counted them, and whether they were served or wasted.',
  ),
  wattmill_cache_lookups_total: counter(
    'one',
    'counted',
    ['model', 'result'],
    'Requests that asked for an answer from the cache, by whether it had one (hit) or not (miss).',
  ),
  wattmill_slo_requests_total: counter(
    'one',
    'counted',
    ['objective', 'model', 'verdict'],
    'Requests that met an objective (verdict good) or missed it (bad); what the client caused counts for neither.',
  ),
  wattmill_series_dropped_total: counter(
    'one',
    'counted',
    ['metric'],
    'Counts that went to the series `other` because a metric had too many label values.',
  ),
} as const satisfies Record<string, Metric>
