/**
 * Sums by time that pages show: what was settled, posted and drawn in ten seconds, a minute, ten minutes, an hour. Each is
 * made of the same rows and transfers as the ledger and in the same transaction, so it says what the ledger says; a day of
 * traffic is then some hundred rows instead of millions.
 */
import type { MeterInterval } from '../plant/energy/meter.ts'
import type { SiteId } from '../units/ids.ts'
import type { Transfer } from './account.ts'
import { latencyBucket } from './latency.ts'
import type { CloseRow } from './row.ts'
import { isBilled, siteOf } from './row.ts'
import { outputTokens, tokenClasses } from './usage.ts'

/** Lengths of time that are summed, in seconds. Each divides the next. */
export const spans = [10, 60, 600, 3600] as const
export type Span = (typeof spans)[number]

/** By what it is summed. A `flow` is the way of tokens through the factory: replica, model, tenant, application. */
export const dimensions = [
  'factory',
  'model',
  'application',
  'key',
  'replica',
  'site',
  'flow',
  'outcome',
  'waste',
  'meter',
] as const
export type Dimension = (typeof dimensions)[number]

export interface Tally {
  readonly span: Span
  readonly dimension: Dimension
  /** Seconds since 1970. */
  readonly start_s: number
  readonly name: string
  /** Such as `requests`, `output_visible`, `nano_usd`, `energy_mj`, `metered`, `ttft/40` (bucket 40 of `latency.ts`). */
  readonly measure: string
  readonly amount: bigint
}

/** A name of several parts, each of which may hold any character. */
export const joined = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('/')
export const parted = (name: string): string[] => name.split('/').map(decodeURIComponent)

/** To whom a request belongs, and where it was answered. */
export interface Whose extends Pick<CloseRow, 'tenant' | 'application' | 'key' | 'model'> {
  /** Null: no engine was asked. */
  readonly site: SiteId | null
}

export const whoseOf = (row: CloseRow): Whose => ({
  tenant: row.tenant,
  application: row.application,
  key: row.key,
  model: row.model,
  site: siteOf(row) ?? null,
})

/** The names under which the requests of one key, model and replica are counted: worked out once, not once a transfer. */
interface Owner {
  readonly names: readonly Named[]
  /** With the replica that served. */
  readonly served: readonly Named[]
  /** Those that have latencies. */
  readonly timed: readonly Named[]
  readonly flow: readonly Named[]
}

/** Collects one transaction's tallies. */
export class Tallies {
  /** By owner's names, start and measure: what is counted under five names is added up once. */
  readonly #counts = new Map<readonly Named[], Map<string, Count>>()
  readonly #owners = new Map<string, Owner>()
  readonly #singles = new Map<string, readonly Named[]>()
  readonly #paths = new Map<string, readonly string[]>()

  settled(row: CloseRow): void {
    const last = row.attempts.at(-1)
    const { names, served, timed } = this.#owner(whoseOf(row), last?.replica)
    const count = (by: readonly Named[], measure: string): void => this.#add(by, row.closed_ms, measure, 1n)
    count(served, 'requests')
    count(this.#single('outcome', row.outcome), 'requests')
    if (!isBilled(row.outcome)) count(served, 'failed')
    // An answer that came whole has no first token: only streams say when theirs came.
    if (row.ttft_ms !== null && row.stream) count(timed, `ttft/${latencyBucket(row.ttft_ms)}`)
    const itl = itlOf(row)
    if (itl !== undefined) count(timed, `itl/${latencyBucket(itl)}`)
    const guessed = estimatedTokens(row)
    if (guessed > 0) this.#add(names, row.closed_ms, 'estimated', BigInt(guessed))
  }

  /** `whose` is the request that the transfer belongs to; undefined: it belongs to none. */
  posted(transfer: Transfer, whose: Whose | undefined): void {
    const [kind = '', ...path] = this.#path(transfer.to)
    if (transfer.unit === 'mJ') return this.#energy(transfer, kind, path, whose)
    if (transfer.unit === 'nano-USD' && whose) {
      const earned = kind === 'tenant' ? -transfer.amount : transfer.amount // what comes back to a tenant is a refund
      this.#add(this.#owner(whose).names, transfer.at_ms, 'nano_usd', earned)
    }
    if (transfer.unit === 'token') this.#tokens(transfer, kind, path, whose)
  }

  /** Its first energy was attributed: from now on its tokens are among those whose joules are known. */
  metered(row: CloseRow, at_ms: number): void {
    const output = row.attempts.reduce((sum, { usage }) => sum + outputTokens(usage), 0)
    this.#add(this.#owner(whoseOf(row)).names, at_ms - 1, 'metered', BigInt(output))
  }

  /** What a meter says was drawn, before it is known for whom. */
  drawn({ meter, from_ms, to_ms, energy, idle, grade }: MeterInterval): void {
    this.#add(
      [
        ['factory', ''],
        ['meter', meter],
      ],
      to_ms - 1,
      `drawn/${grade}`,
      energy,
    )
    this.#add([['meter', meter]], to_ms - 1, 'floor_mj', idle)
    this.#add([['meter', meter]], to_ms - 1, 'metered_ms', BigInt(to_ms - from_ms))
  }

