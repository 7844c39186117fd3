import { type LedgerUnit, ledgerUnits } from '../books/account.ts'
import { residual } from '../books/memory.ts'
import type { Outcome } from '../books/row.ts'
import type { SloClass } from '../books/slo-class.ts'
import { inputTokens, outputTokens } from '../books/usage.ts'
import type { Ending } from '../lines/inference/flow.ts'
import { tpotOf, verdictsOf } from '../lines/inference/objectives.ts'
import { formatDecimal } from '../units/amount.ts'
import { seconds } from '../units/quantity.ts'
import type { PagedScheduler } from './engine/paged.ts'
import type { Running } from './factory/attempt.ts'
import type { TwinBooks } from './factory/books.ts'
import type { StationEnergy } from './factory/energy.ts'
import type { PowerReport } from './factory/power-report.ts'
import type { Station } from './factory/station.ts'
import type { Kernel } from './kernel.ts'
import { Column, type Spread } from './records.ts'
import type { Scenario } from './scenario.ts'
import type { Request } from './workload/request.ts'

/** What a run came to. Every figure in it is simulated. */
export interface Report {
  readonly scenario: string
  readonly seed: number
  readonly grade: 'simulated'
  /** Where step times come from, by pool, and how far such predictions were off where they could be compared. */
  readonly rungs: Readonly<Record<string, string>>
  /** From the first arrival to the last thing that happened. */
  readonly simulated_s: number
  readonly requests: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly tokens: { readonly input: number; readonly cached: number; readonly output: number; readonly wasted: number }
  /** Request to first token that the client could see, waiting included; null where none got so far. */
  readonly ttft_ms: Spread | null
  /** Mean time per token after the first, of complete answers. */
  readonly tpot_ms: Spread | null
  /** Request to last byte, of complete answers. */
  readonly total_ms: Spread | null
  /** Requests that were answered within all objectives. */
  readonly goodput: { readonly share: number; readonly per_s: number }
  /** By SLO class. */
  readonly classes: Readonly<
    Record<string, { readonly requests: number; readonly complete_share: number; readonly good_share: number }>
  >
  /** How the limit of power was kept; null: there was none. */
  readonly power: PowerReport | null
  readonly output_tokens_per_s: number
  /** Null: the scenario gives no power. */
  readonly energy: {
    readonly chips_kwh: number
    readonly facility_kwh: number
    readonly idle_share: number
    readonly joules_per_output_token: number | null
    readonly peak_w: number
  } | null
  readonly money: {
    readonly revenue_usd: string
    /** Hours of replicas at what the scenario says that they cost. */
    readonly capacity_usd: number
    readonly energy_usd: number
    readonly cost_usd_per_million_output_tokens: number | null
  }
  readonly replicas: readonly ReplicaReport[]
  readonly books: {
    readonly conserved: boolean
    readonly residuals: Readonly<Record<LedgerUnit, string>>
    /** Tokens that engines made less those that are booked as served or wasted, and less `unheard`. */
    readonly unbooked: number
    /** Tokens of upstreams that no gateway heard of: cut off before they said, or never said. */
    readonly unheard: number
    readonly open: number
    readonly transfers: number
  }
  readonly events: number
  readonly steps: number
}

export interface ReplicaReport {
  readonly name: string
  readonly steps: number
  readonly busy_share: number
  readonly preemptions: number
  readonly cached_share: number | null
  readonly chips_kwh: number
  readonly peak_w: number
}

/** Bands that predictions on each rung were within, where they could be compared. */
const bands = {
  'data sheet':
    'data sheets: time per token off by 15 % (median) and 49 % (p90) on 651 published vLLM runs, power by up to 0.15 of TDP',
  fitted: 'fitted: as good as the fit that the scenario gives',
} as const

interface Counts {
  requests: number
  good: number
  complete: number
}

