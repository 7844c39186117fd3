import type { Dtype } from '../../plant/chips/card.ts'
import type { ModelCard, WeightFormat } from '../../plant/models/card.ts'

/** Replicas that shall run, of one model for one tenant. */
export interface Wanted {
  readonly deployment: string
  readonly tenant: string
  readonly model: string
  /** Known shape of the model; without it speeds must be stated. */
  readonly card: ModelCard | null
  readonly weights: WeightFormat | null
  readonly kv: Dtype
  readonly replicas: number
  /** All of them or none. */
  readonly gang: boolean
  /** No two on one node, or in one rack. */
  readonly spread: 'none' | 'node' | 'rack'
  /** What one replica earns in an hour: decides who goes first, and who must go when there is no room. */
  readonly usd_hour: number
  readonly preemptible: boolean
  readonly slo: Slo
  /** What it may run on; the cheapest per token that meets the objective is taken. */
  readonly shapes: readonly Shape[]
}

/** Objective and the requests it is for. */
export interface Slo {
  readonly ttft_ms: number
  readonly itl_ms: number
  readonly prompt_tokens: number
  readonly output_tokens: number
}

/** One thing a replica may run on. `tokens_s` is measured output per second within the objective; without it, it is estimated. */
export type Shape = ShapeOn & {
  readonly cpu_milli: number
  readonly memory_mib: number
  readonly tokens_s: number | null
}

/** Layers are shared by `gpus` chips (tensor parallel) and split into `stages` of so many (pipeline). */
export type ShapeOn =
  | { readonly on: 'gpu'; readonly chip: string; readonly gpus: number; readonly stages: number }
  | { readonly on: 'slice'; readonly chip: string; readonly profile: string }
  | { readonly on: 'share'; readonly chip: string; readonly milli: number }
  | { readonly on: 'cpu' }
  | { readonly on: 'hosted'; readonly engine: string; readonly usdPerMillion: number }

/** `h200 × 2`, `3g.71gb of h200`, `0.5 of l40s`: as people say it. */
export function shapeName(shape: ShapeOn): string {
  switch (shape.on) {
    case 'gpu':
      return `${shape.chip} × ${shape.gpus}${shape.stages > 1 ? `, ${shape.stages} stages` : ''}`
    case 'slice':
      return `${shape.profile} of ${shape.chip}`
    case 'share':
      return `${shape.milli / 1000} of ${shape.chip}`
    case 'cpu':
      return 'CPU'
    case 'hosted':
      return `hosted by ${shape.engine}`
  }
}
