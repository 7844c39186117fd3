/**
 * `npm run bench:day`: a factory's day, from the trace of an hour (Azure LLM 2023, code) that is repeated over the shape of an office
 * day, through simulated vLLM replicas and the live line, into the live books: statements, FOCUS export, cost and margins, and the
 * meters. All of them have to say the same, to the nano-dollar and the millijoule.
 *
 *     npm run bench:day -- [--hours 24] [--seed 1]
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeHome } from '../../src/adapters/files/home.ts'
import { readTrace } from '../../src/adapters/files/trace.ts'
import { readScenario } from '../../src/twin/scenario-read.ts'
import { officeDay } from '../../src/twin/workload/arrivals.ts'
import type { Traced } from '../../src/twin/workload/mooncake.ts'
import { dice } from '../dice.ts'
import { Day } from './day-books.ts'

const { values } = parseArgs({
  options: { hours: { type: 'string', default: '24' }, seed: { type: 'string', default: '1' } },
})
const [hours, seed] = [Number(values.hours), Number(values.seed)]
const file = join(
  process.env.WATTMILL_DATA ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data'),
  'traces',
  'azure_llm_2023_code.csv.gz',
)

const scenario = readScenario({
  name: 'a day of code',
  seed,
  start: '2026-03-02T00:00:00Z',
  pools: [
    {
      name: 'h100',
      replicas: 2,
      model: 'meta-llama/Llama-3.1-8B',
      chip: 'h100-sxm',
      usd_per_hour: 2.2,
      price_usd_per_million: { input: '0.10', cached: '0.02', output: '0.40' },
      engine: { max_num_batched_tokens: 8192, max_num_seqs: 256, max_model_len: 16384 },
    },
  ],
  clients: [
    { tenant: 'acme', application: 'editor', share: 3, slo: 'interactive' },
    { tenant: 'acme', application: 'review', share: 1, slo: 'standard' },
    { tenant: 'globex', application: 'agents', share: 2, slo: 'standard', leaves: { share: 0.1, within_tokens: 20 } },
  ],
  workload: { trace: file, format: 'azure' },
  energy: { meter_s: 10 },
})

/** Of each hour of the day the share of the recorded one that its weight has in the busiest. */
function* day(): Generator<Traced> {
  const { next } = dice(seed)
  const { workload } = scenario
  if (workload.kind !== 'trace') throw new Error('a trace is read')
  const hour = [...readTrace(file, workload)]
  const busiest = Math.max(...officeDay)
  for (let at = 0; at < hours; at++)
    for (const one of hour)
      if (one.at_ns < 3600e9 && next() < (officeDay[at % 24] ?? 0) / busiest)
        yield { ...one, at_ns: one.at_ns + at * 3600e9 }
}

if (existsSync(file)) {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-day-'))
  try {
    const books = new Day(makeHome(root), scenario, hours, (line) => console.error(line))
    books.live(day())
    const found = books.compare()
    for (const line of found.said) console.log(line)
    for (const line of found.wrong) console.log(`WRONG: ${line}`)
    console.log(found.wrong.length === 0 ? 'all say the same, to the unit' : 'they do NOT say the same')
    process.exitCode = found.wrong.length === 0 ? 0 : 1
    books.close()
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
} else console.log(`skipped: there is no trace ${file}`)
