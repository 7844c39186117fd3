import type { ChipCard } from '../../plant/chips/card.ts'
import { findAccelerator } from '../../plant/chips/catalogue.ts'
import { sliceCard } from '../../plant/chips/mig/slice-card.ts'
import { findMig } from '../../plant/chips/mig/tables.ts'
import { type Deployment, kvRoom, missingFacts, stepPhysics } from '../../plant/models/step-physics.ts'
import { bytes, bytesPerSecond, flopsPerSecond } from '../../units/quantity.ts'
import type { Shape, Wanted } from './workload.ts'

/** Output tokens per second that a replica makes while it meets its objective, and how that is known. */
export type Rate =
  | {
      readonly known: true
      readonly tokens_s: number
      readonly from: 'stated' | 'estimated'
      readonly batch: number | null
    }
  | { readonly known: false; readonly why: string }

/**
 * The largest batch that meets the objective, in tokens per second. Stated rates are taken as they are; others come from
 * data sheets (`stepPhysics`): the lowest rung, good to 20 or 50 %, enough to order shapes that differ by more.
 *
 * In steady state each step carries, for a batch of b, b · prompt / output tokens of prefill.
 */
export function sloRate(wanted: Wanted, shape: Shape): Rate {
  if (shape.tokens_s !== null) return { known: true, tokens_s: shape.tokens_s, from: 'stated', batch: null }
  if (shape.on === 'cpu' || shape.on === 'hosted') return { known: false, why: 'its speed must be stated (tokens_s)' }
  if (!wanted.card) return { known: false, why: `there is no card of the model ${wanted.model}: state tokens_s` }
  const chip = chipOf(shape)
  if (!chip) return { known: false, why: `there is no chip ${shape.chip} in the catalogue: state tokens_s` }
  if (shape.on === 'gpu' && shape.stages > 1)
    return { known: false, why: 'the speed of pipeline stages must be stated (tokens_s)' }
  const deployment: Deployment = {
    model: wanted.card,
    chip,
    chips: shape.on === 'gpu' ? shape.gpus : 1,
    weights: wanted.weights ?? wanted.card.published,
    kv: wanted.kv,
  }
  const missing = missingFacts(deployment)
  if (missing.length > 0) return { known: false, why: `${chip.name} lacks ${missing.join(', ')}: state tokens_s` }
  return estimate(deployment, wanted)
}

function estimate(deployment: Deployment, { slo, model }: Wanted): Rate {
  const context = slo.prompt_tokens + slo.output_tokens
  const room = kvRoom(deployment)
  const most = Math.min(1024, Math.floor(room / context))
  if (room === 0) return { known: false, why: `the weights of ${model} do not fit` }
  if (most < 1) return { known: false, why: `its KV cache holds ${room} tokens, one request needs ${context}` }
  const cost = stepPhysics(deployment)
  const prompt = slo.prompt_tokens
  const first_ms = cost.time_ns(prompt, (prompt * prompt) / 2, 0) / 1e6
  if (first_ms > slo.ttft_ms)
    return { known: false, why: `prefill alone takes ${first_ms.toFixed(0)} ms, the objective is ${slo.ttft_ms} ms` }
  const step_ms = (batch: number): number => {
    const prefill = (batch * prompt) / Math.max(1, slo.output_tokens)
    const seen = batch * (prompt + slo.output_tokens / 2)
    return (cost.time_ns(prefill, (prefill * prompt) / 2, batch) + cost.timePerContext_ns * seen) / 1e6
  }
  const alone_ms = step_ms(1)
  if (alone_ms > slo.itl_ms)
    return {
      known: false,
      why: `a step takes ${alone_ms.toFixed(1)} ms already for one request, the objective is ${slo.itl_ms} ms`,
    }
  let [fits, fails] = [1, most + 1]
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2)
    if (step_ms(middle) <= slo.itl_ms) fits = middle
    else fails = middle
  }
  return { known: true, tokens_s: (1000 * fits) / step_ms(fits), from: 'estimated', batch: fits }
}

/** The chip that a shape sees: a slice by SMs and slots, a share by its part of everything. */
function chipOf(shape: Extract<Shape, { chip: string }>): ChipCard | undefined {
  const chip = findAccelerator(shape.chip)
  if (!chip || shape.on === 'gpu') return chip
  if (shape.on === 'share') return part(chip, shape.milli / 1000)
  const geometry = findMig(shape.chip)
  const profile = geometry?.profiles.find((one) => one.name === shape.profile)
  return geometry && profile && { ...sliceCard(chip, geometry, profile), id: chip.id }
}

function part(chip: ChipCard, share: number): ChipCard {
  const peak = Object.fromEntries(
    Object.entries(chip.peak).map(([dtype, value]) => [dtype, value === null ? null : flopsPerSecond(value * share)]),
  ) as ChipCard['peak']
  return {
    ...chip,
    peak,
    memory: chip.memory === null ? null : bytes(chip.memory * share),
    bandwidth: chip.bandwidth === null ? null : bytesPerSecond(chip.bandwidth * share),
  }
}
