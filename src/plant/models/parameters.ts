import type { Attention, ModelCard } from './card.ts'

/** Where a model's parameters sit. Biases and norms of single heads are left out: below 0.1 %. */
export interface Parameters {
  readonly embedding: number
  /** The output head; 0 when it is the embedding. */
  readonly head: number
  readonly attention: number
  /** Dense MLPs, shared experts and routers: every token passes them. */
  readonly dense: number
  /** All routed experts. */
  readonly routed: number
  readonly total: number
  /** What one token passes, embedding and head included, as "A3B" in a model's name counts it. */
  readonly active: number
}

/** Counted from the shape: a gated MLP has 3·h·inner weights, a router h per expert. */
export function parameters(card: ModelCard): Parameters {
  const { hidden, layers, vocabulary, feedForward } = card
  const embedding = vocabulary * hidden
  const head = card.tied ? 0 : embedding
  const attention = layers * (attentionWeights(card.attention, hidden) + 2 * hidden)
  const { dense, mixture } = feedForward
  const everyToken =
    dense.layers * 3 * hidden * dense.inner +
    (mixture ? mixture.layers * hidden * (3 * mixture.sharedInner + mixture.experts) : 0)
  const routed = mixture ? mixture.layers * mixture.experts * 3 * hidden * mixture.inner : 0
  const rest = embedding + head + attention + everyToken + hidden
  return {
    embedding,
    head,
    attention,
    dense: everyToken,
    routed,
    total: rest + routed,
    active: rest + (mixture ? (routed * mixture.active) / mixture.experts : 0),
  }
}

/** Projections of one layer. */
function attentionWeights(of: Attention, hidden: number): number {
  if (of.kind === 'grouped') return 2 * hidden * of.headWidth * (of.heads + of.kvHeads)
  const queryWidth = of.heads * (of.plainWidth + of.ropeWidth)
  const query = of.queryRank > 0 ? of.queryRank * (hidden + queryWidth) : hidden * queryWidth
  const keyValue = hidden * (of.kvRank + of.ropeWidth) + of.kvRank * of.heads * (of.plainWidth + of.valueWidth)
  return query + keyValue + of.heads * of.valueWidth * hidden
}
