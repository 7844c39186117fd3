import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Allowance } from '../../books/allowance.ts'
import { allowance, allowanceUnits, indexed, renewals, scopes } from '../../books/allowance.ts'
import type { PriceVersion } from '../../books/price.ts'
import { type SloClass, sloClasses } from '../../books/slo-class.ts'
import { tokenClasses } from '../../books/usage.ts'
import type { LeaseAsk, LeaseGrant, Recall } from '../../lines/inference/lease.ts'
import { type Rail, railScopes } from '../../lines/inference/rail.ts'
import { heldName, noSetPoints, type Points, type SetPoints } from '../../lines/inference/set-points.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import type { ReplicaFacts } from '../../plant/infrastructure/replica.ts'
import { price } from '../../units/amount.ts'
import type { ModelId, ReplicaId, SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { Batch } from '../prometheus/totals.ts'

/**
 * What the operator and the gateways say to each other over the operator's socket. A gateway asks `POST /internal/sync`
 * again and again; the answer comes at once when there is news, else after a second. Nothing on the request path waits
 * for it.
 */
export interface SyncRequest {
  readonly incarnation: string
  readonly pid: number
  /** Number of the snapshot it serves under; 0: none yet. */
  readonly snapshot: number
  readonly ready: boolean
  readonly running: number
  readonly waiting: number
  /** Journal rows not acknowledged yet. */
  readonly journal_depth: number
  readonly journal_up: boolean
  /** Other gateways that it hears. */
  readonly peers: number
  readonly replicas: readonly { readonly id: string; readonly up: boolean; readonly running: number }[]
  readonly models: readonly { readonly model: string; readonly running: number; readonly waiting: number }[]
  /** Requests under way and waiting, by class, and what is lost for each second that one of them waits (nano-dollars). */
  readonly demands?: readonly {
    readonly model: string
    readonly slo: SloClass
    readonly requests: number
    readonly worth: number
  }[]
  /** The oldest requests under way. */
  readonly flows: readonly FlowLine[]
  /** What it counted since the operator last acknowledged. */
  readonly metrics: Batch
}

/** One request under way, for people: no content, no key. */
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

export interface SyncReply {
  /** Given when it is newer than the gateway's. */
  readonly snapshot?: WireSnapshot
  /** Journal rows up to this number are in the books: the gateway may delete them. */
  readonly acknowledged: number
}

const nullable = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()])
const name = Type.String({ minLength: 1, maxLength: 200 })
const whole = Type.Integer({ minimum: 0 })
const decimal = Type.String({ pattern: '^[0-9]{1,18}$' })

/** An allowance on the wire, less its id: that follows from the rest. */
export const WireAllowance = Type.Object({
  scope: Type.Enum([...scopes]),
  of: Type.String({ minLength: 1, maxLength: 800 }),
  unit: Type.Enum([...allowanceUnits]),
  renews: Type.Enum([...renewals]),
  amount: decimal,
})

export type WireAllowance = Type.Static<typeof WireAllowance>

const denied = {
  words: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 1000 })),
  patterns: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 100 })),
  most_bytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 ** 3 })),
}

