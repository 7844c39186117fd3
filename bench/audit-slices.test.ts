import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FedMeter } from '../src/adapters/meters/fed.ts'
import { closeIntervals } from '../src/adapters/sqlite/close-intervals.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { ingestJournal, journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { openMeter } from '../src/adapters/sqlite/meter.ts'
import { closeRow, dice, gateway, journaled, measuredStore, testHome } from '../src/adapters/sqlite/testing.ts'
import { usageFrom } from '../src/books/usage.ts'
import { id } from '../src/units/ids.ts'
import { watts } from '../src/units/quantity.ts'
import { parseExport, readMeters } from './audit/read.ts'
import { checkSlices } from './audit/slices.ts'

const start_ms = 20_000 * 86_400_000
const engines = ['large', 'small'] as const

/** A board in two slices for four minutes; then, without counters, for two more; somebody else is now and then in a third. */
function factory(home: ReturnType<typeof testHome>, seed: number) {
  const store = measuredStore(home)
  store.database.exec(`
    delete from engine_meter;
    insert into engine_meter (engine, meter, from_ms, slice, sms, board_sms, instance) values
      ('large', 'board', 0, 'h200/3g.71gb', 60, 132, '1'), ('small', 'board', 0, 'h200/1g.18gb', 16, 132, '2')`)
  const roll = dice(seed)
  const rows = Array.from({ length: 60 }, (_, number) => {
    const at_ms = start_ms + roll(340_000)
    const usage = usageFrom('provider', { input_uncached: 1 + roll(400), cache_read: 0, output_visible: roll(200) })
    const replica = id<never>(engines[roll(2)] ?? 'large')
    return closeRow(number + 1, {
      at_ms,
      closed_ms: at_ms + 100 + roll(9000),
      queued_ms: 0,
      ttft_ms: 20 + roll(80),
      stream: roll(2) === 0,
      attempts: [{ number: 1, replica, usage }],
    })
  })
  ingestJournal(store, gateway, journaled(rows))
  const reader = new FedMeter('board', watts(5000))
  const meter = openMeter(store, home.meters, reader)
  let energy_mj = 1e9
  for (let second = 0; second <= 360; second += 1 + roll(4)) {
    energy_mj += 100_000 + roll(2_000_000)
    const active = (profile: string) => ({ profile, active: roll(101) / 100 })
    const told = new Map([
      ['1', active('3g.71gb')],
      ['2', active('1g.18gb')],
      ['9', roll(4) ? { profile: '1g.18gb', active: 0 } : active('1g.18gb')],
    ])
    reader.energy(energy_mj, start_ms + second * 1000, second < 240 ? told : undefined)
    meter.sample(start_ms + second * 1000)
  }
  meter.close()
  journalReadTo(store, gateway, start_ms + 900_000)
  while (closeIntervals(store, start_ms + 900_000));
  return store
}

test('an auditor who shares a board by its slices anew finds what is booked, and each number that was changed', () => {
  for (let seed = 0; seed < 4; seed++) {
    using home = testHome()
    const store = factory(home, seed)
    const findings = () => {
      const books = parseExport([...exportBooks(store)].join(''))
      return checkSlices(books, readMeters(home.root), new Map(books.requests.map((one) => [one.id, one])))
    }
    const { intervals } = parseExport([...exportBooks(store)].join(''))
    for (const sort of ['"source":"measured"', '"source":"estimated"', '"engine":null'])
      assert(
        intervals.some(({ slices }) => JSON.stringify(slices ?? []).includes(sort)),
        `seed ${seed}: no ${sort}`,
      )
    assert.deepEqual(findings(), [], `seed ${seed}`)

    const planted = (change: string, message: RegExp, undo: string): void => {
      store.database.exec(change)
      assert.match(findings()[0]?.message ?? '', message, `seed ${seed}: ${change}`)
      store.database.exec(undo)
    }
    const swap = (from: string, to: string): string =>
      `update meter_interval set slices = replace(slices, '${from}', '${to}')`
    planted(swap('"sms":60', '"sms":61'), /counts with 61 SMs, and was given 60/, swap('"sms":61', '"sms":60'))
    planted(swap('"busy_us":', '"busy_us":1'), /µs by the books/, swap('"busy_us":1', '"busy_us":'))
    store.database.exec("update transfer set amount = amount + 7 where id like 'board/%' and request is not null")
    assert.match(findings()[0]?.message ?? '', /and its slice is due/)
    store.close()
  }
})
