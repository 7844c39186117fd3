/**
 * What the auditor holds against each other: three records that were not taken from the books, and the books.
 *
 * The types are restated here on purpose and the arithmetic of `join.ts` is its own: an auditor who used the books' code
 * would repeat the books' mistakes. Nothing in this folder imports from `src/`.
 */
export interface Records {
  readonly clients: readonly ClientRecord[]
  readonly engine: readonly EngineLogFile[]
  readonly meter: readonly Sample[]
  readonly books: Books
  /** True when the clients' log holds all traffic there was: then a request that no client knows is a finding. */
  readonly closed: boolean
  /** Of tenants that are billed in another currency, month by month; absent where there are none. */
  readonly statements?: readonly StatementRecord[]
}

/** One message as its sender saw it. */
export interface ClientRecord {
  readonly client: number
  /** The header `x-request-id`; null when the client got none. */
  readonly id: string | null
  readonly stream: boolean
  readonly status: number | null
  /** `end`: the server ended the answer. `left`: this client hung up. `broken`: the connection did. */
  readonly ended: 'end' | 'left' | 'broken'
  readonly bytes: number
  readonly chunks: number
  readonly took_ms: number
  /** The body, one character per byte (latin1), so that not a byte is lost in JSON. */
  readonly received: string
}

export const engineClasses = ['input_uncached', 'cache_read', 'output'] as const
export type EngineCount = { readonly [Class in (typeof engineClasses)[number]]: number }

/** One file of an engine's own log, in the order it was written. */
export interface EngineLogFile {
  /** `<incarnation>.<number>.ndjson`. */
  readonly name: string
  readonly lines: readonly EngineLine[]
}

/** Attempt, tokens sampled; and prompt tokens evaluated, where the log says so. */
export type Made = readonly [string, number] | readonly [string, number, number, number]

export type EngineLine =
  | { readonly log: 'host'; readonly incarnation: string }
  | ({
      readonly log: 'begin'
      readonly id: string
      readonly at_ms?: number
      readonly model?: string
      /** The prompt's tokens are in the steps that evaluated them. */
      readonly prompt_in_steps?: true
    } & Pick<EngineCount, 'input_uncached' | 'cache_read'>)
  | { readonly log: 'step'; readonly at_ms?: number; readonly made: readonly Made[] }
  | { readonly log: 'end'; readonly id: string; readonly count: EngineCount }
  | { readonly log: 'close' }

/** What the engines' own logs say, added up per attempt (`<request>/<number>`). */
export interface EngineRecord {
  readonly attempts: ReadonlyMap<string, EngineAttempt>
  /** Contradictions inside the logs themselves. */
  readonly flaws: readonly Finding[]
}

export interface EngineAttempt {
  readonly count: EngineCount
}

/** One raw reading of a meter. */
export type Sample = {
  readonly meter: string
  readonly sequence: number
  readonly at_ms: number
  /** Of a board in MIG slices, by GPU_I_ID. */
  readonly instances?: Readonly<Record<string, { readonly profile: string; readonly busy_us: number }>>
} & (
  | {
      readonly kind: 'energy_counter'
      readonly energy_uj: number
      readonly wraps_at_uj: number
      readonly most_watts?: number
    }
  | { readonly kind: 'power'; readonly watts: number }
  | {
      readonly kind: 'cpu_time'
      readonly busy_ms: number
      readonly cores: number
      readonly idle_watts: number
      readonly full_watts: number
    }
)

export interface Books {
  readonly requests: readonly RequestRecord[]
  readonly transfers: readonly TransferRecord[]
  readonly intervals: readonly IntervalRecord[]
  /** Absent in records without meters above others. */
  readonly upper?: readonly UpperRecord[]
  readonly upperParts?: readonly UpperPartRecord[]
  /** What engines were given of boards that are in MIG slices; absent in records without any. */
  readonly given?: readonly GivenRecord[]
  readonly attempts: readonly AttemptRecord[]
  readonly prices: readonly PriceRecord[]
  readonly balances: readonly BalanceRecord[]
  /** Sums of transfers of days long past, which are not kept one by one. */
  readonly rolled?: readonly Pick<TransferRecord, 'unit' | 'debit' | 'credit' | 'amount'>[]
  /** What engines did by the hour and for whom; absent in records without any. */
  readonly work?: { readonly shares: readonly WorkRecord[]; readonly busy: readonly BusyRecord[] }
  /** Currencies of tenants and rates, as they were declared; absent in records without any. */
  readonly exchange?: {
    /** Of the currency for a dollar, in 10^-12. */
    readonly rates: readonly {
      readonly version: number
      readonly currency: string
      readonly day: number
      readonly rate: bigint
    }[]
    readonly currencies: readonly {
      readonly version: number
      readonly tenant: string
      readonly currency: string
      readonly from_day: number
    }[]
  }
  /** What hours cost, and what was declared: absent in records without any. */
  readonly costs?: CostRecords
  /** Absent in records without any. */
  readonly terms?: TermsRecords
  readonly journals: readonly string[]
  /** Rows that the books put aside because they contradict what is booked: `[what, why]`. */
  readonly quarantined: readonly (readonly [string, string])[]
}

