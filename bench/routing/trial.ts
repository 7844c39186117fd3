import { existsSync } from 'node:fs'
import { readTrace } from '../../src/adapters/files/trace.ts'
import { randomFrom } from '../../src/twin/random.ts'
import type { Report } from '../../src/twin/report.ts'
import { runTwin } from '../../src/twin/run.ts'
import type { Scenario } from '../../src/twin/scenario.ts'
import { readScenario } from '../../src/twin/scenario-read.ts'
import type { Traced } from '../../src/twin/workload/mooncake.ts'
import { withinSteps } from './arrivals.ts'

/** What is run: a trace on a fleet, so fast, under a rule, with chance from a seed. */
export interface Trial {
  readonly trace: string
  readonly fleet: string
  readonly rule: string
  /** How many times as fast as it was recorded. */
  readonly speed: number
  readonly seed: number
  readonly requests: number
  /** Gateways tell each other every so many ms; 0: never. */
  readonly tell: number
}

interface TraceFile {
  readonly file: string
  readonly format: string
  /** Times were recorded in steps of so long. */
  readonly step_ns: number
}

const data = process.env.WATTMILL_DATA ?? '../shared/data'
const files: Readonly<Record<string, TraceFile>> = {
  mooncake: { file: `${data}/traces/mooncake_conversation_trace.jsonl.gz`, format: 'mooncake', step_ns: 3e9 },
  azure: { file: `${data}/traces/azure_llm_2023_code.csv.gz`, format: 'azure', step_ns: 0 },
}

/** A trace by its name, or `FILE:FORMAT`; undefined: it is not there. */
export function fileOf(trace: string): TraceFile | undefined {
  const at = trace.lastIndexOf(':')
  const own = at > 0 ? { file: trace.slice(0, at), format: trace.slice(at + 1), step_ns: 0 } : undefined
  const found = files[trace] ?? own
  return found && existsSync(found.file) ? found : undefined
}

const pool = (name: string, replicas: number, chip: string, usd: number) => ({
  name,
  replicas,
  model: 'meta-llama/Llama-3.1-8B',
  chip,
  concurrency: 65_536,
  usd_per_hour: usd,
  price_usd_per_million: { input: '0.10', cached: '0.02', output: '0.40' },
  engine: { max_num_batched_tokens: 8192, max_model_len: 131_072 },
})
const fleets: Readonly<Record<string, readonly object[]>> = {
  even: [pool('h100', 8, 'h100-sxm', 2.2)],
  mixed: [pool('h100', 4, 'h100-sxm', 2.2), pool('a100', 4, 'a100-80', 1.3)],
}

function scenarioOf({ trace, fleet, rule, speed, seed, requests, tell }: Trial): Scenario {
  const of = fileOf(trace)
  return readScenario({
    name: `${trace} on ${fleet}`,
    seed,
    pools: fleets[fleet],
    clients: [{ tenant: 'everyone', slo: 'interactive' }],
    workload: { trace: of?.file, format: of?.format, speed, requests },
    gateways: 3,
    gateways_tell_ms: tell,
    gateways_take: 'chance',
    gateway: { routing: rule, queue_length: 100_000, queue_s: 100_000 },
    objectives: { ttft_ms: 2000, tpot_ms: 50 },
    deadline_s: 100_000,
  })
}

export function run(trial: Trial): Report {
  const traced = withinSteps(recorded(trial), fileOf(trial.trace)?.step_ns ?? 0, randomFrom(trial.seed)('within steps'))
  const report = runTwin(scenarioOf(trial), traced)
  if (!report.books.conserved)
    throw new Error(`${trial.fleet} ${trial.trace} ${trial.rule}: the books are not conserved`)
  return report
}

const read = new Map<string, readonly Traced[]>()

function recorded(trial: Trial): readonly Traced[] {
  const name = `${trial.trace} ${trial.requests}`
  const known = read.get(name)
  if (known) return known
  const { workload } = scenarioOf(trial)
  const of = fileOf(trial.trace)
  if (workload.kind !== 'trace' || !of) throw new Error(`${trial.trace}: there is no such trace`)
  const traced = [...readTrace(of.file, workload)].slice(0, trial.requests)
  read.set(name, traced)
  return traced
}

/** What a run came to; columns of the table. */
export const figures = {
  'TTFT mean s': { better: 'less', of: (report: Report) => (report.ttft_ms?.mean ?? Number.NaN) / 1000 },
  'TTFT p99 s': { better: 'less', of: (report: Report) => (report.ttft_ms?.p99 ?? Number.NaN) / 1000 },
  'ITL mean ms': { better: 'less', of: (report: Report) => report.tpot_ms?.mean ?? Number.NaN },
  'goodput %': { better: 'more', of: (report: Report) => 100 * report.goodput.share },
  'hit %': { better: 'more', of: ({ tokens }: Report) => (100 * tokens.cached) / tokens.input },
  '$/1k requests': {
    better: 'less',
    of: ({ money, requests }: Report) => (1000 * (money.capacity_usd + money.energy_usd)) / requests,
  },
  'J/request': {
    better: 'less',
    of: ({ energy, requests }: Report) => ((energy?.chips_kwh ?? 0) * 3.6e6) / requests,
  },
} as const satisfies Readonly<Record<string, { better: 'less' | 'more'; of(report: Report): number }>>

export type Figure = keyof typeof figures
export const figureNames = Object.keys(figures) as Figure[]
