/** What the operator's API answers, as far as the console uses it. */

export type Source = 'measured' | 'estimated' | 'simulated'

export interface Figure {
  readonly value: number | null
  readonly unit: string
  readonly source: Source | null
}

export type Figures = { readonly [name: string]: Figure | undefined }

export interface Named {
  readonly name: string
  readonly figures: Figures
}

export interface Flow {
  readonly replica: string
  readonly model: string
  readonly tenant: string
  readonly application: string
  readonly output_tokens_per_s: number
  readonly input_tokens_per_s: number
}

export interface Floor {
  readonly at_ms: number
  readonly seconds: number
  readonly figures: Figures
  readonly meters: readonly { readonly meter: string; readonly figures: Figures }[]
  readonly engines: readonly Named[]
  readonly models: readonly Named[]
  readonly applications: readonly Named[]
  readonly flows: readonly Flow[]
}

export interface Usage {
  readonly at_ms: number
  readonly rows: readonly Named[]
}

export interface Series {
  readonly at_ms: number
  readonly from_s: number
  readonly step_s: number
  readonly lines: Readonly<Record<string, readonly (number | null)[]>>
}

export interface Gateway {
  readonly incarnation: string
  readonly pid: number
  readonly ready: boolean
  readonly snapshot: number
  readonly running: number
  readonly waiting: number
  readonly journal_depth: number
  readonly journal_up: boolean
  readonly peers: number
  readonly age_ms: number
}

export interface HostModel {
  readonly model: string
  readonly state: string
  readonly error?: string
}

export interface Lag {
  readonly journal_rows: number
  readonly engine_log_bytes: number
  readonly open_requests: number
  readonly unreconciled_attempts: number
  readonly open_intervals: number
  readonly oldest_open_interval_ms: number | null
  readonly failing: string | null
}

/** What waits while the books take nothing in. */
export interface Backlog {
  readonly since_ms: number
  readonly why: string
  readonly journal_rows: number
  readonly held_bytes: number
  readonly most_bytes: number
  readonly state: 'ample' | 'scarce' | 'full'
  readonly next: string
}

/** What the store would say is null while it does not answer. */
export interface Status {
  readonly version: string
  readonly home: string
  readonly url: string | null
  readonly started: string | null
  readonly snapshot: number | null
  readonly gateways: readonly Gateway[]
  readonly engine_host: {
    readonly up: boolean
    readonly running?: number
    readonly waiting?: number
    readonly slots?: number
    readonly models?: readonly HostModel[]
  }
  readonly engines: number | null
  readonly models: readonly string[] | null
  readonly tenants: number | null
  readonly keys: number | null
  readonly requests: number | null
  readonly open_requests: number | null
  readonly quarantined: number | null
  readonly backlog: Backlog | null
  readonly books_lag: Lag | null
}

export interface Engine {
  readonly name: string
  readonly vendor: string
  readonly url: string | null
  readonly key_from: string | null
  readonly chips: string | null
  /** Where it stands. */
  readonly site: string
  readonly cost_per_hour_usd: string | null
  readonly meters: readonly string[]
  readonly metrics_url: string | null
  readonly concurrency: number
  readonly draining: boolean
  readonly up: boolean | null
  readonly running: number
  readonly models: Readonly<Record<string, string>>
  readonly created: string
}

export interface Model {
  readonly model: string
  readonly engines: readonly string[]
  readonly state: string
  readonly memory_mib: number | null
  readonly input_usd_per_million: string | null
  readonly output_usd_per_million: string | null
}

export interface Key {
  readonly id: string
  readonly prefix: string
  readonly tenant: string
  readonly app: string
  readonly models: readonly string[] | null
  readonly slo: string
  readonly rpm: number | null
  readonly tpm: number | null
  readonly state: 'active' | 'revoked' | 'expired'
  readonly expires: string | null
  readonly revoked: string | null
  readonly created: string
}

export interface Application {
  readonly tenant: string
  readonly app: string
  readonly keys: number
  readonly created: string
}

export interface Price {
  readonly version: number
  readonly model: string
  /** Null: every class that has no price of its own. */
  readonly slo: string | null
  /** Null: the public list. */
  readonly tenant: string | null
  /** Null: every site that has no price of its own. */
  readonly site: string | null
  /** What an answer from the cache costs, of the price of the tokens that it spared. */
  readonly hit_percent: number
  readonly in_force: boolean
  readonly from: string
  readonly usd_per_million: Readonly<Record<string, string>>
  readonly note: string
}

/** A request under way. */
export interface FlowLine {
  readonly id: string
  readonly tenant: string
  readonly application: string
  readonly model: string
  readonly engine: string | null
  readonly phase: string
  readonly attempt: number
  readonly tokens: number
  readonly age_ms: number
}

export interface RequestLine {
  readonly id: string
  readonly at_ms: number
  readonly took_ms: number
  readonly queued_ms: number
  readonly ttft_ms: number | null
  readonly itl_ms: number | null
  readonly model: string
  readonly tenant: string
  readonly application: string
  readonly key: string
  readonly engine: string | null
  readonly attempts: number
  /** Answered from the cache: no engine worked. */
  readonly cached: boolean
  readonly stream: boolean
  readonly outcome: string
  readonly tokens: Readonly<Record<string, number | null>>
  readonly tokens_grade: Source
  readonly cost_usd: string
  readonly energy_mj: string | null
  readonly energy_grade: Source | 'unknown'
  readonly energy_final: boolean
}

