import type { EngineFault } from '../../../lines/inference/flow.ts'
import type { EngineKind } from '../../prometheus/engine-names.ts'
import type { CheckId, Saw } from '../survey/finding.ts'

/** One engine or hosted API: where it is, how it wants to be asked, and where it differs. */
export interface Preset {
  readonly id: string
  /** Another name that people know it by. */
  readonly aka?: string
  readonly title: string
  /** Whose language it speaks. */
  readonly api: 'openai' | 'anthropic'
  /** Somebody else's machines: no page of metrics, no meter; a price list instead. */
  readonly hosted: boolean
  /** Base of its API; null: everybody has an address of his own, of this form. */
  readonly url: string | null
  readonly urlForm?: string
  readonly key: KeyRule
  /** In whose words its page of metrics speaks; null: it has none. */
  readonly metrics: EngineKind | null
  /** What `GET /models` lists; `catalogue`: also what may not be asked for, while what may is called by other names. */
  readonly lists: 'models' | 'catalogue'
  readonly request: RequestQuirks
  /** Absent: it is told what the client said, word for word. */
  readonly reasoning?: ReasoningRule
  readonly usage: UsageQuirks
  /** HTTP statuses of its own making. */
  readonly statuses: Readonly<Record<number, EngineFault>>
  /** What it is said to do, where a source says so; `wattmill engines probe` compares it with what it does. */
  readonly does: { readonly [Check in CheckId]?: Saw }
  /** What whoever runs it should know. */
  readonly notes: readonly string[]
  readonly sources: readonly string[]
}

export interface KeyRule {
  readonly header: 'authorization' | 'api-key'
  readonly needed: boolean
  /** Where its own SDK looks for it. */
  readonly env: string | null
}

/** How a chat request is changed on its way; what a client meant stays what it meant. */
export interface RequestQuirks {
  /** Fields under the only name that it obeys. */
  readonly rename: Readonly<Record<string, string>>
  /** Fields that it refuses even where they ask for nothing: then they are left out. Other values go to it, and it says no. */
  readonly refuses: readonly string[]
}

/** It leaves reasoning to the model's chat template, which takes the variables it knows and skips the others. */
export interface ReasoningRule {
  /** Where a budget in tokens stands; null: it has none, and is told an effort instead. */
  readonly budget: string | null
}

/** Where in an answer its usage stands, as far as that is not where OpenAI puts it. Paths have dots between their names. */
export interface UsageQuirks {
  readonly at?: string
  /** Cached prompt tokens, below the usage. */
  readonly cached?: string
  /** Whether `prompt_tokens` counts the cached ones. */
  readonly includesCached: boolean
  /** Reasoning tokens, below the usage. */
  readonly reasoning?: string
}

/** OpenAI's own habits: what a preset does not say otherwise. */
export const plain = {
  api: 'openai',
  metrics: null,
  lists: 'models',
  request: { rename: {}, refuses: [] },
  usage: { includesCached: true },
  statuses: {},
  notes: [],
} as const satisfies Partial<Preset>

/** OpenAI took `max_tokens` back for this; most engines know both, some only the one or the other. */
export const newLimit = { max_tokens: 'max_completion_tokens' } as const
export const oldLimit = { max_completion_tokens: 'max_tokens' } as const
