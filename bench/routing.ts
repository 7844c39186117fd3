/**
 * `npm run bench:routing`: the rule that routes live beside the rules of other routers, on recorded traffic in the twin: decode
 * modelled, three gateways that hear of each other ten times a second, a fleet of equals and one of two speeds. Loads are shares
 * of what the fleet can do at most. Every figure is simulated: the mean of several runs, in which chance decides which gateway gets a
 * request and, where a trace tells times in steps, when within its step it comes. All rules meet the same arrivals, so their differences
 * are paired; the last row of each load says how far the live rule is from the best of the others, with a 95 % interval.
 *
 *     npm run bench:routing -- [--trace mooncake|azure|FILE:mooncake|FILE:azure] [--fleet even|mixed] [--loads 0.5,0.7,0.9,1,1.1]
 *                              [--requests N] [--seeds N] [--threads N] [--tell MS] [--rule NAME]…
 */
import { parseArgs } from 'node:util'
import { rules } from '../src/lines/inference/routing.ts'
import { rowsOf } from './routing/table.ts'
import { Threads } from './routing/threads.ts'
import { figureNames, fileOf } from './routing/trial.ts'

const { values } = parseArgs({
  options: {
    trace: { type: 'string', multiple: true, default: ['mooncake', 'azure'] },
    fleet: { type: 'string', multiple: true, default: ['even', 'mixed'] },
    loads: { type: 'string', default: '0.5,0.7,0.9,1,1.1' },
    requests: { type: 'string', default: '6000' },
    seeds: { type: 'string', default: '4' },
    threads: { type: 'string', default: '2' },
    tell: { type: 'string', default: '100' },
    rule: { type: 'string', multiple: true, default: Object.keys(rules) },
  },
})
const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1)
const threads = new Threads(Number(values.threads))

async function table(trace: string, fleet: string): Promise<void> {
  const common = { trace, fleet, requests: Number(values.requests), tell: Number(values.tell) }
  const probe = { ...common, rule: 'least-uncached', seed: 1 }
  const rates = await threads.run([1, 1000].map((speed) => ({ ...probe, speed })))
  const [recorded = 1, capacity = 1] = rates.map(({ requests, simulated_s }) => requests / simulated_s)
  console.log(`\n### ${trace}, ${fleet} fleet of 8, 3 gateways (simulated)\n`)
  console.log(
    `At most ${capacity.toFixed(2)} requests/s, recorded at ${recorded.toFixed(2)}/s; means of ${seeds.length} runs.\n`,
  )
  console.log(`| load | rule | ${figureNames.join(' | ')} |\n|---|---|${'---|'.repeat(figureNames.length)}`)
  for (const load of values.loads.split(',').map(Number)) {
    const speed = (load * capacity) / recorded
    const trials = values.rule.flatMap((rule) => seeds.map((seed) => ({ ...common, rule, speed, seed })))
    const results = await threads.run(trials)
    const byRule = values.rule.map((rule) => ({
      rule,
      runs: results.filter((_, at) => trials[at]?.rule === rule).map(({ figures }) => figures),
    }))
    for (const row of rowsOf(byRule)) console.log(`| ${load} | ${row.join(' | ')} |`)
  }
}

for (const trace of values.trace)
  for (const fleet of values.fleet) {
    if (fileOf(trace)) await table(trace, fleet)
    else console.log(`skipped: the trace ${trace} is not there (WATTMILL_DATA names another folder)`)
  }
await threads.end()
