import { firstTokenSeconds, gapSeconds, requestSeconds } from './buckets.ts'
import { counter, gauge, histogram, type Metric } from './metric.ts'

const labels = ['model_name']
const model = { model_name: 'model' }
const genAiModel = { model_name: 'gen_ai_request_model' }

/** What we measure with the meaning that vLLM gives it, under vLLM's names too: dashboards and autoscalers made for it work. */
export const vllmMetrics = {
  'vllm:time_to_first_token_seconds': histogram(
    'seconds',
    'measured',
    labels,
    "As gen_ai_server_time_to_first_token_seconds, under vLLM's name.",
    firstTokenSeconds,
    { from: { metric: 'gen_ai_server_time_to_first_token_seconds', labels: genAiModel } },
  ),
  'vllm:inter_token_latency_seconds': histogram(
    'seconds',
    'measured',
    labels,
    "As wattmill_inter_token_latency_seconds, under vLLM's name.",
    gapSeconds,
    { from: { metric: 'wattmill_inter_token_latency_seconds', labels: model } },
  ),
  'vllm:e2e_request_latency_seconds': histogram(
    'seconds',
    'measured',
    labels,
    "As gen_ai_server_request_duration_seconds of complete answers, under vLLM's name.",
    requestSeconds,
    {
      from: {
        metric: 'gen_ai_server_request_duration_seconds',
        labels: genAiModel,
        where: { label: 'error_type', values: [''] },
      },
    },
  ),
  'vllm:request_queue_time_seconds': histogram(
    'seconds',
    'measured',
    labels,
    "As wattmill_queue_time_seconds, under vLLM's name.",
    requestSeconds,
    { from: { metric: 'wattmill_queue_time_seconds', labels: model } },
  ),
  'vllm:prompt_tokens_total': counter(
    'one',
    'counted',
    labels,
    "Prompt tokens, cached ones included, under vLLM's name.",
    {
      from: {
        metric: 'wattmill_tokens_total',
        labels: model,
        where: { label: 'class', values: ['input_uncached', 'cache_read', 'cache_write'] },
      },
    },
  ),
  'vllm:generation_tokens_total': counter(
    'one',
    'counted',
    labels,
    "Output tokens, reasoning included, under vLLM's name.",
    {
      from: {
        metric: 'wattmill_tokens_total',
        labels: model,
        where: { label: 'class', values: ['output_visible', 'reasoning'] },
      },
    },
  ),
  'vllm:num_requests_running': gauge('one', 'counted', labels, "As wattmill_requests_running, under vLLM's name.", {
    from: { metric: 'wattmill_requests_running', labels: model },
  }),
  'vllm:num_requests_waiting': gauge('one', 'counted', labels, "As wattmill_requests_waiting, under vLLM's name.", {
    from: { metric: 'wattmill_requests_waiting', labels: model },
  }),
} as const satisfies Record<string, Metric>
