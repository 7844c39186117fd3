/**
 * `npm run bench:operations`: a million things that can happen to the books, in an order made from a seed: requests asked and
 * settled, answers from the cache, journals told once, twice and late, rows that contradict others, prices that change, energy metered by a meter and one above it, the highest power charged hour by hour, gateways that die,
 * transactions that break off on a full disk or in the midst of their work, the store closed and opened. In the end everything is
 * worked out again, and compared with what was counted beside the books.
 *
 *     npm run bench:operations -- [--operations 1000000] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeHome } from '../../src/adapters/files/home.ts'
import { check } from '../../src/adapters/sqlite/check.ts'
import { Bookkeeper } from './bookkeeper.ts'

const { values } = parseArgs({
  options: { operations: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const [operations, seed] = [Number(values.operations), Number(values.seed)]

const root = mkdtempSync(join(tmpdir(), 'wattmill-operations-'))
try {
  const keeper = new Bookkeeper(makeHome(root), seed)
  const begun = performance.now()
  let told = begun
  for (let at = 0; at < operations; at++) {
    keeper.operate()
    if (performance.now() - told < 10_000) continue
    told = performance.now()
    console.error(`${at + 1} of ${operations} operations after ${((told - begun) / 1000).toFixed(0)} s`)
  }
  keeper.finish()
  const took_s = (performance.now() - begun) / 1000
  const found = check(keeper.store)
  const wrong = keeper.compare(found)
  const { units } = found
  console.log(`${operations} operations from seed ${seed} in ${took_s.toFixed(0)} s (measured):`)
  for (const [what, times] of [...keeper.did].sort(([, a], [, b]) => b - a))
    console.log(`  ${String(times).padStart(8)} ${what}`)
  for (const [unit, { residual, transfers }] of Object.entries(units))
    console.log(`  residual ${residual} ${unit} over ${transfers} transfers`)
  console.log(
    `  ${keeper.truth.hits} answers from the cache, ${keeper.truth.drawn_mj.size} quarters of an hour, levels' residual ${found.levels.residual} mJ over ${found.levels.intervals} intervals`,
  )
  console.log(
    `  ${found.requests} requests, ${found.open} open, ${found.intervals} intervals; lost ${found.lost}, doubled ${found.doubled}, put aside ${found.quarantined}`,
  )
  for (const line of wrong) console.log(`  WRONG: ${line}`)
  console.log(wrong.length === 0 ? 'the books hold exactly what happened' : 'the books do NOT hold what happened')
  process.exitCode = wrong.length === 0 ? 0 : 1
  keeper.store.close()
} finally {
  rmSync(root, { recursive: true, force: true })
}
