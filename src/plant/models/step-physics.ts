import { power } from '../../units/arithmetic.ts'
import type { Bytes } from '../../units/quantity.ts'
import { bytes, tokens } from '../../units/quantity.ts'
import type { ChipCard, Dtype } from '../chips/card.ts'
import { bytesOf, powerRange } from '../chips/card.ts'
import { type Efficiency, efficiencyOf } from '../chips/efficiency.ts'
import type { StepWork } from '../energy/step-energy.ts'
import type { ModelCard, WeightFormat } from './card.ts'
import { kvBytesPerChip, weightBytes } from './memory.ts'
import { parameters } from './parameters.ts'
import type { StepCost } from './step-cost.ts'

/** One replica: a model on so many chips that each hold a part of every layer (tensor parallel). */
export interface Deployment {
  readonly model: ModelCard
  readonly chip: ChipCard
  readonly chips: number
  readonly weights: WeightFormat
  readonly kv: Dtype
}

/** Facts without which nothing can be predicted; empty: all are known. */
export function missingFacts({ chip }: Deployment): string[] {
  const facts = { 'peak FLOP/s in bf16': chip.peak.bf16, 'memory bandwidth': chip.bandwidth, memory: chip.memory }
  const missing = Object.entries(facts).flatMap(([name, value]) => (value === null ? [name] : []))
  return powerRange(chip) ? missing : [...missing, 'power']
}

/**
 * What a step takes by the data sheets of chip and model, with the efficiency of real kernels, one part after the other:
 *
 *     products   weights read / (e_w BW) + 2 P_active N / (e_f F)          N tokens; experts read: 1 − (1 − k/E)^N of them
 *     attention  max(context KV / (e_kv BW), its FLOPs / (e_a F)) + 4 L n_q d_h pairs / (e_a F)
 *     chips      2 L all-reduces of N h 2 bytes, each latency + 2 (g−1)/g n / bw
 *     host       32 µs a layer, 126 µs a step, 4 µs a sequence            (BLIS's learned constants: a claim of theirs)
 *
 * Reading and computing are added, not overlapped: the larger of the two alone is 30 to 50 % below what vLLM takes for a few
 * hundred tokens, the sum within 20 %. The first rung of a ladder: fitted coefficients of the engine itself are better wherever there are any.
 */
export function stepPhysics(deployment: Deployment): StepCost {
  const { chips } = deployment
  const { bandwidth, peak, efficiency, powers } = known(deployment)
  const per = perToken(deployment)
  const layers = deployment.model.layers
  const contextTime_s = Math.max(
    per.contextBytes / (efficiency.keysValues * bandwidth),
    per.contextFlops / (chips * efficiency.attention * peak),
  )
  const busy = { memory: 1 / bandwidth, arithmetic: 1 / peak, watts: chips * (powers.full - powers.idle) }
  const work = (read: number, flops: number): number =>
    busy.watts *
    (shareOfPower.memory * read * busy.memory + shareOfPower.arithmetic * (flops / chips) * busy.arithmetic)
  const products = (tokens: number, sampled: number): { read: number; flops: number } => ({
    read: weightsRead(deployment, tokens) / chips,
    flops: tokens * per.linearFlops + sampled * per.headFlops,
  })
  const compute = computeFormat(deployment)
  const reach = chips * compute.share * compute.peak
  return {
    time_ns: (prefill, pairs, decodes) => {
      const tokens = prefill + decodes
      const { read, flops } = products(tokens, decodes + (prefill > 0 ? 1 : 0))
      const product_s = read / (efficiency.weights * bandwidth) + flops / reach
      const attention_s =
        (decodes * per.windowBytes) / (efficiency.keysValues * bandwidth) +
        (pairs * per.pairFlops) / (chips * efficiency.attention * peak)
      const host_s = layers * 32e-6 + 126e-6 + decodes * 4e-6
      return 1e9 * (product_s + attention_s + reduce_s(deployment, efficiency, tokens) + host_s)
    },
    timePerContext_ns: 1e9 * contextTime_s,
    work_j: (prefill, pairs, decodes) => {
      const { read, flops } = products(prefill + decodes, decodes + (prefill > 0 ? 1 : 0))
      return work(read + decodes * per.windowBytes, flops + pairs * per.pairFlops)
    },
    workPerContext_j: work(per.contextBytes, per.contextFlops),
    coefficients: {
      step: work(weightsRead(deployment, 1) / chips, 0),
      prefill: work(0, per.linearFlops),
      prefill_context: work(0, per.pairFlops),
      decode: work(per.windowBytes, per.linearFlops + per.headFlops),
      kv_read: work(per.contextBytes, per.contextFlops),
    },
    idle_w: chips * powers.idle,
    full_w: chips * powers.full,
  }
}

/**
 * Power above idle as a share of full − idle: 0.85 × use of memory bandwidth + 2.2 × use of arithmetic, no more than 1.
 *
 * Chosen to lie within 0.15 of TDP of what serving was measured to draw (ML.ENERGY benchmark: Llama-3.1 8B and 70B on H100
 * at batch 8, 64 and 256). Pure decode has been seen to draw much less than that on H200 (arXiv 2605.11999): an estimate.
 */
const shareOfPower = { memory: 0.85, arithmetic: 2.2 } as const

/** Left for activations, graphs and libraries on each chip: what an RTX 4090 with Llama-3.1-8B lacks against the plain sum. */
const reserve = bytes(1.25e9)

