import type { TokenClass } from '../../src/books/usage.ts'
import type { Surface } from './record.ts'

/**
 * Answers made up after what a source says of an engine: synthetic. Nothing here was recorded from the engine itself; what the real one
 * does is seen by `wattmill engines probe` and, for the one that runs in CI, by `deep/foreign.test.ts`.
 */
export interface Dialect {
  readonly engine: string
  readonly surfaces: readonly Surface[]
  /** What it restates. */
  readonly source: string
  /** Fields of the client's request besides model and messages. */
  readonly ask?: Readonly<Record<string, unknown>>
  readonly answer:
    | { readonly chunks: readonly object[] }
    | { readonly body: object }
    | { readonly status: number; readonly body: object }
  readonly expect: {
    /** What the books hold; a class that is not named must be missing. */
    readonly usage?: { readonly [Class in TokenClass]?: number }
    /** Fields that reach the engine so, and fields that do not reach it. */
    readonly sent?: Readonly<Record<string, unknown>>
    readonly unsent?: readonly string[]
    readonly headers?: Readonly<Record<string, string>>
    /** The error that the client gets, and what its message says. */
    readonly error?: { readonly status: number; readonly code: string; readonly says?: RegExp }
  }
}

const said = { choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }] }
const stopped = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
const whole = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] }
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 }
const cached = { ...usage, prompt_tokens_details: { cached_tokens: 64 } }
const refused = (message: string) => ({ error: { message, type: 'invalid_request_error' } })

