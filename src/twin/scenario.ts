import type { SloClass } from '../books/slo-class.ts'
import type { Bounds } from '../lines/inference/snapshot.ts'
import type { FittedEnergy, FittedTime } from '../plant/models/step-cost.ts'
import type { Price } from '../units/amount.ts'
import { FieldError } from '../units/field.ts'
import type { LoopConfig } from './engine/engine.ts'
import type { PagedConfig } from './engine/paged.ts'
import type { SlotConfig } from './engine/slots.ts'
import type { StreamShape } from './stream-shapes.ts'
import type { ArrivalShape, LengthShape } from './workload/arrivals.ts'
import type { Columns } from './workload/table.ts'

/** A question to the twin: a factory, what is asked of it, and what goes wrong. */
export interface Scenario {
  readonly name: string
  readonly seed: number
  readonly start_ms: number
  readonly gateways: number
  /** How often gateways tell each other what they have under way and what they sent; 0: never. */
  readonly tell_ms: number
  /** Which gateway takes a request: each in its turn, or one by chance, as a balancer of connections has it. */
  readonly taken: 'turns' | 'chance'
  readonly pools: readonly Pool[]
  readonly clients: readonly Client[]
  readonly workload: Workload
  readonly bounds: Bounds
  /** Name of the rule of routing. */
  readonly routing: string
  /** From admission to the last byte, at most. */
  readonly deadline_s: number
  /** One group commit of a gateway's journal. */
  readonly commit_ms: number
  /** Until gateways know that a replica is up or down. */
  readonly probe_s: number
  readonly objectives: { readonly ttft_ms: number; readonly tpot_ms: number }
  readonly energy: { readonly meter_s: number; readonly pue: number; readonly usdPerKwh: number }
  /** Undefined: power is not limited. */
  readonly power: PowerPlan | undefined
  readonly faults: readonly Fault[]
}

/** A limit of what all replicas draw together, and how the one that holds it sees and acts. */
export interface PowerPlan {
  readonly limit_w: number
  /** Drawn beside the replicas by what cannot be turned down. */
  readonly other_w: number
  readonly events: readonly {
    readonly at_s: number
    readonly for_s: number
    readonly limit_w: number
    /** So long before it begins it is known. */
    readonly notice_s: number
  }[]
  /** A reading is so old when it is seen, and off by so much of itself (a standard deviation). */
  readonly meter: { readonly lag_s: number; readonly noise: number }
  /** From a decision until gateways obey it, and until devices do. */
  readonly publish_s: number
  readonly confirm_s: number
}

/** Replicas that are alike. */
export interface Pool {
  readonly name: string
  readonly replicas: number
  /** The model's public name, and its card's. */
  readonly model: string
  /** Requests that a gateway sends to one replica at a time. */
  readonly concurrency: number
  /** What an hour of one replica costs, without energy. */
  readonly usdPerHour: number
  readonly price: { readonly input: Price; readonly cached: Price; readonly output: Price }
  readonly engine: EngineShape
  /** How its engines end their streams; `own`: as the embedded engine, which counts for itself. */
  readonly speech: 'own' | StreamShape
  readonly loop: LoopConfig
  /** What the device of a replica can be held to; undefined: it cannot be. */
  readonly device: { readonly least_w: number; readonly most_w: number } | undefined
  readonly ranks: number
  readonly cost: CostShape
}

export type EngineShape =
  | { readonly kind: 'vllm'; readonly paged: Omit<PagedConfig, 'blocks'>; readonly blocks: number | undefined }
  | ({ readonly kind: 'llama.cpp' } & SlotConfig)

/** Where the time and energy of a step come from: the rung of the ladder that an answer stands on. */
export type CostShape =
  | {
      readonly rung: 'data sheet'
      readonly chip: string
      readonly chips: number
      readonly weights: string
      readonly kv: 'bf16' | 'fp8'
    }
  | { readonly rung: 'fitted'; readonly time: FittedTime; readonly energy: FittedEnergy }

export interface Client {
  readonly tenant: string
  readonly application: string
  readonly slo: SloClass
  /** Whose tokens it asks for: the model of some pool. */
  readonly model: string
  /** Of all requests, in proportion to the other clients' shares. */
  readonly share: number
  /** So many of its requests are left before they are answered, after so many tokens or so long (uniform up to it). */
  readonly leaves: { readonly share: number; readonly tokens: number | undefined; readonly seconds: number | undefined }
  /** The limit it sends: none, the length that the answer has, or a number. */
  readonly maxTokens: 'none' | 'answer' | number
}

export type Workload =
  | {
      readonly kind: 'trace'
      readonly file: string
      readonly format: 'mooncake' | 'azure' | 'csv' | 'json'
      readonly columns: Columns
      /** How much faster than it was recorded. */
      readonly speed: number
      readonly requests: number
    }
  | {
      readonly kind: 'synthetic'
      readonly arrivals: ArrivalShape
      readonly requests: number
      readonly seconds: number
      readonly prompt: LengthShape
      readonly answer: LengthShape
      /** So many prompts begin with one of a few beginnings. */
      readonly beginnings: { readonly share: number; readonly kinds: number; readonly tokens: number }
    }

export type Fault =
  /** The meter of a replica says nothing; its device does not take its limit. */
  | { readonly kind: 'silent' | 'deaf'; readonly replica: string; readonly at_s: number; readonly for_s: number }
  /** Nobody decides. Gateways and devices keep what they were told. */
  | { readonly kind: 'operator'; readonly at_s: number; readonly for_s: number }
  | { readonly kind: 'crash'; readonly replica: string; readonly at_s: number; readonly for_s: number }
  | {
      readonly kind: 'slow'
      readonly replica: string
      readonly at_s: number
      readonly for_s: number
      readonly factor: number
    }

/** A scenario whose parts do not fit each other. */
export class ScenarioError extends FieldError {
  override readonly name = 'ScenarioError'
}