export interface TermsRecords {
  readonly agreements: readonly AgreementRecord[]
  /** Of each tenant with terms: hours from `first` until before `next` are worked out, and nothing was learned of them since. */
  readonly hours: readonly { readonly tenant: string; readonly first: number; readonly next: number }[]
  /** Requests of hours before it are not kept; 0: all are. */
  readonly rolledUntilHour: number
}

/** A version of what was agreed; see the tables of the books. */
export interface AgreementRecord {
  readonly version: number
  readonly tenant: string | null
  readonly kind: string
  readonly model: string | null
  readonly class: string | null
  readonly counts: string
  readonly amount: bigint
  readonly tiers: readonly { readonly from: bigint; readonly off: bigint }[]
  readonly ended: boolean
  readonly from_hour: number
}

/** As `wattmill books statement -o json` tells it; of it what money of another currency is made of. */
export interface StatementRecord {
  readonly tenant: string
  readonly from_ms: number
  readonly to_ms: number
  readonly total_usd: string
  readonly lines: readonly { readonly billed?: string }[]
  readonly refunds: readonly { readonly billed?: string }[]
  readonly billing?:
    | {
        readonly currency: string
        readonly exchange_version: number
        readonly total: string
        readonly taken_off: string
        readonly shortfall: string
        readonly credit: string
        readonly due: string
      }
    | undefined
}

export const bookClasses = ['input_uncached', 'cache_read', 'cache_write', 'output_visible', 'reasoning'] as const
export type BookClass = (typeof bookClasses)[number]

export type UsageRecord = { readonly [Class in BookClass]: { readonly tokens: number } | null }

export interface RequestRecord {
  readonly id: string
  readonly tenant: string
  readonly application: string
  readonly model: string
  readonly price_version: number | null
  readonly outcome: string
  readonly at_ms?: number
  readonly closed_ms?: number
  readonly queued_ms?: number
  readonly stream?: boolean
  readonly ttft_ms?: number | null
  /** Answered from the cache, by an answer that took so much. */
  readonly cached?: { readonly site?: string; readonly usage: UsageRecord }
  readonly attempts: readonly {
    readonly number: number
    readonly replica: string
    /** Absent: `main`. */
    readonly site?: string
    readonly usage: UsageRecord
    /** The part of it that an allowance had no room for: made, and on nobody's bill. */
    readonly unbilled?: UsageRecord
  }[]
}

export interface TransferRecord {
  readonly id: string
  readonly unit: string
  readonly debit: string
  readonly credit: string
  readonly amount: bigint
  readonly request: string | null
  readonly at_ms?: number
}

export interface WorkRecord {
  readonly hour: number
  readonly replica: string
  readonly tenant: string
  readonly application: string
  readonly model: string
  /** Empty: it was for something. */
  readonly cause: string
  readonly held_ns: bigint
  readonly prefill: number
  readonly decode: number
  readonly kv_token_ms: bigint
}

export interface BusyRecord {
  readonly hour: number
  readonly replica: string
  readonly busy_s: number
}

