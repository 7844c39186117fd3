/** What an hour cost and who bears it, from all that the books know of it: the same for the keeper and for an audit. */
import type { Account } from '../../../books/account.ts'
import { accounts } from '../../../books/account.ts'
import type { ChipTime, WorkedSecond } from '../../../books/chip-time.ts'
import { chipTime, meterOf, workedInWindow } from '../../../books/chip-time.ts'
import type { CostDeclaration } from '../../../books/cost.ts'
import { costBetween, overheadKinds, perHourSpans, seriesOf } from '../../../books/cost.ts'
import type { SourceHour } from '../../../books/cost-hour.ts'
import { energyCost, hour_ms } from '../../../books/cost-hour.ts'
import type { Bearing } from '../../../books/cost-share.ts'
import { bearing, bearingsOf } from '../../../books/cost-share.ts'
import type { CostSpan } from '../../../books/economics.ts'
import type { StepFit } from '../../../books/fit.ts'
import { fitOf } from '../../../books/fit.ts'
import { isInPue, type PueFacts, pueOf } from '../../../books/pue.ts'
import type { CloseRow } from '../../../books/row.ts'
import { parted } from '../../../books/tally.ts'
import type { BusySeconds, HourWork } from '../../../books/work-hour.ts'
import { WorkShares } from '../../../books/work-hour.ts'
import type { StepCoefficients, StepWork } from '../../../plant/energy/step-energy.ts'
import type { AttemptId, ReplicaId } from '../../../units/ids.ts'
import { id, requestOf } from '../../../units/ids.ts'
import { all, one } from '../query.ts'
import { givenSpans } from '../registry/meters.ts'
import { rowsUnderWay } from '../seen.ts'
import { settledRow } from '../settled-row.ts'
import type { Store } from '../store.ts'
import { upperMeters } from '../upper.ts'
import { pueFacts } from '../whole-hours.ts'
import type { MeterHour } from './energy-hour.ts'
import { energyInHour } from './energy-hour.ts'
import { hostedCosts } from './hosted.ts'

type Reader = Pick<Store, 'database'>

/** What was known: declarations and fits, up to some version. */
export interface CostKnown {
  readonly declared: readonly CostDeclaration[]
  readonly fits: readonly StepFit[]
}

/** Who did what in the hour, by attempt: how its cost falls on classes of tokens. */
interface Did {
  readonly did: StepWork
  readonly coefficients: StepCoefficients | undefined
}

/** What an hour cost, and the work of engines that it was divided by. */
export interface GatheredHour {
  readonly costs: readonly SourceHour[]
  readonly work: HourWork
}

export function gatherHour(store: Reader, hour: number, { declared, fits }: CostKnown): GatheredHour {
  const [from_ms, to_ms] = [hour * hour_ms, (hour + 1) * hour_ms]
  const given = givenSpans(store)
  const under = rowsUnderWay(store, from_ms - 1000, to_ms + 1000)
  const rows = new Rows(store, under)
  const meters = energyInHour(store, hour)
  const did = new Map<AttemptId, Did>()
  const costs: SourceHour[] = []
  const [shares, busy] = [new WorkShares(), [] as BusySeconds[]]
  const timeOf = (engine: string, all_s: number): ChipTime => {
    const replica = id<ReplicaId>(engine)
    const time = chipTime(workOf(store, replica, secondsOf(hour), under), fits)
    shares.held(engine, time, (attempt) => rows.of(attempt))
    shares.cached(engine, under, hour)
    busy.push({ replica: engine, busy_s: Math.min(time.busy_s, all_s), all_s })
    return time
  }
  for (const engine of namesOf(declared, 'capacity', given)) {
    const spans = perHourSpans(declared, 'capacity', engine, given)
    const amount = costBetween(spans, from_ms, to_ms)
    const replica = id<ReplicaId>(engine)
    const all_s = Math.round(covered_ms(spans, from_ms, to_ms) / 1000)
    const time = timeOf(engine, all_s)
    const bearings: Bearing[] = []
    for (const [attempt, held] of time.held) {
      const fit = fitOf(fits, { meter: meterOf(fits, { replica, model: held.model }), replica, model: held.model })
      did.set(attempt, { did: held.did, coefficients: fit?.coefficients })
      bearings.push(...bearingsOf(rows.of(attempt), attempt, held.ns, held.did, fit?.coefficients))
    }
    bearings.push(...idleOf(store, replica, hour, time, all_s, meters))
    const common = { source: accounts.capacity(engine), hour, unit: 'nano-USD', amount, bearings } as const
    if (amount > 0n) costs.push({ ...common, busy_s: Math.min(time.busy_s, all_s), all_s })
  }
  const pue = pueFacts(store, declared, hour, hour + 1)
  for (const meter of meters) costs.push(...electricity(pue, hour, meter, rows, did))
  costs.push(...overheads(declared, hour))
  costs.push(...hostedCosts(declared, hour, under))
  for (const engine of ownEngines(store, declared, under))
    if (!busy.some(({ replica }) => replica === engine)) timeOf(engine, hour_ms / 1000)
  return { costs, work: { shares: shares.all(), busy } }
}

