/**
 * A model as it costs: the shape from which parameters, FLOPs, weights and KV cache follow. No weights are needed to know it.
 */
export interface ModelCard {
  /** `organisation/name` where it is published. */
  readonly id: string
  readonly layers: number
  readonly hidden: number
  readonly vocabulary: number
  readonly contextWindow: number
  /** The input embedding is the output head too. */
  readonly tied: boolean
  readonly attention: Attention
  readonly feedForward: FeedForward
  /** How the published weights are stored. */
  readonly published: WeightFormat
  readonly source: string
}

/**
 * *Grouped*: MHA, GQA or MQA by the number of KV heads. Layers with a window keep only the last `window` tokens; layers that
 * neither attend fully nor through a window (linear attention) keep a state of constant size and cache nothing.
 * *Latent* (MLA): one compressed vector per token and layer, shared by all heads, hence not divided by tensor parallelism.
 */
export type Attention =
  | {
      readonly kind: 'grouped'
      readonly heads: number
      readonly kvHeads: number
      readonly headWidth: number
      readonly fullLayers: number
      readonly windowLayers: number
      readonly window: number
    }
  | {
      readonly kind: 'latent'
      readonly heads: number
      /** 0: queries are not compressed. */
      readonly queryRank: number
      readonly kvRank: number
      readonly ropeWidth: number
      readonly plainWidth: number
      readonly valueWidth: number
    }

/** Gated MLPs; in mixture-of-experts layers `active` of `experts` see a token, and the shared ones see all. */
export interface FeedForward {
  readonly dense: { readonly layers: number; readonly inner: number }
  readonly mixture: Mixture | null
}

export interface Mixture {
  readonly layers: number
  readonly experts: number
  readonly active: number
  readonly inner: number
  /** Width of the shared expert; 0 when there is none. */
  readonly sharedInner: number
}

/** Bits per weight, scales included: routed experts are often quantised further than the rest. */
export interface WeightFormat {
  readonly name: string
  readonly routedBits: number
  readonly otherBits: number
}

export const weightFormats = {
  bf16: { name: 'bf16', routedBits: 16, otherBits: 16 },
  fp8: { name: 'fp8', routedBits: 8, otherBits: 8 },
  /** 4-bit values with an 8-bit scale for each 32: OCP Microscaling formats, revision 1.0. */
  mxfp4: { name: 'mxfp4', routedBits: 4.25, otherBits: 16 },
  /** 4-bit values with a 16-bit scale for each 32, routed experts only. */
  int4: { name: 'int4', routedBits: 4.5, otherBits: 16 },
} as const satisfies Readonly<Record<string, WeightFormat>>
