/**
 * What hedging is worth on the twin: eight replicas, one of which stalls for a few seconds again and again, with and without.
 *
 *     npm run bench:hedge -- [--requests 20000] [--factor 30]
 *
 * Simulated. The budget is a share of what serving costs; wasted are tokens that engines made for attempts that lost.
 */
import { parseArgs } from 'node:util'
import { runTwin } from '../src/twin/run.ts'
import { readScenario } from '../src/twin/scenario-read.ts'

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, factor: { type: 'string', default: '30' } },
})

const scenario = (hedge_percent: number) =>
  readScenario({
    name: 'one replica that stalls',
    seed: 1,
    pools: [
      {
        name: 'h100',
        replicas: 8,
        model: 'meta-llama/Llama-3.1-8B',
        chip: 'h100-sxm',
        usd_per_hour: 2.2,
        stream: 'own',
      },
    ],
    workload: {
      per_second: 40,
      requests: Number(values.requests),
      prompt: { median: 900, spread: 0.9, most: 12_000 },
      answer: { median: 150, spread: 0.7, most: 1000 },
    },
    gateway: { hedge_percent, queue_length: 1000 },
    faults: Array.from({ length: 40 }, (_, n) => ({
      kind: 'slow',
      replica: 'h100-3',
      at_s: 10 + 12 * n,
      for_s: 3,
      factor: Number(values.factor),
    })),
  })

const row = (...cells: (string | number)[]): void =>
  console.log(cells.map((cell) => String(cell).padStart(14)).join(''))
console.log('simulated; TTFT in ms, tokens in thousands')
row('hedge_percent', 'p50', 'p99', 'wasted', 'input+output', 'conserved')
for (const percent of [0, 1, 2, 5]) {
  const { ttft_ms, tokens, books } = runTwin(scenario(percent))
  const all = tokens.input + tokens.cached + tokens.output
  const k = (count: number): string => (count / 1000).toFixed(1)
  row(
    percent,
    ttft_ms?.p50.toFixed(0) ?? '-',
    ttft_ms?.p99.toFixed(0) ?? '-',
    k(tokens.wasted),
    k(all),
    `${books.conserved}`,
  )
}
