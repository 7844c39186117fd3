import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FedMeter } from '../../adapters/meters/fed.ts'
import { openMeter } from '../../adapters/sqlite/meter.ts'
import { watts } from '../../units/quantity.ts'
import { ControlError } from './errors.ts'
import { reach } from './reach.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'

interface Meters {
  readonly meters: readonly {
    meter: string
    kind: string
    engines: string[]
    state: string
    resets: number
    measured_s: number
    energy_j: number
  }[]
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

test('a Redfish service measures an engine: asked with credentials that are named, never kept, and booked', async () => {
  const operator = await lonelyOperator()
  const factory = await reach(operator.factory.home.root, () => undefined)
  const begun = Date.now()
  const server = createServer((request, reply) => {
    const known = request.headers.authorization === `Basic ${Buffer.from('reader:made-up').toString('base64')}`
    const kwh = 100 + (Date.now() - begun) / 3.6e6 // 1000 W
    reply.writeHead(known ? 200 : 401).end(JSON.stringify({ EnergykWh: { Reading: kwh } }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/redfish/v1/Chassis/1/EnvironmentMetrics`
  const add = async (name: string, ...meters: string[]) =>
    factory.json('POST', '/api/engines', { name, url: await fakeUpstream(['m']), meters })
  process.env.WATTMILL_TEST_BMC = 'reader:made-up'
  for (const [meter, message] of [
    [`redfish:${url}#reader:made-up`, /never itself/],
    [`redfish:${url}`, /answered 401/],
    [`redfish:watts=${url}#env:WATTMILL_TEST_BMC`, /tells no power/],
    ['redfish:ftp://h/x', /neither http nor https/],
  ] as const)
    await assert.rejects(add('wrong', meter), (error) => {
      assert(error instanceof ControlError && message.test(error.message), String(error))
      return !error.message.includes('made-up')
    })
  await add('server', `redfish:${url}#env:WATTMILL_TEST_BMC`)
  const found = async () => {
    const { meters } = (await factory.json('GET', '/api/meters')) as Meters
    return meters.find(({ kind }) => kind === 'redfish')
  }
  let meter = await found()
  for (const until = Date.now() + 20_000; (meter?.measured_s ?? 0) < 2 && Date.now() < until; meter = await found())
    await new Promise((next) => setTimeout(next, 200))
  assert(meter && meter.measured_s >= 2, 'the service was not read')
  assert.deepEqual(meter.engines, ['server'])
  const power_w = meter.energy_j / meter.measured_s
  assert(power_w > 700 && power_w < 1300, `${power_w} W of 1000 W`)
  factory.close()
})

test('a file that a meter of others writes is read as it grows, and booked with its own times', async () => {
  const { factory: mill } = await lonelyOperator()
  const factory = await reach(mill.home.root, () => undefined)
  const path = join(mill.home.root, 'hall.csv')
  const add = async (name: string, meter: string) =>
    factory.json('POST', '/api/engines', { name, url: await fakeUpstream(['m']), meters: [meter] })
  const line = (ago_ms: number, joules: number): string => `${new Date(Date.now() - ago_ms).toISOString()},${joules}\n`
  await assert.rejects(add('none', `csv:${path}#time=at,joules=used`), /cannot be read \(ENOENT\)/)
  writeFileSync(path, `at,used\n${line(9000, 1000)}`)
  await assert.rejects(add('near', 'csv:hall.csv#time=at,joules=used'), /takes a whole path/)
  await assert.rejects(add('unit', `csv:${path}#time=at,calories=used`), /kwh, joules or watts/)
  await add('server', `csv:${path}#time=at,joules=used`)
  const read = async () => {
    const { meters } = (await factory.json('GET', '/api/meters')) as Meters
    return meters.find(({ kind }) => kind === 'csv')
  }
  let meter = await read()
  let joules = 1000
  for (const until = Date.now() + 20_000; !meter?.energy_j && Date.now() < until; meter = await read()) {
    joules += 500.5
    appendFileSync(path, line(0, joules))
    await new Promise((next) => setTimeout(next, 500))
  }
  assert(meter && meter.measured_s > 0, 'the file was not read')
  assert.deepEqual([meter.engines, (meter.energy_j * 1000) % 500_500], [['server'], 0])
  factory.close()
})