/** Engines that worked or write a log, and are not hosted: whose time is a machine's of ours, whatever was said of its cost. */
function ownEngines({ database }: Reader, declared: readonly CostDeclaration[], under: readonly CloseRow[]): string[] {
  const hosted = new Set(declared.filter(({ kind }) => kind === 'list').map(({ name }) => parted(name)[0]))
  const logs = all<{ replica: string }>(database, 'select distinct replica from engine_log')
  const seen = new Set([
    ...logs.map(({ replica }) => replica),
    ...under.flatMap(({ attempts }) => attempts.map(({ replica }) => replica as string)),
  ])
  return [...seen].filter((engine) => !hosted.has(engine)).sort()
}

const secondsOf = (hour: number) => ({ from: hour * 3600, until: (hour + 1) * 3600 })

const namesOf = (declared: readonly CostDeclaration[], kind: string, given: readonly CostSpan[] = []): string[] =>
  [
    ...new Set([
      ...declared.filter((each) => each.kind === kind).map(({ name }) => name),
      ...given.map(({ engine }) => engine),
    ]),
  ].sort()

const covered_ms = (spans: readonly CostSpan[], from_ms: number, to_ms: number): number =>
  spans.reduce(
    (sum, span) => sum + Math.max(0, Math.min(to_ms, span.until_ms ?? to_ms) - Math.max(from_ms, span.from_ms)),
    0,
  )

/** Rows by attempt. One that ended before the hour may have its last joules in it. */
class Rows {
  readonly #known = new Map<string, CloseRow | undefined>()
  readonly #store: Reader

  constructor(store: Reader, rows: readonly CloseRow[]) {
    this.#store = store
    for (const row of rows) this.#known.set(row.id, row)
  }