export interface CostRecords {
  readonly hours: readonly {
    readonly hour: number
    readonly source: string
    readonly unit: string
    readonly amount: bigint
    readonly rolled: boolean
  }[]
  /** Hours that are to be worked out again, or whose details are going. */
  readonly unsettled: ReadonlySet<number>
  readonly closed: readonly number[]
  readonly stale: ReadonlySet<number>
  readonly frozen: ReadonlySet<number>
  /** The highest interval of an hour at a connection. */
  readonly peaks: readonly {
    readonly hour: number
    readonly connection: string
    readonly at_ms: number
    readonly interval_min: number
    readonly energy_mj: bigint
  }[]
  /** Tokens of models that were made by what they serve. */
  readonly served: readonly { readonly hour: number; readonly model: string; readonly tokens: bigint }[]
  readonly declared: readonly {
    readonly version: number
    readonly kind: string
    readonly name: string
    readonly from_ms: number
    readonly terms: CostTermsRecord
  }[]
  /** Dollars an hour that an engine was given beside. */
  readonly given: readonly {
    readonly engine: string
    readonly from_ms: number
    readonly until_ms: number | null
    readonly per_hour: bigint
  }[]
}

export interface CostTermsRecord {
  readonly per: string
  /** Of a PUE: the facility's meter that tells it. */
  readonly measured_by?: string
  readonly amount?: string
  /** Of a demand charge. */
  readonly interval_min?: number
  readonly offset_min?: number
  readonly rule?: string
  /** Of the making of a model: one of the two. */
  readonly months?: number | null
  readonly tokens?: number | null
  readonly series?: {
    readonly usual: string
    readonly rules?: readonly {
      readonly months?: readonly number[]
      readonly weekdays?: readonly number[]
      readonly hours?: readonly number[]
      readonly value: string
    }[]
    readonly points?: readonly { readonly at_ms: number; readonly value: string }[]
    readonly offset_min?: number
  }
}

export interface IntervalRecord {
  readonly meter: string
  /** Sequence of the sample that ends it. */
  readonly sequence: number
  readonly energy_mj: bigint
  readonly posted: boolean
  /** Absent in records that need no time. */
  readonly from_ms?: number
  readonly to_ms?: number
  readonly idle_mj?: bigint
  /** Of a board in slices in which somebody worked. */
  readonly slices?: readonly SliceRecord[]
}

/** What a slice counts in an interval, as the books say. */
export interface SliceRecord {
  /** null: an instance of nobody's. */
  readonly engine: string | null
  readonly instance: string | null
  readonly sms: number | null
  readonly busy_us: number
  readonly source: 'measured' | 'estimated'
}

export interface GivenRecord {
  readonly engine: string
  readonly meter: string
  readonly from_ms: number
  readonly until_ms: number | null
  /** null: all of the board. */
  readonly sms: number | null
  readonly board_sms: number | null
}

/** What a meter above others showed, and what of it was booked: its interval among the others is that. */
export interface UpperRecord {
  readonly meter: string
  readonly sequence: number
  readonly from_ms: number
  readonly to_ms: number
  readonly energy_mj: bigint
  readonly reset: boolean
  /** Null: not closed yet. */
  readonly booked_mj: bigint | null
  readonly owed_mj: bigint | null
}

/** Of which intervals of a meter below it was made, when it was closed; null: of none. */
export interface UpperPartRecord {
  readonly meter: string
  readonly sequence: number
  readonly below: string
  readonly first: number | null
  readonly last: number | null
}

export interface AttemptRecord {
  readonly id: string
  readonly count: EngineCount
}

/** What came into an account less what left it, in one unit and on one day. */
export interface BalanceRecord {
  readonly account: string
  readonly unit: string
  readonly amount: bigint
}

export interface PriceRecord {
  readonly version: number
  /** Nano-dollars per million tokens. */
  readonly perMillion: { readonly [Class in BookClass]: bigint }
  /** Only for what is answered there; absent: anywhere. */
  readonly site?: string
  /** What comes back when the first token of a stream is later. */
  readonly refund?: { readonly ttft_ms: number; readonly percent: bigint }
  /** What an answer from the cache costs, of the price of the tokens that it spared. */
  readonly hitPercent?: bigint
}

/** Something that does not agree. `subject` names the request, attempt, interval or sample. */
export interface Finding {
  readonly kind: FindingKind
  readonly subject: string
  readonly message: string
}

export type FindingKind =
  | 'lost' // a client was served and the books do not know
  | 'doubled' // twice in the books
  | 'unknown' // in the books, and nobody asked or no engine did it
  | 'tokens' // two records count differently
  | 'money'
  | 'energy'
  | 'balance' // an account is not the sum of its transfers
  | 'record' // one of the outside records is broken in itself