export interface Attempt {
  readonly number: number
  readonly replica: string
  readonly usage: Readonly<Record<string, { readonly tokens: number; readonly source: string } | null>>
  readonly waste: string | null
  /** What of it came after the budget was used up. */
  readonly unbilled: Readonly<Record<string, unknown>> | null
  readonly charges_usd: Readonly<Record<string, string>>
}

export interface SettledReceipt {
  readonly state: 'settled'
  readonly id: string
  readonly tenant: string
  readonly application: string
  readonly key: string
  readonly model: string
  readonly snapshot: number
  readonly at_ms: number
  readonly closed_ms: number
  readonly queued_ms: number
  readonly ttft_ms: number | null
  readonly stream: boolean
  readonly outcome: string
  /** Where it was answered; null: no engine was asked. */
  readonly site: string | null
  readonly price: { readonly version: number; readonly usd_per_million: Readonly<Record<string, string>> } | null
  /** Answered by another request's answer; null: an engine worked. */
  readonly cached: {
    readonly from: string
    readonly usage: Attempt['usage']
    readonly price: string
    readonly charges_usd: Readonly<Record<string, string>>
  } | null
  readonly attempts: readonly Attempt[]
  readonly refund_usd: string
  readonly cost_usd: string
  readonly energy: {
    readonly energy_mj: string | null
    readonly grade: Source | 'unknown'
    readonly attribution: {
      readonly grade: 'step' | 'window' | 'list'
      readonly how: string
      readonly residual_factor: number | null
    }
    readonly final: boolean
    readonly intervals: readonly {
      readonly meter: string
      readonly from_ms: number
      readonly to_ms: number
      readonly grade: Source
      readonly energy_mj: string
    }[]
  }
}

/** What of a receipt its charges are told from; a tenant is not told of engines. */
export type Charged = Pick<SettledReceipt, 'price' | 'cached' | 'refund_usd' | 'cost_usd'> & {
  readonly attempts: readonly (Omit<Attempt, 'replica'> & { readonly replica?: string })[]
}

export interface OpenReceipt {
  readonly state: 'open'
  readonly id: string
  readonly tenant: string
  readonly application: string
  readonly model: string
  readonly at_ms: number
  readonly reserved_tokens: number
}

export type Receipt = SettledReceipt | OpenReceipt

/** A limit, and what of it nobody holds. */
export interface Budget {
  readonly id: string
  readonly scope: string
  readonly of: string
  readonly unit: string
  readonly per: string
  readonly amount: string
  readonly left: string | null
}

export interface Machine {
  readonly cpu: { readonly model: string; readonly usable: number }
  readonly accelerators: { readonly found: readonly { readonly name: string }[] }
}

export interface Doctor {
  readonly machine: Machine
  readonly findings: readonly Finding[]
}

interface PerToken {
  readonly output: number | null
  readonly all: number | null
}

/** An engine's last five minutes. */
export interface EngineNow {
  readonly engine: string
  readonly output_tokens_per_s: number
  readonly usd_per_mtoken: PerToken
  readonly usd_per_h: number | null
  readonly j_per_token: PerToken
  readonly power_w: number | null
  readonly energy_grade: Source | null
  /** Its own word, from its page of metrics. */
  readonly reported: {
    readonly running?: number
    readonly waiting?: number
    readonly kv_usage?: number
    readonly prefix_hit_ratio?: number
    readonly preemptions?: number
  } | null
}

export interface Finding {
  readonly check: string
  readonly state: 'good' | 'warning' | 'bad'
  readonly found: string
  readonly fix?: string
}

export interface Check {
  readonly conserved: boolean
  readonly units: Readonly<Record<string, { readonly residual: string; readonly transfers: number }>>
  readonly engine: { readonly attempts: number; readonly residual: string }
  readonly lost: number
  readonly doubled: number
  readonly requests: number
  readonly open: number
  readonly quarantined: number
  readonly intervals: number
  readonly broken: number
  readonly first_broken?: { readonly what: string; readonly id: string; readonly why: string }
}

export interface BooksState {
  readonly lag: Lag | null
  readonly residuals: Readonly<Record<string, string>>
  readonly quarantined: number
  readonly quarantine: readonly { readonly source: string; readonly subject: string; readonly reason: string }[]
  readonly checking: boolean
  readonly last_check: { readonly at_ms: number; readonly took_ms: number; readonly check: Check } | null
}

/** A key of the control API, without the key. */
export interface Admin {
  readonly id: string
  readonly prefix: string
  readonly name: string
  readonly role: 'viewer' | 'operator' | 'admin'
  readonly tenant: string | null
  readonly state: 'active' | 'revoked' | 'expired'
  readonly expires: string | null
}

/** What a guard rail says of prompts, or of answers. */
export interface RailRules {
  readonly words?: readonly string[]
  readonly patterns?: readonly string[]
  readonly most_bytes?: number
  readonly schema?: unknown
}

export interface Rail {
  readonly name: string
  readonly scope: 'factory' | 'tenant' | 'application' | 'model'
  readonly of: string
  readonly input: RailRules | null
  readonly output: RailRules | null
}

/** A line of the log of changes. */
export interface Change {
  readonly seq: number
  readonly at: string
  readonly who: string
  readonly action: string
  readonly kind: string
  readonly what: string
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}
