import { type Bytes, bytes, type Tokens } from '../../units/quantity.ts'
import { bytesOf, type Dtype } from '../chips/card.ts'
import type { ModelCard, WeightFormat } from './card.ts'
import { parameters } from './parameters.ts'

/** Weights in a format; by default as they were published. */
export function weightBytes(card: ModelCard, format: WeightFormat = card.published): Bytes {
  const { routed, total } = parameters(card)
  return bytes((routed * format.routedBits + (total - routed) * format.otherBits) / 8)
}

/**
 * KV cache that each further token takes while windows are not yet full.
 *
 * Grouped: 2 · layers · KV heads · head width · bytes.  Latent: layers · (KV rank + rope width) · bytes.
 */
export function kvBytesPerToken(card: ModelCard, dtype: Dtype = 'bf16'): Bytes {
  const { attention, layers } = card
  if (attention.kind === 'latent') return bytes(layers * (attention.kvRank + attention.ropeWidth) * bytesOf[dtype])
  const perLayer = 2 * attention.kvHeads * attention.headWidth * bytesOf[dtype]
  return bytes((attention.fullLayers + attention.windowLayers) * perLayer)
}

/** KV cache of one sequence with so much context: layers with a window stop growing when it is full. */
export function kvBytes(card: ModelCard, context: Tokens, dtype: Dtype = 'bf16'): Bytes {
  const { attention } = card
  if (attention.kind === 'latent') return bytes(context * kvBytesPerToken(card, dtype))
  const perLayer = 2 * attention.kvHeads * attention.headWidth * bytesOf[dtype]
  const seen = attention.fullLayers * context + attention.windowLayers * Math.min(context, attention.window)
  return bytes(seen * perLayer)
}

/**
 * KV cache of one sequence on each of `ways` chips that share every layer. KV heads are divided until each chip has one; a
 * latent cache has nothing to divide.
 */
export function kvBytesPerChip(card: ModelCard, context: Tokens, ways: number, dtype: Dtype = 'bf16'): Bytes {
  const whole = kvBytes(card, context, dtype)
  return card.attention.kind === 'latent' ? whole : bytes(whole / Math.min(ways, card.attention.kvHeads))
}
