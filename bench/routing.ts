/**
 * `npm run bench:routing`: the rule that routes live beside the rules of other routers, on recorded traffic in the twin: decode
 * modelled, three gateways of which each knows only what it sent itself, a fleet of equals and one of two speeds. Loads are
 * shares of what the fleet can do at most. Every figure is simulated; rows where another rule is better are marked.
 *
 *     npm run bench:routing -- [--trace mooncake|azure|FILE:mooncake|FILE:azure] [--fleet even|mixed] [--loads 0.5,0.7,0.9,1,1.1] [--requests N]
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readTrace } from '../src/adapters/files/trace.ts'
import { rules } from '../src/lines/inference/routing.ts'
import type { Report } from '../src/twin/report.ts'
import { runTwin } from '../src/twin/run.ts'
import type { Scenario } from '../src/twin/scenario.ts'
import { readScenario } from '../src/twin/scenario-read.ts'
import type { Traced } from '../src/twin/workload/mooncake.ts'

const { values } = parseArgs({
  options: {
    trace: { type: 'string', multiple: true, default: ['mooncake', 'azure'] },
    fleet: { type: 'string', multiple: true, default: ['even', 'mixed'] },
    loads: { type: 'string', default: '0.5,0.7,0.9,1,1.1' },
    requests: { type: 'string', default: '6000' },
    capacity: { type: 'string', default: '' },
    tell: { type: 'string', default: '100' },
    rule: { type: 'string', multiple: true, default: Object.keys(rules) },
  },
})
const data = process.env.WATTMILL_DATA ?? '../shared/data'
const files: Readonly<Record<string, { readonly file: string; readonly format: string }>> = {
  mooncake: { file: `${data}/traces/mooncake_conversation_trace.jsonl.gz`, format: 'mooncake' },
  azure: { file: `${data}/traces/azure_llm_2023_code.csv.gz`, format: 'azure' },
}
/** A trace by its name, or a file and how it is written. */
const fileOf = (trace: string): { readonly file: string; readonly format: string } | undefined => {
  const at = trace.lastIndexOf(':')
  return files[trace] ?? (at > 0 ? { file: trace.slice(0, at), format: trace.slice(at + 1) } : undefined)
}
const requests = Number(values.requests)
const loads = values.loads.split(',').map(Number)

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

function scenarioOf(fleet: string, trace: string, rule: string, speed: number): Scenario {
  const of = fileOf(trace)
  return readScenario({
    name: `${trace} on ${fleet}`,
    seed: 1,
    pools: fleets[fleet],
    clients: [{ tenant: 'everyone', slo: 'interactive' }],
    workload: { trace: of?.file, format: of?.format, speed, requests },
    gateways: 3,
    gateways_tell_ms: Number(values.tell),
    gateway: { routing: rule, queue_length: 100_000, queue_s: 100_000 },
    objectives: { ttft_ms: 2000, tpot_ms: 50 },
    deadline_s: 100_000,
  })
}

const run = (fleet: string, trace: string, rule: string, speed: number, traced: readonly Traced[]): Report => {
  const report = runTwin(scenarioOf(fleet, trace, rule, speed), traced)
  if (!report.books.conserved) throw new Error(`${fleet} ${trace} ${rule}: the books are not conserved`)
  return report
}

const figures = (report: Report) => ({
  'TTFT mean s': (report.ttft_ms?.mean ?? Number.NaN) / 1000,
  'TTFT p99 s': (report.ttft_ms?.p99 ?? Number.NaN) / 1000,
  'ITL mean ms': report.tpot_ms?.mean ?? Number.NaN,
  'goodput %': 100 * report.goodput.share,
  'hit %': (100 * report.tokens.cached) / report.tokens.input,
  '$/1k requests': (1000 * (report.money.capacity_usd + report.money.energy_usd)) / report.requests,
  'J/request': ((report.energy?.chips_kwh ?? 0) * 3.6e6) / report.requests,
})
type Figures = ReturnType<typeof figures>
const better: Readonly<Record<keyof Figures, 'less' | 'more'>> = {
  'TTFT mean s': 'less',
  'TTFT p99 s': 'less',
  'ITL mean ms': 'less',
  'goodput %': 'more',
  'hit %': 'more',
  '$/1k requests': 'less',
  'J/request': 'less',
}

for (const trace of values.trace)
  for (const fleet of values.fleet) {
    const of = fileOf(trace)
    if (!of || !existsSync(of.file)) {
      console.log(`skipped: ${of?.file ?? trace} is not there (WATTMILL_DATA names another folder)`)
      continue
    }
    const probe = scenarioOf(fleet, trace, 'least-uncached', 1)
    if (probe.workload.kind !== 'trace') throw new Error('the scenario names a trace')
    const traced = [...readTrace(of.file, probe.workload)].slice(0, requests)
    const asItCame = run(fleet, trace, 'least-uncached', 1, traced)
    const flooded = run(fleet, trace, 'least-uncached', 1000, traced)
    const capacity = Number(values.capacity) || flooded.requests / flooded.simulated_s
    const recorded = asItCame.requests / asItCame.simulated_s
    console.log(
      `\n${trace}, ${fleet} fleet of 8, 3 gateways (simulated): ${capacity.toFixed(2)} requests/s at most, recorded at ${recorded.toFixed(2)}/s`,
    )
    console.log(['load', 'rule'.padEnd(16), ...Object.keys(better)].join('\t'))
    for (const load of loads) {
      const table = values.rule.map((rule) => ({
        rule,
        ...figures(run(fleet, trace, rule, (load * capacity) / recorded, traced)),
      }))
      const best = Object.fromEntries(
        Object.entries(better).map(([name, way]) => {
          const all = table.map((row) => row[name as keyof Figures])
          return [name, way === 'less' ? Math.min(...all) : Math.max(...all)]
        }),
      ) as Record<keyof Figures, number>
      for (const row of table) {
        const cells = (Object.keys(better) as (keyof Figures)[]).map((name) => {
          const value = row[name]
          return `${value.toPrecision(4)}${value === best[name] ? '*' : ''}`
        })
        console.log([load, row.rule.padEnd(16), ...cells].join('\t'))
      }
    }
  }
console.log('\n* the best of its load')
