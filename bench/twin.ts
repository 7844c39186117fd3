/**
 * Simulated requests a second on one core: one pool of eight replicas under the Mooncake conversation trace, decode modelled.
 *
 *     npm run bench:twin -- [--runs 7] [--speed 1] [--json]
 *
 * Modelled: the live line (admission, queue, routing in money, metering, rows) with a group-committing journal, the live rules
 * of posting in tokens and money; engines as vLLM v1 schedules (token budget, chunked prefill, blocks of 16 tokens, prefix
 * cache with eviction, preemption, two steps under way), every step's time and energy from data sheets, meters every 10 s.
 * Not modelled: bytes, sockets, tokenizers. The trace is read beforehand. One thread runs it all; CPU time is that of the
 * whole process, so that other work on the machine does not count, while garbage collection does.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readTrace } from '../src/adapters/files/trace.ts'
import { runTwin } from '../src/twin/run.ts'
import { readScenario } from '../src/twin/scenario-read.ts'
import { median } from './load/figures.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    speed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const data = process.env.WATTMILL_DATA ?? '../shared/data'
const file = `${data}/traces/mooncake_conversation_trace.jsonl.gz`
if (!existsSync(file)) {
  console.log(`skipped: ${file} is not there (the Mooncake conversation trace; WATTMILL_DATA names another folder)`)
  process.exit(0)
}

const bar = 20_000
const scenario = readScenario({
  name: 'Mooncake conversation on eight H100',
  pools: [
    {
      name: 'h100',
      replicas: 8,
      model: 'meta-llama/Llama-3.1-8B',
      chip: 'h100-sxm',
      usd_per_hour: 2.2,
      price_usd_per_million: { input: '0.10', cached: '0.02', output: '0.40' },
      engine: { max_num_batched_tokens: 8192, max_model_len: 131_072 },
    },
  ],
  clients: [{ tenant: 'everyone', slo: 'batch' }],
  workload: { trace: file, format: 'mooncake', speed: Number(values.speed) },
  gateway: { queue_length: 100_000, queue_s: 100_000 },
  deadline_s: 100_000,
})
if (scenario.workload.kind !== 'trace') throw new Error('the scenario names a trace')
const traced = [...readTrace(file, scenario.workload)]

const runs = Array.from({ length: 1 + Number(values.runs) }, () => {
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  const report = runTwin(scenario, traced)
  const { user, system } = process.cpuUsage(cpu)
  if (!report.books.conserved) throw new Error(`the books are not conserved: ${JSON.stringify(report.books)}`)
  return { report, wall_s: (performance.now() - began) / 1000, cpu_s: (user + system) / 1e6 }
})
const [first, ...warm] = runs
if (!first || warm.length === 0) throw new Error('--runs is a whole number above 0')
const { report } = first
const perSecond = (of: 'wall_s' | 'cpu_s'): number => report.requests / median(warm.map((run) => run[of]))
const result = {
  requests: report.requests,
  output_tokens: report.tokens.output,
  engine_steps: report.steps,
  events: report.events,
  runs: warm.length,
  requests_per_cpu_s: Math.round(perSecond('cpu_s')),
  requests_per_s: Math.round(perSecond('wall_s')),
  first_run_requests_per_cpu_s: Math.round(report.requests / first.cpu_s),
  output_tokens_per_cpu_s: Math.round((perSecond('cpu_s') * report.tokens.output) / report.requests),
  times_real_time: Math.round(report.simulated_s / median(warm.map((run) => run.wall_s))),
  bar,
}
if (values.json) console.log(JSON.stringify(result))
else {
  console.log(`${scenario.name}: ${result.requests} requests, ${result.output_tokens} output tokens, decode modelled`)
  console.log(`  ${result.engine_steps} engine steps in ${result.events} events; books conserved in every run`)
  console.log(
    `  median of ${result.runs} runs after the first: ${result.requests_per_cpu_s} simulated requests per CPU second`,
  )
  console.log(
    `  wall clock, with whatever else the machine did: ${result.requests_per_s} requests/s, ${result.times_real_time} × real time`,
  )
  console.log(
    `  first run, uncompiled: ${result.first_run_requests_per_cpu_s} per CPU second; ${result.output_tokens_per_cpu_s} output tokens per CPU second`,
  )
  console.log(`  bar ${bar}: ${result.requests_per_cpu_s >= bar ? 'met' : 'NOT met'}`)
}