/** Counts what happens to requests. */
export class Tally {
  readonly #scenario: Scenario
  readonly #outcomes = new Map<string, number>()
  readonly #ttft = new Column()
  readonly #tpot = new Column()
  readonly #total = new Column()
  readonly #classes = new Map<SloClass, Counts>()
  readonly #hits = new Map<string, { input: number; cached: number }>()
  #requests = 0
  #good = 0
  #first_ns = Number.POSITIVE_INFINITY
  #last_ns = 0
  #input = 0
  #cached = 0
  #output = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  asked(request: Request, slo: SloClass): void {
    this.#requests++
    this.#classOf(slo).requests++
    this.#first_ns = Math.min(this.#first_ns, request.at_ns)
  }

  over(running: Running, ending: Ending, now_ns: number): void {
    const outcome: Outcome | 'refused' | 'left' = ending.kind === 'settled' ? ending.outcome : ending.kind
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
    this.#last_ns = now_ns
    const { flow, request, first_ns } = running
    if (first_ns !== undefined) this.#ttft.add((first_ns - request.at_ns) / 1e6)
    if (!flow.closing) return
    for (const { usage, replica } of flow.closing.attempts) {
      const [input, cached] = [inputTokens(usage), usage.cache_read?.tokens ?? 0]
      this.#input += input
      this.#cached += cached
      this.#output += outputTokens(usage)
      const hits = this.#hits.get(replica) ?? { input: 0, cached: 0 }
      hits.input += input
      hits.cached += cached
      this.#hits.set(replica, hits)
    }
    const last = flow.closing.attempts.at(-1)
    if (outcome !== 'complete' || !last) return
    this.#classOf(flow.ask.slo).complete++
    this.#total.add((now_ns - request.at_ns) / 1e6)
    const tpot = tpotOf(
      first_ns === undefined ? undefined : seconds(first_ns / 1e9),
      seconds((running.attempt?.last_ns ?? now_ns) / 1e9),
      outputTokens(last.usage),
    )
    if (tpot !== undefined) this.#tpot.add(1000 * tpot)
    const { ttft_ms, tpot_ms } = this.#scenario.objectives
    const verdicts = verdictsOf(flow.closing, tpot, { ttft: seconds(ttft_ms / 1000), tpot: seconds(tpot_ms / 1000) })
    if (verdicts.answered && verdicts.ttft !== false && verdicts.tpot !== false) {
      this.#good++
      this.#classOf(flow.ask.slo).good++
    }
  }

  #classOf(slo: SloClass): Counts {
    const known = this.#classes.get(slo) ?? { requests: 0, good: 0, complete: 0 }
    this.#classes.set(slo, known)
    return known
  }

  report(of: {
    readonly kernel: Kernel
    readonly stations: readonly Station[]
    readonly energy: readonly StationEnergy[]
    readonly books: TwinBooks
    readonly peak_w: number
    readonly power: PowerReport | undefined
  }): Report {
    const { kernel, stations, energy, books } = of
    const simulated_s = Math.max(0, this.#last_ns - Math.min(this.#first_ns, this.#last_ns)) / 1e9
    const chips_kwh = kwh(energy.reduce((sum, one) => sum + one.total_j, 0))
    const balance = (prefix: string, unit: LedgerUnit): bigint => sumOf(books, `${unit} ${prefix}`)
    const idle = balance('idle/', 'mJ')
    const all = -balance('meter/', 'mJ')
    const { pue, usdPerKwh } = this.#scenario.energy
    const hours = kernel.now_ns / 3.6e12
    const capacity_usd = this.#scenario.pools.reduce((sum, pool) => sum + pool.replicas * pool.usdPerHour * hours, 0)
    const energy_usd = chips_kwh * pue * usdPerKwh
    const billed = Number(balance('tenant/', 'token'))
    const wasted = Number(balance('waste/', 'token'))
    return {
      scenario: this.#scenario.name,
      seed: this.#scenario.seed,
      grade: 'simulated',
      rungs: Object.fromEntries(this.#scenario.pools.map(({ name, cost }) => [name, bands[cost.rung]])),
      simulated_s,
      requests: this.#requests,
      outcomes: Object.fromEntries([...this.#outcomes].sort(([a], [b]) => (a < b ? -1 : 1))),
      tokens: { input: this.#input, cached: this.#cached, output: this.#output, wasted },
      ttft_ms: this.#ttft.spread(),
      tpot_ms: this.#tpot.spread(),
      total_ms: this.#total.spread(),
      goodput: {
        share: this.#requests === 0 ? 0 : this.#good / this.#requests,
        per_s: simulated_s > 0 ? this.#good / simulated_s : 0,
      },
      classes: Object.fromEntries(
        [...this.#classes].map(([slo, { requests, good, complete }]) => [
          slo,
          { requests, complete_share: complete / requests, good_share: good / requests },
        ]),
      ),
      power: of.power ?? null,
      output_tokens_per_s: simulated_s > 0 ? this.#output / simulated_s : 0,
      energy:
        chips_kwh === 0
          ? null
          : {
              chips_kwh,
              facility_kwh: chips_kwh * pue,
              idle_share: all > 0n ? Number(idle) / Number(all) : 0,
              joules_per_output_token: this.#output > 0 ? (chips_kwh * 3.6e6) / this.#output : null,
              peak_w: of.peak_w,
            },
      money: {
        revenue_usd: formatDecimal(balance('revenue/', 'nano-USD'), 9),
        capacity_usd,
        energy_usd,
        cost_usd_per_million_output_tokens:
          this.#output > 0 && capacity_usd + energy_usd > 0 ? ((capacity_usd + energy_usd) * 1e6) / this.#output : null,
      },
      replicas: stations.map((station, at) => this.#replica(station, energy[at], kernel)),
      books: booksReport(books, stations, billed + wasted),
      events: kernel.happened,
      steps: stations.reduce((sum, { engine }) => sum + engine.reading().steps, 0),
    }
  }

  #replica({ replica, engine, ranks }: Station, energy: StationEnergy | undefined, kernel: Kernel): ReplicaReport {
    const { busy_s, steps } = engine.reading()
    const hits = this.#hits.get(replica.id)
    return {
      name: replica.id,
      steps,
      busy_share: kernel.now_ns > 0 ? (1e9 * busy_s) / kernel.now_ns : 0,
      preemptions: ranks.reduce((sum, rank) => sum + ((rank as Partial<PagedScheduler>).preemptions ?? 0), 0),
      cached_share: hits && hits.input > 0 ? hits.cached / hits.input : null,
      chips_kwh: kwh(energy?.total_j ?? 0),
      peak_w: energy?.peak_w ?? 0,
    }
  }
}

const kwh = (joules: number): number => joules / 3.6e6

function sumOf({ balances }: TwinBooks, prefix: string): bigint {
  let sum = 0n
  for (const [key, amount] of balances) if (key.startsWith(prefix)) sum += amount
  return sum
}

function booksReport(books: TwinBooks, stations: readonly Station[], booked: number): Report['books'] {
  const residuals = ledgerUnits.map((unit) => [unit, residual(books.balances, unit)] as const)
  const unheard = stations.reduce((sum, station) => sum + station.unheard, 0)
  const unbooked = stations.reduce((sum, station) => sum + station.tokens, 0) - booked - unheard
  return {
    conserved: unbooked === 0 && books.open === 0 && residuals.every(([, sum]) => sum === 0n),
    residuals: Object.fromEntries(residuals.map(([unit, sum]) => [unit, sum.toString()])) as Record<LedgerUnit, string>,
    unbooked,
    unheard,
    open: books.open,
    transfers: books.transfers,
  }
}
