import type { EngineField, EngineReport } from '../../plant/infrastructure/telemetry.ts'
import type { Sample } from './parse.ts'

/** Raised when a name is added, changed or dropped; shown by `wattmill engines probe`. */
export const namesVersion = 2

/** How several series of one name make one figure: shares of several caches are as bad as the fullest one. */
type Join = 'sum' | 'most'

/** Names of one field, newest first: the first that a page has is taken. Several in a list of their own are added up. */
type Names = readonly (string | readonly string[])[]

/** One engine's words for what we know of engines. */
interface Vocabulary {
  readonly title: string
  /** Where its page is, below the address of its API. */
  readonly paths: readonly string[]
  /** What must be set for the page to be there; told to whoever does not find it. */
  readonly hint: string
  /** Whether `prompt_tokens` counts the part of a prompt that came from the cache. */
  readonly promptIncludesCached: boolean
  readonly names: { readonly [Field in EngineField]?: Names }
}

const joins: { readonly [Field in EngineField]?: Join } = { kv_usage: 'most' }

/**
 * The one table of names. Sources: vLLM `vllm/v1/metrics/loggers.py` and docs.vllm.ai/usage/metrics (v0.4 to v0.32); SGLang
 * docs.sglang.io/references/production_metrics and `srt/metrics/collector.py`; TensorRT-LLM `tensorrt_llm/metrics/collector.py`
 * (names with `:` are Dynamo's); Dynamo's
 * frontend docs.nvidia.com/dynamo/reference/observability/metrics-catalog; llama.cpp `tools/server`. Read there; only llama.cpp's were
 * scraped from a running engine (deep/foreign.test.ts). Colons count as underscores, and a counter may have its `_total` or not: exporters between them and us change both.
 */
export const vocabularies = {
  vllm: {
    title: 'vLLM',
    paths: ['/metrics'],
    hint: 'vLLM serves it unless it was started with --disable-log-stats.',
    promptIncludesCached: true,
    names: {
      running: ['vllm:num_requests_running'],
      waiting: ['vllm:num_requests_waiting'],
      kv_usage: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'], // the second until 0.9
      prompt_tokens: ['vllm:prompt_tokens_total'],
      output_tokens: ['vllm:generation_tokens_total'],
      prefix_queries: ['vllm:prefix_cache_queries_total', 'vllm:gpu_prefix_cache_queries_total'],
      prefix_hits: ['vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total'],
      preemptions: ['vllm:num_preemptions_total'],
    },
  },
  sglang: {
    title: 'SGLang',
    paths: ['/metrics'],
    hint: 'Start SGLang with --enable-metrics.',
    promptIncludesCached: true,
    names: {
      running: ['sglang:num_running_reqs'],
      waiting: ['sglang:num_queue_reqs'],
      kv_usage: ['sglang:token_usage'],
      prompt_tokens: ['sglang:prompt_tokens_total'],
      output_tokens: ['sglang:generation_tokens_total'],
      prefix_queries: ['sglang:prompt_tokens_total'],
      prefix_hits: ['sglang:cached_tokens_total'],
      preemptions: ['sglang:num_retractions_total', 'sglang:num_retracted_reqs_total'],
    },
  },
  'tensorrt-llm': {
    title: 'TensorRT-LLM',
    paths: ['/prometheus/metrics', '/metrics'],
    hint: 'Start trtllm-serve with return_perf_metrics: true in its extra options.',
    promptIncludesCached: true,
    names: {
      running: ['trtllm_num_requests_running'],
      waiting: ['trtllm_num_requests_waiting'],
      kv_usage: ['trtllm_kv_cache_utilization'],
      prompt_tokens: ['trtllm_prompt_tokens_total'],
      output_tokens: ['trtllm_generation_tokens_total'],
      prefix_queries: ['trtllm_prompt_tokens_total'],
      prefix_hits: ['trtllm_prompt_cached_tokens_total', 'trtllm_prompt_cache_hit_tokens_total'],
    },
  },
  dynamo: {
    title: 'Dynamo frontend',
    paths: ['/metrics'],
    hint: 'The frontend serves it on its own port; workers have theirs on DYN_SYSTEM_PORT.',
    promptIncludesCached: true,
    names: {
      running: ['dynamo_frontend_inflight_requests'], // those that wait are among them
      waiting: ['dynamo_frontend_queued_requests'],
      prompt_tokens: ['dynamo_frontend_input_sequence_tokens_sum'],
      output_tokens: ['dynamo_frontend_output_tokens_total'],
      prefix_queries: ['dynamo_frontend_input_sequence_tokens_sum'],
      prefix_hits: ['dynamo_frontend_cached_tokens_sum'],
    },
  },
  'llama.cpp': {
    title: 'llama.cpp server',
    paths: ['/metrics'],
    hint: 'Start llama-server with --metrics.',
    promptIncludesCached: false,
    names: {
      running: ['llamacpp:requests_processing'],
      waiting: ['llamacpp:requests_deferred'],
      kv_usage: ['llamacpp:kv_cache_usage_ratio'], // gone in 2025
      prompt_tokens: ['llamacpp:prompt_tokens_total'],
      output_tokens: ['llamacpp:tokens_predicted_total'],
      prefix_queries: [['llamacpp:prompt_tokens_total', 'llamacpp:prompt_tokens_cached_total']], // the second since 2026
      prefix_hits: ['llamacpp:prompt_tokens_cached_total'],
    },
  },
} as const satisfies Record<string, Vocabulary>

export type EngineKind = keyof typeof vocabularies
export const engineKinds = Object.keys(vocabularies) as EngineKind[]
export const vocabularyOf = (kind: EngineKind): Vocabulary => vocabularies[kind]

/** What a page says, and in whose words; undefined when it speaks of no engine that we know. */
export function readEngine(
  samples: readonly Sample[],
): { readonly kind: EngineKind; readonly report: EngineReport } | undefined {
  const page = Map.groupBy(samples.filter(isWhole), ({ name }) => normal(name))
  const read = engineKinds.map((kind) => ({ kind, report: reportOf(vocabularies[kind].names, page) }))
  const size = ({ report }: { readonly report: EngineReport }): number => Object.keys(report).length
  const best = read.reduce((a, b) => (size(b) > size(a) ? b : a))
  return size(best) > 0 ? best : undefined
}

const normal = (name: string): string => name.replaceAll(':', '_').replace(/_total$/, '')

/** With tensor and pipeline parallelism each rank may tell the same requests again: the first speaks for all. */
const isWhole = ({ labels }: Sample): boolean =>
  ['tp_rank', 'pp_rank', 'moe_ep_rank'].every((rank) => labels[rank] === undefined || Number(labels[rank]) === 0)

/** The series of all these names; undefined when one of them is missing. */
function allOf(names: readonly string[], page: ReadonlyMap<string, readonly Sample[]>): readonly Sample[] | undefined {
  const found = names.map((name) => page.get(normal(name)))
  return found.every((series) => series !== undefined) ? found.flat() : undefined
}

function reportOf(names: Vocabulary['names'], page: ReadonlyMap<string, readonly Sample[]>): EngineReport {
  const fields = Object.entries(names).flatMap(([field, of]) => {
    const series = of.map((names) => allOf([names].flat(), page)).find((found) => found !== undefined)
    const values = (series ?? []).map(({ value }) => value).filter((value) => Number.isFinite(value) && value >= 0)
    if (values.length === 0) return []
    const sum = values.reduce((a, b) => a + b, 0)
    return [[field, joins[field as EngineField] === 'most' ? Math.max(...values) : sum] as const]
  })
  return Object.fromEntries(fields)
}
