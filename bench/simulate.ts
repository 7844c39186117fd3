/**
 * `npm run simulate -- --seeds N [--from SEED]`: a factory on simulated time, killed, torn and confused by seed; the identities
 * of the books are asked after everything that happens. Then the planted bugs: how many seeds it takes to find each.
 * A seed that breaks a law is printed with the least story that breaks it, and the exit status is 1.
 */
import { parseArgs } from 'node:util'
import { bugs, withBug } from '../src/twin/faults/bugs.ts'
import { liveParts } from '../src/twin/faults/parts.ts'
import { planOf } from '../src/twin/faults/plan.ts'
import type { Verdict } from '../src/twin/faults/simulate.ts'
import { minimize, simulate } from '../src/twin/faults/simulate.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    most: { type: 'string', default: '1000' },
  },
})
const [seeds, from, most] = [Number(values.seeds), Number(values.from), Number(values.most)]
if (![seeds, from, most].every((value) => Number.isSafeInteger(value) && value > 0))
  throw new Error('--seeds, --from and --most are whole numbers above 0')

function tell({ plan, broken, story }: Verdict): void {
  console.log(`\nseed ${plan.seed} breaks:`)
  for (const law of broken) console.log(`  ${law}`)
  console.log('the least story that does:')
  for (const client of plan.clients) console.log(`  client ${JSON.stringify(client)}`)
  for (const line of story) console.log(`  ${line}`)
}

let [failed, requests, transfers] = [0, 0, 0]
const began = performance.now()
for (let seed = from; seed < from + seeds; seed++) {
  const verdict = simulate(planOf(seed), liveParts)
  requests += verdict.requests
  transfers += verdict.transfers
  if (verdict.broken.length === 0) continue
  failed++
  if (failed <= 3) tell(minimize(verdict.plan, liveParts))
}
const took_s = (performance.now() - began) / 1000
console.log(
  `${seeds} seeds from ${from}: ${failed} broke a law; ${requests} requests, ${transfers} transfers (simulated); ` +
    `${(seeds / took_s).toFixed(0)} seeds/s`,
)

let missed = 0
console.log('\nplanted bugs, and the seeds it took to find each:')
for (const bug of Object.keys(bugs)) {
  let tried = 1
  let verdict = simulate(planOf(from), withBug(bug))
  for (; verdict.broken.length === 0 && tried < most; tried++) verdict = simulate(planOf(from + tried), withBug(bug))
  const found = verdict.broken.length > 0
  if (!found) missed++
  console.log(
    `  ${found ? String(tried).padStart(4) : 'none'}  ${bug}${found ? `: ${verdict.broken[0]?.slice(0, 100)}` : ''}`,
  )
}
console.log(`${Object.keys(bugs).length - missed} of ${Object.keys(bugs).length} found`)
process.exitCode = failed + missed > 0 ? 1 : 0
