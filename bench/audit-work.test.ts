import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeHours } from '../src/adapters/sqlite/costs/close-hours.ts'
import { declare } from '../src/adapters/sqlite/costs/declarations.ts'
import { engineCursor, engineReadTo, ingestEngineLog } from '../src/adapters/sqlite/engine-log.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { ingestJournal, journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { settleOrphans } from '../src/adapters/sqlite/orphans.ts'
import { reconcileAttempts } from '../src/adapters/sqlite/reconcile.ts'
import { rollUp } from '../src/adapters/sqlite/rollup.ts'
import type { Store } from '../src/adapters/sqlite/store.ts'
import {
  closeRow,
  dice,
  embeddedUsage,
  gateway,
  journaled,
  measuredStore,
  testHome,
} from '../src/adapters/sqlite/testing.ts'
import type { CloseRow } from '../src/books/row.ts'
import { usageFrom } from '../src/books/usage.ts'
import { nanoDollars } from '../src/units/amount.ts'
import { id } from '../src/units/ids.ts'
import { parseExport, readEngineLogs } from './audit/read.ts'
import { checkWork } from './audit/work.ts'

const hour_ms = 3_600_000
const first = 500_016
const begin_ms = first * hour_ms

/** What the engine inside logs of a request: its prompt in pieces, then a token a step; some logs are older, and some attempts are nobody's. */
function linesOf(row: CloseRow, roll: (below: number) => number): string[] {
  const name = `${row.id}/1`
  const usage = row.attempts[0]?.usage
  const [prompt, output] = [usage?.input_uncached?.tokens ?? 0, usage?.output_visible?.tokens ?? 0]
  const old = roll(4) === 0
  let at_ms = row.at_ms
  const step = (made: readonly unknown[]) => {
    at_ms += 1 + roll(150)
    return { log: 'step', at_ms, took_us: 9, model: 'm', made: [made] }
  }
  const count = { input_uncached: prompt, cache_read: 0, output }
  return [
    {
      log: 'begin',
      at_ms,
      id: name,
      model: 'm',
      ...(old ? {} : { prompt_in_steps: true }),
      input_uncached: prompt,
      cache_read: 0,
    },
    ...(old ? [] : [step([name, 0, prompt, 0])]),
    ...Array.from({ length: output }, (_, at) => step(old ? [name, 1] : [name, 1, 0, prompt + at])),
    { log: 'end', at_ms, id: name, why: 'stop', count },
  ].map((line) => JSON.stringify(line))
}

/** Answers whole and streamed, short and over the end of an hour, cached, tried twice, and for nothing. */
function factory(home: ReturnType<typeof testHome>, seed: number): Store {
  const store = measuredStore(home)
  const roll = dice(seed)
  const now_ms = begin_ms + 4 * hour_ms + 5000
  const terms = { per: 'hour', amount: nanoDollars(2_000_000_000n) } as const
  declare(store, { kind: 'capacity', name: 'gpu', from_ms: begin_ms, terms, note: '' }, now_ms)
  const rows = Array.from({ length: 120 }, (_, number): CloseRow => {
    const at_ms = begin_ms + roll(3 * hour_ms)
    const closed_ms = at_ms + roll(number % 9 === 0 ? 2_400_000 : 15_000)
    const usage = () =>
      usageFrom('provider', {
        input_uncached: roll(3) * roll(300),
        cache_read: roll(2) * roll(500),
        output_visible: roll(4) === 0 ? roll(2) : roll(400),
      })
    const on = () => id<never>(roll(3) === 0 ? 'far' : 'gpu')
    const tries = roll(4) === 0 ? 2 : 1
    return closeRow(number + 1, {
      at_ms,
      closed_ms,
      queued_ms: 0,
      stream: roll(2) === 0,
      ttft_ms: roll(5) === 0 ? null : roll(Math.max(1, closed_ms - at_ms)),
      tenant: id(`t${roll(3)}`),
      outcome: number % 5 === 0 ? 'timeout' : 'complete',
      attempts: Array.from({ length: tries }, (_, at) => ({ number: at + 1, replica: on(), usage: usage() })),
    })
  })
  const inside = Array.from({ length: 40 }, (_, number): CloseRow => {
    const at_ms = begin_ms + roll(3 * hour_ms)
    const outcome = number % 7 === 0 ? 'timeout' : 'complete'
    const attempts = [
      { number: 1, replica: id<never>('embedded'), usage: embeddedUsage(1 + roll(300), 0, 1 + roll(40)) },
    ]
    return closeRow(number + 500, { at_ms, closed_ms: at_ms + 100 + roll(9000), outcome, attempts, tenant: id('in') })
  })
  ingestJournal(store, gateway, journaled([...rows, ...inside]))
  journalReadTo(store, gateway, now_ms)
  const strange = inside.slice(0, 4).map((row) => ({ ...row, id: id<never>(`strange-${row.id}`) }))
  const lines = [...inside, ...strange].flatMap((row) => linesOf(row, roll))
  writeFileSync(join(home.engineLogs, 'e1.0000.ndjson'), `${lines.join('\n')}\n`)
  const next = { file: 0, offset: lines.length }
  ingestEngineLog(store, 'e1', id('embedded'), engineCursor(store, 'e1'), { lines, next, end: false })
  engineReadTo(store, 'e1', now_ms)
  while (settleOrphans(store, now_ms) || reconcileAttempts(store));
  for (let turn = 0; turn < 1000 && closeHours(store, now_ms); turn++);
  return store
}

test('an auditor who works out what engines did anew finds what is kept for utilisation, and each number that was changed', () => {
  for (let seed = 0; seed < 6; seed++) {
    using home = testHome()
    const store = factory(home, seed)
    const books = () => parseExport([...exportBooks(store)].join(''))
    const audit = () => checkWork(books(), readEngineLogs(home.root))
    const { work } = books()
    assert(work && work.busy.length >= 6 && work.shares.some(({ cause }) => cause === 'retry'), `seed ${seed}`)
    const kept = (replica: string, cause: string): boolean =>
      work.shares.some((one) => one.replica === replica && one.cause === cause && one.decode > 0)
    assert(kept('embedded', '') && kept('embedded', 'foreign') && kept('embedded', 'timeout'), `seed ${seed}`)
    assert.deepEqual(audit(), [], `seed ${seed}`)
    if (seed > 1) {
      store.close()
      continue
    }
    for (const replica of ['gpu', 'embedded'])
      for (const [column, message] of [
        ['held_ns', /ns of it held/],
        ['prefill', /its requests had/],
        ['decode', /its requests had/],
        ['kv_token_ms', /its requests had/],
      ] as const) {
        const change = (by: string): string =>
          `update work_hour set ${column} = ${column} ${by} where hour = ${first + 1} and replica = '${replica}'`
        store.database.exec(change('+ 1'))
        assert.match(audit()[0]?.message ?? '', message, `seed ${seed}: ${column} of ${replica}`)
        store.database.exec(change('- 1'))
      }
    store.database.exec(`update busy_hour set busy_s = busy_s + 1 where hour = ${first}`)
    assert(audit().some((one) => /s were busy, and|are kept as busy/.test(one.message)))
    store.database.exec(`update busy_hour set busy_s = busy_s - 1 where hour = ${first}`)
    for (let turn = 0; turn < 50 && rollUp(store, begin_ms + 2 * hour_ms); turn++);
    assert.deepEqual(audit(), [], `seed ${seed}, rolled up`)
    store.close()
  }
})
