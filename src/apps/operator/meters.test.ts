import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FedMeter } from '../../adapters/meters/fed.ts'
import { openMeter } from '../../adapters/sqlite/meter.ts'
import { watts } from '../../units/quantity.ts'
import { ControlError } from './errors.ts'
import { reach } from './reach.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'

interface Meters {
  readonly meters: readonly { meter: string; kind: string; engines: string[]; state: string; resets: number }[]
  readonly overlaps: readonly { engine: string; meters: string[] }[]
  readonly findings: readonly { meter: string; kind: string; energy_j: number }[]
}

test('every meter is listed with what it covers, its resets, and meters that may count the same joules twice', async () => {
  const operator = await lonelyOperator()
  const { store, home } = operator.factory
  const factory = await reach(home.root, () => undefined)
  await factory.json('POST', '/api/engines', { name: 'e', url: await fakeUpstream(['m']), meters: ['watts:100,700'] })
  const reader = new FedMeter('gpu-aa', watts(5_000))
  const opened = openMeter(store, home.meters, reader)
  const now_ms = Date.now()
  for (const [energy_mj, ago_ms] of [
    [9_000_000, 3000],
    [9_100_000, 2000],
    [50_000, 1000],
  ] as const) {
    reader.energy(energy_mj, now_ms - ago_ms)
    opened.sample(now_ms - ago_ms)
  }
  opened.close()
  store.database.exec(`
    insert into meter (name, source, created_ms) values ('gpu-aa', '{"kind":"dcgm","url":"http://h/metrics","uuid":"GPU-aa"}', 1);
    insert into engine_meter (engine, meter, from_ms) values ('e', 'gpu-aa', 1)`)

  const { meters, overlaps, findings } = (await factory.json('GET', '/api/meters?hours=1')) as Meters
  const board = meters.find(({ meter }) => meter === 'gpu-aa')
  assert.deepEqual([board?.kind, board?.engines, board?.state, board?.resets], ['dcgm', ['e'], 'gaps', 1])
  const declared = meters.find(({ kind }) => kind === 'watts')
  assert.deepEqual(declared?.engines, ['e'])
  assert.deepEqual(
    overlaps.map(({ engine, meters: of }) => [engine, of.length]),
    [['e', 2]],
  )
  assert.deepEqual(
    findings.filter(({ meter }) => meter === 'gpu-aa').map(({ kind, energy_j }) => [kind, energy_j]),
    [['reset', 50]],
  )
  await assert.rejects(
    factory.json('GET', '/api/meters?hours=169'),
    (error) => error instanceof ControlError && error.code === 'invalid_value',
  )
  factory.close()
})