  #tokens({ from, at_ms, amount }: Transfer, kind: string, path: readonly string[], whose: Whose | undefined): void {
    const tokenClass = path.at(-1) ?? ''
    if (kind === 'waste')
      return this.#add(
        [
          ['factory', ''],
          ['waste', path[0] ?? ''],
        ],
        at_ms,
        'wasted',
        amount,
      )
    if (!whose) return
    const [, replica = ''] = this.#path(from)
    const { served, flow } = this.#owner(whose, replica)
    this.#add(served, at_ms, tokenClass, amount)
    this.#add(flow, at_ms, /^(output_visible|reasoning)$/.test(tokenClass) ? 'output' : 'input', amount)
  }

  /** An interval's transfers carry the moment it ended: what they move was drawn before it. */
  #energy({ at_ms, amount }: Transfer, kind: string, path: readonly string[], whose: Whose | undefined): void {
    const at = at_ms - 1
    if (kind === 'tenant' && whose) this.#add(this.#owner(whose).names, at, 'energy_mj', amount)
    if (kind === 'waste')
      this.#add(
        [
          ['factory', ''],
          ['waste', path[0] ?? ''],
        ],
        at,
        'wasted_mj',
        amount,
      )
    if (kind === 'idle') this.#add([['factory', '']], at, 'idle_mj', amount)
  }

  #owner(whose: Whose, replica?: string): Owner {
    const { tenant, application, key, model, site } = whose
    const place = `${key}\0${model}\0${tenant}\0${application}\0${site ?? '\0'}\0${replica ?? '\0'}`
    let owner = this.#owners.get(place)
    if (!owner) {
      const names = namesOf(whose)
      const served: readonly Named[] = replica === undefined ? names : [...names, ['replica', replica]]
      owner = {
        names,
        served,
        timed: served.filter(([dimension]) => dimension !== 'key'),
        flow: [['flow', joined(replica ?? '', model, tenant, application)]],
      }
      this.#owners.set(place, owner)
    }
    return owner
  }

  #single(dimension: Dimension, name: string): readonly Named[] {
    const known = this.#singles.get(`${dimension} ${name}`) ?? [[dimension, name]]
    this.#singles.set(`${dimension} ${name}`, known)
    return known
  }

  #path(account: string): readonly string[] {
    const known = this.#paths.get(account) ?? parted(account)
    this.#paths.set(account, known)
    return known
  }

  #add(names: readonly Named[], at_ms: number, measure: string, amount: bigint): void {
    if (amount === 0n) return
    const start_s = startOf(at_ms, spans[0])
    const counts = this.#counts.get(names) ?? new Map<string, Count>()
    this.#counts.set(names, counts)
    const place = `${start_s} ${measure}`
    const known = counts.get(place)
    if (known) known.amount += amount
    else counts.set(place, { start_s, measure, amount })
  }

  /** For every span and name: what was collected in the shortest one, summed up into the longer ones. */
  all(): Tally[] {
    const sums = new Map<string, { -readonly [Field in keyof Tally]: Tally[Field] }>()
    for (const [names, counts] of this.#counts)
      for (const span of spans)
        for (const { start_s, measure, amount } of lengthened(counts.values(), span))
          for (const [dimension, name] of names) {
            const place = `${span} ${dimension} ${start_s} ${measure} ${name}`
            const known = sums.get(place)
            if (known) known.amount += amount
            else sums.set(place, { span, dimension, start_s, name, measure, amount })
          }
    this.#counts.clear()
    return [...sums.values()]
  }
}

/** The counts of the shortest length, summed up into a longer one: before each of them is written under its names. */
function lengthened(counts: Iterable<Count>, span: Span): Iterable<Count> {
  if (span === spans[0]) return counts
  const long = new Map<string, Count>()
  for (const { start_s: at_s, measure, amount } of counts) {
    const start_s = startOf(at_s * 1000, span)
    const place = `${start_s} ${measure}`
    const known = long.get(place)
    if (known) known.amount += amount
    else long.set(place, { start_s, measure, amount })
  }
  return long.values()
}

interface Count {
  readonly start_s: number
  readonly measure: string
  amount: bigint
}

type Named = readonly [Dimension, string]

const namesOf = ({ tenant, application, key, model, site }: Whose): readonly Named[] => [
  ['factory', ''],
  ['model', model],
  ['application', joined(tenant, application)],
  ['key', key],
  ...(site === null ? [] : [['site', site] as const]),
]

export const startOf = (at_ms: number, span: number): number => Math.floor(at_ms / 1000 / span) * span

/**
 * Inter-token latency, the mean of one streamed answer: (end − first content) / (output tokens − 1), in ms. Undefined where
 * there were fewer than two tokens, or where the client, not the engine, ended it.
 */
export function itlOf({
  at_ms,
  queued_ms,
  closed_ms,
  ttft_ms,
  outcome,
  attempts,
  stream,
}: CloseRow): number | undefined {
  const last = attempts.at(-1)
  if (!last || ttft_ms === null || outcome !== 'complete' || !stream) return undefined
  const made = outputTokens(last.usage)
  return made < 2 ? undefined : Math.max(0, closed_ms - (at_ms - queued_ms + ttft_ms)) / (made - 1)
}

/** Tokens that nobody counted: taken from sizes. */
const estimatedTokens = (row: CloseRow): number =>
  row.attempts.reduce(
    (sum, { usage }) =>
      sum + tokenClasses.reduce((of, each) => of + (usage[each]?.source === 'estimated' ? usage[each].tokens : 0), 0),
    0,
  )
