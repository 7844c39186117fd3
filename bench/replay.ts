/**
 * `npm run bench:replay`: runs of the live embedded engine, recorded and replayed in the twin. Step times are fitted to the first
 * half of each run's own engine log; the whole run is replayed.
 *
 * Judged are runs in which requests seldom overlap: tokens, postings and money must be the same to the last, medians of TTFT and
 * of ITL within a quarter. Printed beside them is a run in which they overlap: who comes some milliseconds before a slot is free
 * gets another slot, and with it another share of the cache, so there the postings of some requests differ in which of their
 * prompt tokens were cached.
 *
 *     npm run bench:replay -- [--requests 60] [--per-second 0.6] [--busy 2] [--seeds 3]
 */
import { parseArgs } from 'node:util'
import { post } from '../src/books/post.ts'
import { priceList } from '../src/books/price.ts'
import type { CloseRow } from '../src/books/row.ts'
import { itlOf } from '../src/books/tally.ts'
import { price } from '../src/units/amount.ts'
import { id } from '../src/units/ids.ts'
import { median } from './load/figures.ts'
import type { Plan } from './replay/record.ts'
import { record } from './replay/record.ts'
import { fitTimes, replay } from './replay/twin.ts'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '60' },
    'per-second': { type: 'string', default: '0.6' },
    busy: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '3' },
  },
})
const band = 0.25

const priced = {
  version: 1,
  model: id<CloseRow['model']>('larger'),
  effective_from_ms: 0,
  perMillion: priceList(price(500_000_000n), price(2_000_000_000n), { cache_read: price(50_000_000n) }),
  note: '',
}

const postings = (row: CloseRow): string =>
  post(row, priced)
    .map(({ id, unit, amount }) => `${id.slice(id.indexOf('/') + 1)} ${unit} ${amount}`)
    .join(', ')

/** All that is charged or counted, in a unit. */
const total = (rows: readonly CloseRow[], unit: string): bigint =>
  rows.flatMap((row) => post(row, priced)).reduce((sum, one) => sum + (one.unit === unit ? one.amount : 0n), 0n)

const medians = (rows: readonly CloseRow[]) => ({
  ttft: median(rows.flatMap(({ ttft_ms }) => ttft_ms ?? [])),
  itl: median(rows.flatMap((row) => itlOf(row) ?? [])),
})

async function compare(plan: Plan): Promise<{ readonly exact: boolean; readonly near: boolean }> {
  const recorded = await record(plan)
  const { rows, steps } = recorded
  const times = fitTimes(steps.slice(0, Math.ceil(steps.length / 2)))
  const replayed = replay(recorded, times)
  const differing = rows.filter((row, at) => !replayed[at] || postings(row) !== postings(replayed[at]))
  const [live, twin] = [medians(rows), medians(replayed)]
  const [ttft, itl] = [twin.ttft / live.ttft - 1, twin.itl / live.itl - 1]
  const milli = (seconds: number): string => (1000 * seconds).toFixed(2)
  const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)} %`
  console.log(`
seed ${plan.seed}, ${plan.perSecond} requests/s: ${rows.length} requests and ${steps.length} steps measured, ${replayed.length} requests simulated
  step     ${milli(times.step)} ms + ${milli(times.prefill)} a prompt token + ${milli(times.decode)} a decode + ${(1e6 * times.kv_read).toFixed(2)} µs a token of context; ${milli(times.host)} ms of host between
  tokens   ${total(rows, 'token')} recorded, ${total(replayed, 'token')} replayed
  money    ${total(rows, 'nano-USD')} nano-USD recorded, ${total(replayed, 'nano-USD')} replayed
  books    ${differing.length} requests whose postings differ
  TTFT p50 ${live.ttft} ms recorded, ${twin.ttft} ms replayed: ${signed(ttft)}
  ITL p50  ${live.itl.toFixed(2)} ms recorded, ${twin.itl.toFixed(2)} ms replayed: ${signed(itl)}`)
  return {
    exact: replayed.length === rows.length && differing.length === 0,
    near: Math.abs(ttft) <= band && Math.abs(itl) <= band,
  }
}

const [requests, perSecond, busy] = [values.requests, values['per-second'], values.busy].map(Number) as [
  number,
  number,
  number,
]
const runs: Awaited<ReturnType<typeof compare>>[] = []
for (let seed = 1; seed <= Number(values.seeds); seed++) runs.push(await compare({ requests, perSecond, seed }))
if (busy > 0) await compare({ requests, perSecond: busy, seed: 1 })
const count = (what: 'exact' | 'near'): string => `${runs.filter((run) => run[what]).length} of ${runs.length}`
console.log(`\nexact in tokens and books: ${count('exact')}; medians of TTFT and ITL within 25 %: ${count('near')}`)
process.exitCode = runs.every(({ exact, near }) => exact && near) ? 0 : 1
