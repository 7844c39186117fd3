import { type Attention, type ModelCard, weightFormats } from './card.ts'
import type { Unreadable } from './from-huggingface.ts'

/** Metadata of a GGUF header: key → value. */
export type Metadata = ReadonlyMap<string, unknown>

/** What the file's list of tensors says: their bytes and values in all, and whether there is no `output.weight`. */
export interface Tensors {
  readonly bytes: number
  readonly parameters: number
  readonly tied: boolean
}

/**
 * The shape in the metadata of a GGUF file; keys are named as gguf.md in the ggml repository names them, behind the
 * architecture. Bits per weight are the tensors' own: bytes over values.
 */
export function fromGguf(id: string, metadata: Metadata, tensors: Tensors): ModelCard | Unreadable {
  const architecture = metadata.get('general.architecture')
  if (typeof architecture !== 'string')
    return { field: 'general.architecture', message: 'the file does not name its architecture' }
  const number = (key: string): number | undefined => whole(metadata.get(`${architecture}.${key}`))
  const vocabulary = number('vocab_size') ?? listLength(metadata.get('tokenizer.ggml.tokens'))
  const [layers, hidden, heads] = ['block_count', 'embedding_length', 'attention.head_count'].map(number)
  if (layers === undefined || hidden === undefined || heads === undefined || vocabulary === undefined) {
    const field =
      layers === undefined ? 'block_count' : hidden === undefined ? 'embedding_length' : 'attention.head_count'
    return { field: `${architecture}.${field}`, message: `the file has no ${architecture}.${field}` }
  }
  const experts = number('expert_count') ?? 0
  const first = experts > 0 ? (number('leading_dense_block_count') ?? 0) : layers
  const inner = number('feed_forward_length') ?? 0
  const width = number('expert_feed_forward_length') ?? inner
  const bits = tensors.parameters > 0 ? (8 * tensors.bytes) / tensors.parameters : weightFormats.bf16.otherBits
  return {
    id,
    layers,
    hidden,
    vocabulary,
    contextWindow: number('context_length') ?? 0,
    tied: tensors.tied,
    attention: attentionOf(number, layers, hidden, heads),
    feedForward: {
      dense: { layers: first, inner: first > 0 ? inner : 0 },
      mixture:
        experts === 0
          ? null
          : {
              layers: layers - first,
              experts,
              active: number('expert_used_count') ?? 0,
              inner: width,
              sharedInner: number('expert_shared_feed_forward_length') ?? (number('expert_shared_count') ?? 0) * width,
            },
    },
    published: { name: 'gguf', routedBits: bits, otherBits: bits },
    source: `${id} GGUF header`,
  }
}

function attentionOf(
  number: (key: string) => number | undefined,
  layers: number,
  hidden: number,
  heads: number,
): Attention {
  const headWidth = number('attention.key_length') ?? hidden / heads
  const kvRank = number('attention.kv_lora_rank')
  if (kvRank !== undefined) {
    const ropeWidth = number('rope.dimension_count') ?? 0
    return {
      kind: 'latent',
      heads,
      queryRank: number('attention.q_lora_rank') ?? 0,
      kvRank,
      ropeWidth,
      plainWidth: (number('attention.key_length_mla') ?? headWidth) - ropeWidth,
      valueWidth: number('attention.value_length_mla') ?? number('attention.value_length') ?? headWidth,
    }
  }
  return {
    kind: 'grouped',
    heads,
    kvHeads: number('attention.head_count_kv') ?? heads,
    headWidth,
    // Which layers have a window is fixed per architecture in llama.cpp, not in the file: all are counted as full.
    fullLayers: layers,
    windowLayers: 0,
    window: 0,
  }
}

/** Counts are u32 or u64; some writers give one number per layer, of which the largest bounds the memory. */
function whole(value: unknown): number | undefined {
  if (Array.isArray(value)) {
    const numbers = value.map(whole).filter((one) => one !== undefined)
    return numbers.length > 0 ? Math.max(...numbers) : undefined
  }
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

const listLength = (value: unknown): number | undefined => (Array.isArray(value) ? value.length : undefined)
