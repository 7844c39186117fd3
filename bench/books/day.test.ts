import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeHome } from '../../src/adapters/files/home.ts'
import { readScenario } from '../../src/twin/scenario-read.ts'
import type { Traced } from '../../src/twin/workload/mooncake.ts'
import { unique } from '../../src/twin/workload/prompt.ts'
import { dice } from '../dice.ts'
import { Day } from './day-books.ts'

test('statement, FOCUS, cost, margins and meters of a simulated hour say the same, to the unit', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-day-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const scenario = readScenario({
    name: 'an hour',
    start: '2026-03-02T08:00:00Z',
    pools: [
      {
        name: 'h100',
        model: 'meta-llama/Llama-3.1-8B',
        chip: 'h100-sxm',
        usd_per_hour: 2.2,
        price_usd_per_million: { input: '0.101', cached: '0.02', output: '0.4003' },
      },
    ],
    clients: [
      { tenant: 'acme', share: 2 },
      { tenant: 'globex', share: 1, leaves: { share: 0.3, within_tokens: 20 } },
    ],
    workload: { trace: 'made up', format: 'azure' },
    energy: { meter_s: 30 },
  })
  const { whole } = dice(5)
  const traced = Array.from({ length: 300 }, (_, at): Traced => {
    return { at_ns: at * 11e9, prompt: unique(whole(20, 4000)), answer: whole(1, 60) }
  })
  const books = new Day(makeHome(root), scenario, 1, () => undefined)
  books.live(traced)
  const { said, wrong } = books.compare()
  books.close()
  assert.deepEqual(wrong, [])
  assert(said.length > 10)
})