/** What a prompt, and what an answer must be. */
export const railRules = {
  input: Type.Optional(Type.Object(denied, { additionalProperties: false })),
  output: Type.Optional(
    Type.Object(
      { ...denied, schema: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
      { additionalProperties: false },
    ),
  ),
}

export const WireRail = Type.Object({
  name,
  scope: Type.Enum([...railScopes]),
  of: Type.String({ maxLength: 800 }),
  ...railRules,
})

const wirePoints = {
  concurrency: Type.Array(Type.Tuple([name, whole]), { maxItems: 100_000 }),
  held: Type.Array(Type.Object({ model: name, slo: Type.Enum([...sloClasses]) }), { maxItems: 10_000 }),
}

export const WireSnapshot = Type.Object({
  number: Type.Integer({ minimum: 1 }),
  published_ms: whole,
  gateways: Type.Integer({ minimum: 1, maximum: 1024 }),
  grants: Type.Array(
    Type.Object({
      hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      key: name,
      tenant: name,
      application: name,
      models: nullable(Type.Array(name)),
      requests_per_minute: nullable(Type.Number({ exclusiveMinimum: 0 })),
      tokens_per_minute: nullable(Type.Number({ exclusiveMinimum: 0 })),
      expires_ms: nullable(whole),
      slo: Type.Optional(Type.Enum([...sloClasses])),
    }),
  ),
  prices: Type.Array(
    Type.Object({
      version: Type.Integer({ minimum: 1 }),
      model: name,
      effective_from_ms: whole,
      slo: Type.Optional(Type.Enum([...sloClasses])),
      tenant: Type.Optional(name),
      site: Type.Optional(name),
      refund: Type.Optional(Type.Object({ ttft_ms: whole, percent: Type.Integer({ minimum: 1, maximum: 100 }) })),
      hit_percent: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      note: Type.String(),
      perMillion: Type.Object({
        input_uncached: decimal,
        cache_read: decimal,
        cache_write: decimal,
        output_visible: decimal,
        reasoning: decimal,
      }),
    }),
  ),
  aliases: Type.Optional(Type.Record(Type.String(), Type.Array(name, { minItems: 1, maxItems: 16 }))),
  allowances: Type.Optional(Type.Array(WireAllowance)),
  rails: Type.Optional(Type.Array(WireRail)),
  /** What a token of a model drew lately, by model; mJ, estimated. */
  energy_per_token_mj: Type.Optional(Type.Record(Type.String(), Type.Number({ minimum: 0 }))),
  /** What control allows; absent: there is no limit of power. */
  set_points: Type.Optional(
    Type.Object({
      ...wirePoints,
      at_ms: whole,
      later: Type.Array(Type.Object({ ...wirePoints, from_ms: whole, until_ms: whole }), { maxItems: 100 }),
    }),
  ),
  engines: Type.Array(
    Type.Object({
      name,
      vendor: Type.Union([Type.Literal('llama'), Type.Literal('openai'), Type.Literal('anthropic')]),
      /** Base URL of an upstream, ending before `/chat/completions` or `/messages`; null for the embedded engine. */
      url: nullable(Type.String({ maxLength: 2000 })),
      key_from: nullable(Type.String({ maxLength: 2000 })),
      /** Which preset it is spoken to by; left out: OpenAI's habits. */
      product: Type.Optional(nullable(Type.String({ maxLength: 100 }))),
      models: Type.Record(Type.String(), name),
      concurrency: Type.Integer({ minimum: 1, maximum: 65_536 }),
      draining: Type.Boolean(),
      /** Where it stands; left out: the main site. */
      site: Type.Optional(name),
      /** What an hour of it costs, and what its provider takes for a million tokens, by public name; nano-dollars. */
      per_hour: Type.Optional(decimal),
      list: Type.Optional(
        Type.Record(Type.String(), Type.Object({ input: decimal, cached: decimal, output: decimal })),
      ),
    }),
  ),
})
export type WireSnapshot = Type.Static<typeof WireSnapshot>
export type WirePoints = Pick<WireSnapshot['set_points'] & {}, 'concurrency' | 'held'>
export type WireEngine = WireSnapshot['engines'][number]

const wireSnapshot = Compile(WireSnapshot)

/** A snapshot as the line uses it, and the addresses that only the engine adapters need. */
export interface FactorySnapshot extends Snapshot {
  readonly engines: readonly WireEngine[]
  readonly rails: readonly Rail[]
  readonly setPoints: SetPoints
}

/** Checks it whole before any of it is used; `undefined` when it is no valid snapshot. */
export function parseSnapshot(value: unknown): FactorySnapshot | undefined {
  if (!wireSnapshot.Check(value)) return undefined
  return {
    number: value.number,
    published_ms: value.published_ms,
    gateways: value.gateways,
    grants: new Map(
      value.grants.map(({ hash, ...grant }) => [hash, { slo: 'standard', ...grant } as unknown as Grant]),
    ),
    allowances: indexed([...value.grants.flatMap(ratesOf), ...(value.allowances ?? []).map(allowanceOf)]),
    aliases: new Map(Object.entries(value.aliases ?? {})) as unknown as Snapshot['aliases'],
    energyPerToken_mj: new Map(
      Object.entries(value.energy_per_token_mj ?? {}).map(([model, mj]) => [id<ModelId>(model), mj]),
    ),
    prices: value.prices.map((one) => ({
      ...one,
      perMillion: Object.fromEntries(tokenClasses.map((of) => [of, price(BigInt(one.perMillion[of]))])),
    })) as unknown as PriceVersion[],
    replicas: value.engines.map((engine) => ({
      id: engine.name as Snapshot['replicas'][number]['id'],
      vendor: engine.vendor,
      models: engine.models,
      concurrency: engine.concurrency,
      draining: engine.draining,
      ...(engine.site !== undefined && { site: id<SiteId>(engine.site) }),
      facts: factsOf(engine),
    })),
    engines: value.engines,
    rails: (value.rails ?? []) as readonly Rail[],
    setPoints: value.set_points ? setPointsOf(value.set_points) : noSetPoints,
  }
}

const setPointsOf = ({ at_ms, later, ...now }: WireSnapshot['set_points'] & {}): SetPoints => ({
  ...pointsFrom(now),
  at_ms,
  later: later.map(({ from_ms, until_ms, ...then }) => ({ ...pointsFrom(then), from_ms, until_ms })),
})

const pointsFrom = ({ concurrency, held }: WirePoints): Points => ({
  concurrency: new Map(concurrency.map(([replica, most]) => [id<ReplicaId>(replica), most])),
  held: new Set(held.map(({ model, slo }) => heldName(id(model), slo))),
})

/** For comparing replicas; what is charged is never worked out from these. */
const factsOf = ({ per_hour, list }: WireEngine): ReplicaFacts => ({
  ...(per_hour !== undefined && { nanoDollarsPerHour: Number(per_hour) }),
  ...(list !== undefined && {
    listPrices: Object.fromEntries(
      Object.entries(list).map(([model, { input, cached, output }]) => [
        model,
        { input: Number(input), cached: Number(cached), output: Number(output) },
      ]),
    ),
  }),
})

export const allowanceOf = ({ amount, ...of }: WireAllowance): Allowance => allowance({ ...of, amount: BigInt(amount) })

/** A key's own limits a minute, as it was created with. */
export function ratesOf(grant: {
  readonly key: string
  readonly requests_per_minute: number | null
  readonly tokens_per_minute: number | null
}): Allowance[] {
  const rate = (unit: 'requests' | 'tokens', amount: number | null): Allowance[] =>
    amount === null
      ? []
      : [allowance({ scope: 'key', of: grant.key, unit, renews: 'minute', amount: BigInt(Math.floor(amount)) })]
  return [...rate('requests', grant.requests_per_minute), ...rate('tokens', grant.tokens_per_minute)]
}

/** What a gateway asks of the keeper of allowances, `POST /internal/lease`; amounts are decimal text. */
export type WireLeaseAsk = {
  readonly [Field in keyof LeaseAsk]: LeaseAsk[Field] extends bigint ? string : LeaseAsk[Field]
}
export interface LeaseRequest {
  readonly incarnation: string
  readonly asks: readonly WireLeaseAsk[]
}

export type WireLeaseGrant = {
  readonly [Field in keyof LeaseGrant]: LeaseGrant[Field] extends bigint ? string : LeaseGrant[Field]
}
export interface LeaseReply {
  readonly grants: readonly WireLeaseGrant[]
  readonly recalls: readonly Recall[]
}

export const leaseAskOf = (ask: WireLeaseAsk): LeaseAsk => ({
  ...ask,
  free: BigInt(ask.free),
  reserved: BigInt(ask.reserved),
  returned: BigInt(ask.returned),
  want: BigInt(ask.want),
  ahead: BigInt(ask.ahead),
})

export const wireGrant = (grant: LeaseGrant): WireLeaseGrant => ({
  ...grant,
  amount: grant.amount.toString(),
  left: grant.left.toString(),
})
