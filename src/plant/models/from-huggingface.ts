import { type Attention, type FeedForward, type ModelCard, weightFormats } from './card.ts'

/** What the configuration lacks, by the name of the field. */
export interface Unreadable {
  readonly field: string
  readonly message: string
}

type Config = Readonly<Record<string, unknown>>

/**
 * The shape in a `config.json` as transformers writes it. Families with other fields (state-space layers, for one) are
 * refused by the name of what is missing rather than guessed.
 */
export function fromHuggingFace(id: string, given: unknown): ModelCard | Unreadable {
  const outer = asConfig(given)
  if (!outer) return { field: '', message: 'a model configuration is a JSON object' }
  const config = asConfig(outer.text_config) ?? outer // models that also see keep the language part here
  const missing = ['num_hidden_layers', 'hidden_size', 'vocab_size', 'num_attention_heads'].find(
    (field) => number(config, field) === undefined,
  )
  if (missing) return { field: missing, message: `the configuration has no number ${missing}` }
  const feedForward = feedForwardOf(config)
  if ('field' in feedForward) return feedForward
  const quantised = asConfig(config.quantization_config ?? outer.quantization_config)
  return {
    id,
    layers: need(config, 'num_hidden_layers'),
    hidden: need(config, 'hidden_size'),
    vocabulary: need(config, 'vocab_size'),
    contextWindow: number(config, 'max_position_embeddings') ?? 0,
    tied: (config.tie_word_embeddings ?? outer.tie_word_embeddings) === true,
    attention: attentionOf(config),
    feedForward,
    published: formatOf(quantised),
    source: `${id} config.json`,
  }
}

function attentionOf(config: Config): Attention {
  const heads = need(config, 'num_attention_heads')
  const layers = need(config, 'num_hidden_layers')
  const kvRank = number(config, 'kv_lora_rank')
  if (kvRank !== undefined) {
    return {
      kind: 'latent',
      heads,
      queryRank: number(config, 'q_lora_rank') ?? 0,
      kvRank,
      ropeWidth: number(config, 'qk_rope_head_dim') ?? 0,
      plainWidth: number(config, 'qk_nope_head_dim') ?? 0,
      valueWidth: number(config, 'v_head_dim') ?? 0,
    }
  }
  const types = Array.isArray(config.layer_types) ? config.layer_types : undefined
  const count = (type: string): number => types?.filter((one) => one === type).length ?? 0
  const window = config.use_sliding_window === false ? undefined : number(config, 'sliding_window')
  const windowLayers = window === undefined ? 0 : types ? count('sliding_attention') : layers
  return {
    kind: 'grouped',
    heads,
    kvHeads: number(config, 'num_key_value_heads') ?? heads,
    headWidth: number(config, 'head_dim') ?? need(config, 'hidden_size') / heads,
    fullLayers: types ? count('full_attention') : layers - windowLayers,
    windowLayers,
    window: windowLayers > 0 ? (window ?? 0) : 0,
  }
}

function feedForwardOf(config: Config): FeedForward | Unreadable {
  const layers = need(config, 'num_hidden_layers')
  const inner = number(config, 'intermediate_size')
  const experts =
    number(config, 'num_experts') ?? number(config, 'n_routed_experts') ?? number(config, 'num_local_experts')
  if (experts === undefined) {
    if (inner === undefined)
      return { field: 'intermediate_size', message: 'neither a dense nor an expert width is given' }
    return { dense: { layers, inner }, mixture: null }
  }
  const active = number(config, 'num_experts_per_tok')
  if (active === undefined)
    return { field: 'num_experts_per_tok', message: 'experts are given, but not how many see a token' }
  const width = number(config, 'moe_intermediate_size') ?? inner
  if (width === undefined) return { field: 'moe_intermediate_size', message: 'the width of an expert is not given' }
  const first = number(config, 'first_k_dense_replace') ?? 0
  const shared = number(config, 'shared_expert_intermediate_size') ?? (number(config, 'n_shared_experts') ?? 0) * width
  return {
    dense: { layers: first, inner: first > 0 ? (inner ?? 0) : 0 },
    mixture: { layers: layers - first, experts, active, inner: width, sharedInner: shared },
  }
}

function formatOf(quantised: Config | undefined): ModelCard['published'] {
  const text = JSON.stringify(quantised ?? {})
  if (text.includes('mxfp4')) return weightFormats.mxfp4
  if (/"quant_method":"fp8"|float8|e4m3/.test(text)) return weightFormats.fp8
  if (/"num_bits":4|"bits":4/.test(text)) return weightFormats.int4
  return weightFormats.bf16
}

const asConfig = (value: unknown): Config | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Config) : undefined

const number = (config: Config, field: string): number | undefined => {
  const value = config[field]
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

const need = (config: Config, field: string): number => number(config, field) ?? 0