export const dialects: readonly Dialect[] = [
  {
    engine: 'vllm',
    surfaces: ['chat stream', 'usage in streams', 'cached tokens'],
    source: 'can1357/oh-my-pi pull 5025: usage with the finish reason, then again with the cached tokens',
    ask: { stream: true },
    answer: { chunks: [said, { ...stopped, usage }, { choices: [], usage: cached }] },
    expect: { usage: { input_uncached: 36, cache_read: 64, output_visible: 10 } },
  },
  {
    engine: 'vllm',
    surfaces: ['chat'],
    source: 'NVIDIA aiperf, vendor usage field reference: prompt_tokens_details is null unless it is switched on',
    answer: { body: { ...whole, usage: { ...usage, prompt_tokens_details: null } } },
    expect: { usage: { input_uncached: 100, output_visible: 10 } },
  },
  {
    engine: 'vllm',
    surfaces: ['reasoning tokens'],
    source: 'BerriAI/litellm issue 22984: details with nulls, 15 reasoning tokens',
    answer: {
      body: {
        ...whole,
        usage: {
          total_tokens: 150687,
          prompt_tokens: 150383,
          completion_tokens: 304,
          prompt_tokens_details: { text_tokens: null, audio_tokens: null, cached_tokens: 149936 },
          completion_tokens_details: { text_tokens: null, reasoning_tokens: 15 },
        },
      },
    },
    expect: { usage: { input_uncached: 447, cache_read: 149936, output_visible: 289, reasoning: 15 } },
  },
  {
    engine: 'sglang',
    surfaces: ['chat stream', 'usage in streams', 'cached tokens', 'reasoning tokens'],
    source: 'sgl-project/sglang srt/entrypoints/openai/protocol.py, UsageInfo: reasoning_tokens at the top',
    ask: { stream: true },
    answer: { chunks: [said, stopped, { choices: [], usage: { ...cached, reasoning_tokens: 7 } }] },
    expect: { usage: { input_uncached: 36, cache_read: 64, output_visible: 3, reasoning: 7 } },
  },
  {
    engine: 'sglang',
    surfaces: ['errors'],
    source: 'sgl-project/sglang srt/entrypoints/openai/protocol.py, ErrorResponse: the error is the body itself',
    answer: {
      status: 400,
      body: { object: 'error', message: 'top_k must be -1 or positive', type: 'BadRequest', code: 400 },
    },
    expect: { error: { status: 400, code: 'engine_refused', says: /top_k must be/ } },
  },
  {
    engine: 'openai',
    surfaces: ['chat', 'limit of output', 'cached tokens', 'reasoning tokens'],
    source: '64bit/async-openai issue 272, OpenAI prompt caching guide; max_tokens is refused by reasoning models',
    ask: { max_tokens: 50 },
    answer: { body: { ...whole, usage: { ...cached, completion_tokens_details: { reasoning_tokens: 4 } } } },
    expect: {
      usage: { input_uncached: 36, cache_read: 64, output_visible: 6, reasoning: 4 },
      sent: { max_completion_tokens: 50 },
      unsent: ['max_tokens'],
      headers: { authorization: 'Bearer upstream-secret' },
    },
  },
  {
    engine: 'openai',
    surfaces: ['chat stream', 'usage in streams', 'key header'],
    source: 'OpenAI API reference, stream_options: the last chunk has usage and no choices',
    ask: { stream: true },
    answer: {
      chunks: [
        { ...said, usage: null },
        { ...stopped, usage: null },
        { choices: [], usage },
      ],
    },
    expect: {
      usage: { input_uncached: 100, output_visible: 10 },
      sent: { stream_options: { include_usage: true } },
      headers: { authorization: 'Bearer upstream-secret' },
    },
  },
  {
    engine: 'azure',
    surfaces: ['chat', 'key header', 'limit of output'],
    source: 'Microsoft Foundry REST reference, Azure OpenAI chat: header api-key, max_tokens deprecated',
    ask: { max_tokens: 5 },
    answer: { body: { ...whole, usage } },
    expect: {
      usage: { input_uncached: 100, output_visible: 10 },
      sent: { max_completion_tokens: 5 },
      unsent: ['max_tokens'],
      headers: { 'api-key': 'upstream-secret' },
    },
  },
  {
    engine: 'groq',
    surfaces: ['chat stream', 'usage in streams'],
    source: 'groq/groq-typescript chunk type: usage in x_groq of the last chunk',
    ask: { stream: true },
    answer: {
      chunks: [
        { ...said, x_groq: { id: 'req_1' } },
        { ...stopped, x_groq: { id: 'req_1', usage } },
      ],
    },
    expect: { usage: { input_uncached: 100, output_visible: 10 } },
  },
  {
    engine: 'groq',
    surfaces: ['chat', 'fields it refuses', 'cached tokens'],
    source:
      'console.groq.com/docs/openai: 400 for logprobs, logit_bias and top_logprobs; vercel/ai pull 8723: cached tokens',
    ask: { logprobs: false, logit_bias: {}, top_logprobs: 0, n: 1, temperature: 0 },
    answer: { body: { ...whole, usage: cached } },
    expect: {
      usage: { input_uncached: 36, cache_read: 64, output_visible: 10 },
      sent: { n: 1, temperature: 0 },
      unsent: ['logprobs', 'logit_bias', 'top_logprobs'],
    },
  },
  {
    engine: 'groq',
    surfaces: ['logprobs'],
    source: 'console.groq.com/docs/openai: log-probabilities that are wanted are refused, and the client is told',
    ask: { logprobs: true },
    answer: { status: 400, body: refused('property `logprobs` is unsupported') },
    expect: { sent: { logprobs: true }, error: { status: 400, code: 'engine_refused', says: /logprobs/ } },
  },
  {
    engine: 'groq',
    surfaces: ['errors'],
    source: 'console.groq.com/docs/flex-processing: 498 when the flex tier has no room',
    answer: { status: 498, body: { error: { message: 'no room', type: 'capacity_exceeded' } } },
    expect: { error: { status: 503, code: 'overloaded' } },
  },
  {
    engine: 'cerebras',
    surfaces: ['chat', 'fields it refuses'],
    source: 'req_llm guide to Cerebras: 400 for penalties, logit_bias, parallel_tool_calls, service_tier',
    ask: {
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: null,
      parallel_tool_calls: true,
      service_tier: 'auto',
      top_p: 1,
    },
    answer: { body: { ...whole, usage } },
    expect: {
      usage: { input_uncached: 100, output_visible: 10 },
      sent: { top_p: 1 },
      unsent: ['frequency_penalty', 'presence_penalty', 'logit_bias', 'parallel_tool_calls', 'service_tier'],
    },
  },
  {
    engine: 'openrouter',
    surfaces: ['chat stream', 'usage in streams', 'cached tokens'],
    source: 'openrouter.ai/docs/use-cases/usage-accounting: always there; tokens written to a cache beside those read',
    ask: { stream: true },
    answer: {
      chunks: [
        said,
        stopped,
        {
          choices: [],
          usage: {
            ...usage,
            prompt_tokens: 194,
            cost: 0.95,
            prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 100, audio_tokens: 0 },
            completion_tokens_details: { reasoning_tokens: 0 },
          },
        },
      ],
    },
    expect: { usage: { input_uncached: 64, cache_read: 30, cache_write: 100, output_visible: 10, reasoning: 0 } },
  },
  {
    engine: 'ollama',
    surfaces: ['chat', 'limit of output'],
    source: 'ollama/ollama issue 7125: max_completion_tokens is taken and not obeyed',
    ask: { max_completion_tokens: 10 },
    answer: { body: { ...whole, usage } },
    expect: {
      usage: { input_uncached: 100, output_visible: 10 },
      sent: { max_tokens: 10 },
      unsent: ['max_completion_tokens'],
    },
  },
  {
    engine: 'lm-studio',
    surfaces: ['chat', 'limit of output'],
    source: 'lmstudio.ai/docs/developer/openai-compat: the limit is max_tokens',
    ask: { max_completion_tokens: 10, max_tokens: 99 },
    answer: { body: { ...whole, usage } },
    expect: {
      usage: { input_uncached: 100, output_visible: 10 },
      sent: { max_tokens: 10 },
      unsent: ['max_completion_tokens'],
    },
  },
  {
    engine: 'together',
    surfaces: ['chat stream', 'usage in streams'],
    source: 'theopenco/llmgateway pull 3792: a stream has usage only when it was asked for',
    ask: { stream: true },
    answer: { chunks: [said, { ...stopped, usage }] },
    expect: { usage: { input_uncached: 100, output_visible: 10 }, sent: { stream_options: { include_usage: true } } },
  },
  {
    engine: 'fireworks',
    surfaces: ['errors', 'fields it refuses'],
    source: 'vercel/ai, @ai-sdk/fireworks 1.0.50: unknown fields are refused outright',
    ask: { promptCacheKey: 'x' },
    answer: { status: 400, body: refused("Extra inputs are not permitted, field: 'promptCacheKey'") },
    expect: { sent: { promptCacheKey: 'x' }, error: { status: 400, code: 'engine_refused', says: /Extra inputs/ } },
  },
  {
    engine: 'deepinfra',
    surfaces: ['chat'],
    source: 'deepinfra.com/docs/advanced/openai_api: usage with estimated_cost',
    answer: { body: { ...whole, usage: { ...usage, estimated_cost: 0.0000026 } } },
    expect: { usage: { input_uncached: 100, output_visible: 10 } },
  },
]

/** Pages of metrics, made up after the tables of names that their projects publish. */
export const pages: Readonly<Record<string, string>> = {
  vllm: 'vllm:num_requests_running{engine="0"} 3\nvllm:num_requests_waiting{engine="0"} 1\nvllm:kv_cache_usage_perc 0.5\n',
  sglang:
    'sglang:num_running_reqs{model_name="m"} 3\nsglang:num_queue_reqs{model_name="m"} 1\nsglang:token_usage 0.5\n',
  'tensorrt-llm': 'trtllm_num_requests_running 3\ntrtllm_num_requests_waiting 1\ntrtllm_kv_cache_utilization 0.5\n',
  dynamo:
    'dynamo_frontend_inflight_requests{model="m"} 3\ndynamo_frontend_queued_requests{model="m"} 1\ndynamo_frontend_output_tokens_total{model="m"} 90\n',
}
