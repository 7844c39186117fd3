import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelCard } from './card.ts'
import { findModel } from './cards.ts'
import { fromGguf } from './from-gguf.ts'
import { fromHuggingFace } from './from-huggingface.ts'

const llama = {
  num_hidden_layers: 32,
  hidden_size: 4096,
  vocab_size: 128_256,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14_336,
  max_position_embeddings: 131_072,
  tie_word_embeddings: false,
}

const shape = (card: unknown): unknown => ({ ...(card as ModelCard), id: '', source: '' })

test('a published configuration gives the card that we hold', () => {
  assert.deepEqual(shape(fromHuggingFace('x', llama)), shape(findModel('meta-llama/Llama-3.1-8B')))
  const r1 = {
    num_hidden_layers: 61,
    hidden_size: 7168,
    vocab_size: 129_280,
    num_attention_heads: 128,
    num_key_value_heads: 128,
    q_lora_rank: 1536,
    kv_lora_rank: 512,
    qk_rope_head_dim: 64,
    qk_nope_head_dim: 128,
    v_head_dim: 128,
    intermediate_size: 18_432,
    moe_intermediate_size: 2048,
    n_routed_experts: 256,
    n_shared_experts: 1,
    num_experts_per_tok: 8,
    first_k_dense_replace: 3,
    max_position_embeddings: 163_840,
    quantization_config: { quant_method: 'fp8', fmt: 'e4m3' },
  }
  assert.deepEqual(shape(fromHuggingFace('x', r1)), shape(findModel('deepseek-ai/DeepSeek-R1')))
  const gpt = {
    num_hidden_layers: 36,
    hidden_size: 2880,
    vocab_size: 201_088,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    head_dim: 64,
    intermediate_size: 2880,
    num_local_experts: 128,
    num_experts_per_tok: 4,
    sliding_window: 128,
    layer_types: Array.from({ length: 36 }, (_, layer) => (layer % 2 ? 'full_attention' : 'sliding_attention')),
    max_position_embeddings: 131_072,
    quantization_config: { quant_method: 'mxfp4' },
  }
  assert.deepEqual(shape(fromHuggingFace('x', { text_config: gpt })), shape(findModel('openai/gpt-oss-120b')))
})

test('what a configuration lacks is named', () => {
  for (const field of ['num_hidden_layers', 'hidden_size', 'vocab_size', 'num_attention_heads', 'intermediate_size']) {
    const found = fromHuggingFace('x', { ...llama, [field]: undefined })
    assert.equal('field' in found && found.field, field)
  }
  const experts = fromHuggingFace('x', { ...llama, num_experts: 8 })
  assert.equal('field' in experts && experts.field, 'num_experts_per_tok')
  for (const bad of [null, 7, 'x', []]) assert('message' in fromHuggingFace('x', bad))
})

test('a GGUF header gives the same shape, and its own bits per weight', () => {
  const metadata = new Map<string, unknown>([
    ['general.architecture', 'llama'],
    ['llama.block_count', 32],
    ['llama.embedding_length', 4096n],
    ['llama.attention.head_count', 32],
    ['llama.attention.head_count_kv', [8, 8]],
    ['llama.feed_forward_length', 14_336],
    ['llama.context_length', 131_072],
    ['llama.vocab_size', 128_256],
  ])
  const card = fromGguf('x', metadata, { bytes: 4.5e9, parameters: 8e9, tied: false })
  assert('published' in card)
  assert.deepEqual(card.published, { name: 'gguf', routedBits: 4.5, otherBits: 4.5 })
  const held = findModel('meta-llama/Llama-3.1-8B') as ModelCard
  assert.deepEqual(shape({ ...card, published: held.published }), shape(held))

  const less = new Map(metadata)
  less.delete('llama.embedding_length')
  const found = fromGguf('x', less, { bytes: 1, parameters: 1, tied: false })
  assert.equal('field' in found && found.field, 'llama.embedding_length')
  assert('field' in fromGguf('x', new Map(), { bytes: 1, parameters: 1, tied: false }))
})
