import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBooks } from '../../books/memory.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import { lineOfStep } from '../../books/work.ts'
import type { MeterInterval } from '../../plant/energy/meter.ts'
import type { StepCoefficients } from '../../plant/energy/step-energy.ts'
import { energyOf } from '../../plant/energy/step-energy.ts'
import type { StepReport } from '../../plant/infrastructure/step.ts'
import { workOfStep } from '../../plant/infrastructure/step-work.ts'
import { millijoules } from '../../units/amount.ts'
import { attemptId, id } from '../../units/ids.ts'
import type { EngineLogLine } from '../llama/protocol.ts'
import { transferOf } from './books.ts'
import { check } from './check.ts'
import { closeIntervals } from './close-intervals.ts'
import { engineReadTo, ingestEngineLog } from './engine-log.ts'
import { ingestJournal, noteJournal } from './ingest.ts'
import { insertInterval } from './intervals.ts'
import { hashOf } from './journal-file.ts'
import type { StoredTransfer } from './ledger.ts'
import { Prices } from './price-of.ts'
import { all, allBig, run } from './query.ts'
import { reconcileAttempts } from './reconcile.ts'
import { fitsIn } from './step-fits.ts'
import { openStore } from './store.ts'
import { closeRow, embeddedUsage, gateway, journaled, openRow, setTestPrice, testHome } from './testing.ts'

const start_ms = 20_000 * 86_400_000
const truth: StepCoefficients = { step: 0.5, prefill: 0.02, prefill_context: 0, decode: 0.3, kv_read: 1e-3 }
const replica = id<never>('embedded')

interface Second {
  readonly rows: readonly (OpenRow | CloseRow)[]
  readonly lines: readonly EngineLogLine[]
  readonly interval: MeterInterval
}

/** One to three requests a second, each begun and ended in it, and a meter that follows the truth above 20 W at rest. */
function secondAt(n: number): Second {
  const at_ms = start_ms + n * 1000
  const size = 1 + ((n * 7) % 3)
  const [prompt, cached, output] = [1 + ((n * 37) % 150), (n * 11) % 60, 1 + ((n * 13) % 12)]
  const numbers = Array.from({ length: size }, (_, at) => n * 3 + at + 1)
  const names = numbers.map((number) => attemptId(openRow(number).id, 1))
  const steps = Array.from(
    { length: output },
    (_, step): StepReport => ({
      model: 'm',
      at_ms: at_ms + 20 + step * 10,
      took_us: 9000,
      cpu_us: null,
      sequences: names.map((attempt) => ({
        attempt,
        prefill: step === 0 ? prompt : 0,
        decode: 1,
        context: step === 0 ? cached : cached + prompt + step - 1,
      })),
    }),
  )
  const count = { input_uncached: prompt, cache_read: cached, output }
  const begin = {
    log: 'begin',
    at_ms,
    model: 'm',
    input_uncached: prompt,
    cache_read: cached,
    prompt_in_steps: true,
  } as const
  const drawn_j = steps.flatMap(workOfStep).reduce((sum, work) => sum + energyOf(work, truth), 20)
  const usage = embeddedUsage(prompt, cached, output)
  return {
    rows: numbers.flatMap((number) => [
      openRow(number),
      closeRow(number, { attempts: [{ number: 1, replica, usage }] }),
    ]),
    lines: [
      ...names.map((name) => ({ ...begin, id: name })),
      ...steps.map(lineOfStep),
      ...names.map((name) => ({ log: 'end', at_ms: at_ms + 900, id: name, why: 'stop', count }) as const),
    ],
    interval: {
      meter: 'cpu',
      sequence: n + 1,
      from_ms: at_ms,
      to_ms: at_ms + 1000,
      energy: millijoules(BigInt(Math.round(drawn_j * 1000))),
      idle: millijoules(20_000n),
      grade: 'estimated',
      reset: false,
    },
  }
}

test('what a step costs is learned from the meter, the same in memory and in SQLite, and can be worked out again', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const memory = new MemoryBooks(hashOf)
  const price = new Prices(store.database).of(1)
  if (price) memory.prices.set(1, price)
  noteJournal(store, gateway)

  const seconds = Array.from({ length: 140 }, (_, n) => secondAt(n))
  let [seq, read] = [1, 0]
  for (let from = 0; from < seconds.length; from += 10) {
    const piece = seconds.slice(from, from + 10)
    const rows = journaled(
      piece.flatMap((one) => one.rows),
      seq,
    )
    const lines = piece.flatMap((one) => one.lines)
    const now_ms = start_ms + (from + 12) * 1000
    seq += rows.length

    memory.ship(gateway, rows)
    memory.hear('e1', replica, lines, read)
    for (const { interval } of piece) memory.meter(interval)
    memory.readTo('e1', now_ms)
    memory.turn(now_ms)

    ingestJournal(store, gateway, rows)
    const next = { file: 0, offset: read + lines.length }
    const texts = lines.map((line) => JSON.stringify(line))
    ingestEngineLog(store, 'e1', replica, { file: 0, offset: read }, { lines: texts, next, end: true })
    for (const { interval } of piece) insertInterval(store, interval)
    engineReadTo(store, 'e1', now_ms)
    reconcileAttempts(store)
    closeIntervals(store, now_ms)
    read += lines.length
  }

  const fits = fitsIn(store)
  assert.deepEqual(memory.fits, fits)
  const [first] = fits
  assert(first && first.sequence < 100, 'learned on the way')
  for (const term of ['step', 'prefill', 'decode'] as const)
    assert(Math.abs(first.coefficients[term] / truth[term] - 1) < 0.02, `${term} ${first.coefficients[term]}`)
  const stored = allBig<StoredTransfer>(store.database, 'select * from transfer order by id').map(transferOf)
  assert.deepEqual(
    [...memory.transfers.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    stored,
  )
  const divided = allBig<{ fit: bigint | null }>(store.database, 'select fit from meter_interval order by sequence')
  assert(divided.some(({ fit }) => fit === null) && divided.some(({ fit }) => fit !== null))

  assert.deepEqual(check(store).first_broken, undefined)
  const [{ body } = { body: '' }] = all<{ body: string }>(
    store.database,
    'select body from step_fit where version = ?',
    first.version,
  )
  const fit = JSON.parse(body)
  fit.coefficients.decode = 1.5
  run(store.database, 'update step_fit set body = ? where version = ?', JSON.stringify(fit), first.version)
  assert.match(
    check(store).first_broken?.id ?? '',
    /^cpu\//,
    'a fit that was tampered with shows in the energy divided by it',
  )
  store.close()
})