  of(attempt: AttemptId): CloseRow | undefined {
    const request = requestOf(attempt)
    if (!this.#known.has(request)) this.#known.set(request, settledRow(this.#store, request))
    return this.#known.get(request)
  }
}

const logged = `
  select s.second, s.attempt, a.replica, a.model, s.tokens, s.step_e9, s.prefill, s.prefill_context, s.decode, s.kv_read,
    s.cpu_us
  from engine_second s join engine_attempt a on a.id = s.attempt
  where s.second >= ? and s.second < ? and a.replica = ? order by s.second, s.attempt`

type Logged = Omit<WorkedSecond, 'did'> & StepWork

/** By its own log, where it has one; else as rebuilt from how its answers came. */
export function workOf(
  store: Reader,
  replica: ReplicaId,
  range: { readonly from: number; readonly until: number },
  rows: readonly CloseRow[],
): WorkedSecond[] {
  const has = one(store.database, 'select 1 from engine_log where replica = ? limit 1', replica)
  if (!has) return workedInWindow(replica, rows, range)
  return all<Logged>(store.database, logged, range.from, range.until, replica).map(
    ({ second, attempt, replica, model, tokens, cpu_us, ...did }) => ({
      second,
      attempt,
      replica,
      model,
      tokens,
      cpu_us,
      did,
    }),
  )
}

/** The seconds without work go to the accounts that the idle energy of the engine's meters went to; else to the shared pool. */
function idleOf(
  store: Reader,
  replica: ReplicaId,
  hour: number,
  { busy_s, held }: ChipTime,
  all_s: number,
  meters: readonly MeterHour[],
): Bearing[] {
  const left_s = Math.max(0, all_s - busy_s)
  // A capacity that costs something is borne by somebody, though nobody worked and less than a second of it was paid.
  const idle_s = left_s === 0 && held.size === 0 ? 1 : left_s
  const idle = new Map<Account, bigint>()
  const mine = metersOf(store, replica, hour)
  for (const { meter, idle: of } of meters)
    if (mine(meter)) for (const [to, amount] of of) idle.set(to, (idle.get(to) ?? 0n) + amount)
  const sum = [...idle.values()].reduce((total, amount) => total + amount, 0n)
  const idle_ns = BigInt(idle_s) * 1_000_000_000n
  if (sum === 0n) return [bearing(accounts.idleCost(accounts.idle()), idle_ns)]
  return [...idle].map(([to, amount]) => bearing(accounts.idleCost(to), (idle_ns * amount) / sum))
}

const measuredBy =
  'select 1 from engine_meter where meter = ? and engine = ? and from_ms < ? and coalesce(until_ms, ?) >= ?'

/** A meter that no engine was given measures this machine, and with it every engine that writes a log here; one above others, none. */
function metersOf({ database }: Reader, replica: ReplicaId, hour: number): (meter: string) => boolean {
  const uppers = upperMeters({ database })
  const inside = one(database, 'select 1 from engine_log where replica = ? limit 1', replica) !== undefined
  const [from_ms, to_ms] = [hour * hour_ms, (hour + 1) * hour_ms]
  return (meter) => {
    const given = one(database, 'select 1 from engine_meter where meter = ? limit 1', meter) !== undefined
    return given
      ? one(database, measuredBy, meter, replica, to_ms, from_ms, from_ms) !== undefined
      : inside && !uppers.has(meter)
  }
}

/** Joules × PUE × tariff, and joules × PUE × carbon of the grid, on those who drew them. */
function electricity(
  facts: PueFacts,
  hour: number,
  { meter, energy_mj, idle, wasted, beside, drew }: MeterHour,
  rows: Rows,
  did: ReadonlyMap<AttemptId, Did>,
): SourceHour[] {
  if (isInPue(facts, meter, hour)) return []
  const { declared } = facts
  const at_ms = hour * hour_ms
  const pue = pueOf(facts, meter, hour)
  const series = [
    ['nano-USD', seriesOf(declared, 'tariff', meter, at_ms)],
    ['ugCO2e', seriesOf(declared, 'carbon', meter, at_ms)],
  ] as const
  if (!series.some(([, price]) => price)) return []
  const bearings = [
    ...[...drew].flatMap(([attempt, amount]) => {
      const work = did.get(attempt)
      return bearingsOf(rows.of(attempt), attempt, amount, work?.did, work?.coefficients)
    }),
    ...[...wasted, ...idle, ...beside].map(([to, amount]) => bearing(accounts.idleCost(to), amount)),
  ]
  return series.flatMap(([unit, price]) => {
    const amount = price ? energyCost(energy_mj, hour, price, pue) : 0n
    if (amount === 0n) return []
    return { source: accounts.electricity(meter), hour, unit, amount, bearings, busy_s: 0, all_s: 0 }
  })
}

function overheads(declared: readonly CostDeclaration[], hour: number): SourceHour[] {
  return overheadKinds.flatMap((kind) =>
    namesOf(declared, kind).flatMap((name): SourceHour[] => {
      const amount = costBetween(perHourSpans(declared, kind, name), hour * hour_ms, (hour + 1) * hour_ms)
      const bearings = [bearing(accounts.overheadCost(kind), 1n)]
      const source = accounts.overhead(kind, name)
      return amount === 0n ? [] : [{ source, hour, unit: 'nano-USD', amount, bearings, busy_s: 0, all_s: 0 }]
    }),
  )
}