/** Tokens of KV cache that a replica has room for, with the share of memory that vLLM takes by default; 0: weights do not fit. */
export function kvRoom(deployment: Deployment, share = 0.9): number {
  const { model, chip, chips, weights, kv } = deployment
  const left = share * (chip.memory ?? 0) - weightBytes(model, weights) / chips - reserve
  const perToken = kvBytesPerChip(model, tokens(1), chips, kv)
  return Math.max(0, Math.floor(left / perToken))
}

function known(deployment: Deployment) {
  const { chip } = deployment
  const powers = powerRange(chip)
  if (chip.bandwidth === null || chip.peak.bf16 === null || !powers)
    throw new Error(`broken law: ${chip.id} lacks ${missingFacts(deployment).join(', ')}`)
  return { bandwidth: chip.bandwidth, peak: chip.peak.bf16, efficiency: efficiencyOf(chip.id).of, powers }
}

/** What matrix products are computed in: fp8 where weights and chip have it. */
function computeFormat({ chip, weights }: Deployment): { readonly peak: number; readonly share: number } {
  const { gemm } = efficiencyOf(chip.id).of
  const eight = weights.otherBits <= 8 && chip.peak.fp8 !== null && gemm.fp8 !== null
  return eight ? { peak: chip.peak.fp8 ?? 0, share: gemm.fp8 ?? 0 } : { peak: chip.peak.bf16 ?? 0, share: gemm.bf16 }
}

/** Bytes of weights that a step of so many tokens reads: of the experts, those that some token is sent to. */
function weightsRead({ model, weights }: Deployment, tokens: number): Bytes {
  const { embedding, head, attention, dense, routed } = parameters(model)
  const always = attention + dense + (model.tied ? embedding : head)
  const { mixture } = model.feedForward
  const covered = mixture ? 1 - power(1 - mixture.active / mixture.experts, tokens) : 0
  return bytes((always * weights.otherBits + routed * covered * weights.routedBits) / 8)
}

/** FLOPs of all chips, and bytes that each chip reads, for one token. */
function perToken({ model, chips, kv }: Deployment) {
  const { embedding, head, attention: projections, dense, routed } = parameters(model)
  const { attention, feedForward, layers } = model
  const active =
    projections +
    dense +
    (feedForward.mixture ? (routed * feedForward.mixture.active) / feedForward.mixture.experts : 0)
  const common = { linearFlops: 2 * active, headFlops: 2 * (model.tied ? embedding : head) }
  if (attention.kind === 'latent') {
    const { heads, kvRank, ropeWidth, plainWidth, valueWidth } = attention
    return {
      ...common,
      // The cache is whole on every chip; attention looks at the compressed vectors themselves.
      contextBytes: layers * (kvRank + ropeWidth) * bytesOf[kv],
      contextFlops: 2 * layers * heads * (2 * kvRank + ropeWidth),
      pairFlops: 2 * layers * heads * (plainWidth + ropeWidth + valueWidth),
      windowBytes: 0,
    }
  }
  const { heads, kvHeads, headWidth, fullLayers, windowLayers, window } = attention
  const perLayer = (2 * kvHeads * headWidth * bytesOf[kv]) / Math.min(chips, kvHeads)
  return {
    ...common,
    contextBytes: fullLayers * perLayer,
    contextFlops: 4 * fullLayers * heads * headWidth,
    pairFlops: 4 * fullLayers * heads * headWidth,
    windowBytes: windowLayers * window * perLayer,
  }
}

/**
 * What work took of the chips, by the shape of the model: a floor, for neither activations nor a prompt's reading of its own cache are in
 * it. FLOPs are of all chips, bytes those that each chip reads.
 *
 *     FLOPs = (prefill + decode) × 2 P_active + decode × 2 P_head + 4 L n_q d_h × (pairs of the prompt + keys read)
 *     bytes = steps × weights ÷ chips + keys read × KV bytes                      (experts: those that a mean step's tokens touch)
 */
export function taken(deployment: Deployment, work: StepWork): { readonly flops: number; readonly bytes: number } {
  const per = perToken(deployment)
  const [steps, tokens] = [work.step_e9 / 1e9, work.prefill + work.decode]
  const read =
    steps > 0 ? (steps * weightsRead(deployment, Math.max(1, Math.round(tokens / steps)))) / deployment.chips : 0
  return {
    flops:
      tokens * per.linearFlops +
      work.decode * per.headFlops +
      work.prefill_context * per.pairFlops +
      work.kv_read * per.contextFlops,
    bytes: read + work.kv_read * per.contextBytes + work.decode * per.windowBytes,
  }
}

/** In which format the chip multiplies the weights, and how fast at most. */
export function peakOf(
  deployment: Deployment,
): { readonly format: Dtype; readonly flopsPerSecond: number } | undefined {
  const { chip, weights } = deployment
  const format: Dtype = weights.otherBits <= 8 && chip.peak.fp8 !== null ? 'fp8' : 'bf16'
  const peak = chip.peak[format]
  return peak === null ? undefined : { format, flopsPerSecond: peak }
}

function reduce_s({ model, chips }: Deployment, { allReduce }: Efficiency, tokens: number): number {
  if (chips === 1 || !allReduce) return 0
  const moved = (2 * (chips - 1) * tokens * model.hidden * 2) / chips
  return 2 * model.layers * (allReduce.latency_s + moved / allReduce.bytesPerSecond)
}
