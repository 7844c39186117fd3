import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FedMeter } from '../../adapters/meters/fed.ts'
import { ingestJournal, journalReadTo, noteJournal } from '../../adapters/sqlite/ingest.ts'
import { openMeter } from '../../adapters/sqlite/meter.ts'
import { closeRow, embeddedUsage, gateway, journaled } from '../../adapters/sqlite/testing.ts'
import { id } from '../../units/ids.ts'
import { watts } from '../../units/quantity.ts'
import { ControlError } from './errors.ts'
import { reach } from './reach.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'
import { scriptedPrometheus } from './testing-prometheus.ts'

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

test('a Prometheus query is asked for over time: what was missed while the server was away is taken from its history', async () => {
  const { factory: mill } = await lonelyOperator()
  const factory = await reach(mill.home.root, () => undefined)
  const begun_ms = Date.now()
  const prometheus = await scriptedPrometheus((query, at_ms) => {
    if (query === 'two') return ['1', '2']
    return at_ms < begun_ms - 60_000 ? [] : [String(1e6 + (at_ms - begun_ms) * 0.75)] // 750 W
  })
  const add = async (name: string, meter: string) =>
    factory.json('POST', '/api/engines', { name, url: await fakeUpstream(['m']), meters: [meter] })
  for (const [query, message] of [
    ['joules/1s=two', /gives 2 series, not one/],
    ['joules/90s=hall', /steps of 1 to 60 seconds, not of 90/],
    ['joules/0s=hall', /steps of 1 to 60 seconds, not of 0/],
  ] as const)
    await assert.rejects(add('wrong', `prom:${prometheus.url}#${query}`), (error) => {
      assert(error instanceof ControlError && message.test(error.message), String(error))
      return true
    })
  await add('hall', `prom:${prometheus.url}#joules/1s=hall`)
  const read = async () => {
    const { meters } = (await factory.json('GET', '/api/meters')) as Meters
    return meters.find(({ kind }) => kind === 'prometheus')
  }
  const until = async (measured_s: number): Promise<void> => {
    for (const end = Date.now() + 60_000; ((await read())?.measured_s ?? 0) < measured_s && Date.now() < end; )
      await new Promise((next) => setTimeout(next, 200))
  }
  await until(2)
  prometheus.down = true
  await new Promise((next) => setTimeout(next, 7000))
  prometheus.down = false
  await until(12)
  const meter = await read()
  assert(meter && meter.measured_s >= 12, JSON.stringify(meter))
  assert.deepEqual([meter.state, meter.resets, meter.energy_j], ['good', 0, meter.measured_s * 750])
  const most = Math.max(...prometheus.asked.map(({ first_ms, last_ms }) => (last_ms - first_ms) / 1000))
  assert(most >= 5, `${most} s at the most were asked for at once`)
  factory.close()
})

/** An exporter like dcgm-exporter of a board in slices: 700 J a second, and the activity of instances as it is told. */
async function sliced(uuid: string) {
  const begun_ms = Date.now()
  const active = new Map<string, readonly [profile: string, share: number]>()
  const server = createServer((_, reply) => {
    const of = [...active].map(([instance, [profile, share]]) => {
      const labels = `gpu="0",UUID="${uuid}",modelName="NVIDIA H200",GPU_I_PROFILE="${profile}",GPU_I_ID="${instance}"`
      return `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${labels}} ${5e9 + (Date.now() - begun_ms) * 700}
DCGM_FI_PROF_GR_ENGINE_ACTIVE{${labels}} ${share}\n`
    })
    reply.end(of.join(''))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, active }
}

test('MIG slices of one board: engines are given slices, the exporter tells who was busy, and each request bears its slice’s part', async () => {
  const operator = await lonelyOperator()
  const { store, home } = operator.factory
  const factory = await reach(home.root, () => undefined)
  const uuid = 'GPU-5f9e0000-0000-4000-8000-0000000000aa'
  const board = await sliced(uuid)
  board.active.set('1', ['3g.71gb', 0.9]).set('2', ['1g.18gb', 0.9])
  const add = async (name: string, slice: string) =>
    factory.json('POST', '/api/engines', {
      name,
      url: await fakeUpstream([`model-of-${name}`]),
      meters: [`dcgm:${board.url}#${uuid}${slice}`],
    })
  for (const [slice, message] of [
    ['@h200/3g.71', /has no MIG profile 3g.71.*3g.71gb/],
    ['@h20/3g.71gb', /no MIG profiles of a chip h20.*h200/],
    ['@gb300/3g.139gb', /SMs of gb300\/3g.139gb are not known/],
    ['@200of132', /no more than its board/],
    ['@h200/3g.71gb:2', /GPU instance 2 is a 1g.18gb, not a 3g.71gb/],
    ['@h200/3g.71gb:7', /tells no activity of GPU instance 7/],
    ['@h200/3g.71gb@1', /a slice is CHIP\/PROFILE or SMSofSMS/],
  ] as const)
    await assert.rejects(add('wrong', slice), (error) => {
      assert(error instanceof ControlError && message.test(error.message), String(error))
      return error.code === 'invalid_value'
    })
  await add('large', '@h200/3g.71gb')
  await add('small', '@16of132:2')
  await assert.rejects(
    add('whole', ''),
    (error) =>
      error instanceof ControlError && error.code === 'conflict' && /whole has all of the board/.test(error.message),
  )

  type Listed = { meters: readonly { meter: string; slices: string[]; measured_s: number }[] }
  const listed = async () =>
    ((await factory.json('GET', '/api/meters')) as Listed).meters.find(({ meter }) => meter === uuid.toLowerCase())
  assert.deepEqual((await listed())?.slices, [
    'large on h200/3g.71gb (60 of 132 SMs)',
    'small on 16of132 (16 of 132 SMs)',
  ])
  const from_ms = Date.now()
  for (const until = from_ms + 20_000; ((await listed())?.measured_s ?? 0) < 4 && Date.now() < until; )
    await new Promise((next) => setTimeout(next, 200))
  const rows = ['large', 'small'].map((replica, at) =>
    closeRow(at + 1, {
      at_ms: from_ms,
      closed_ms: Date.now(),
      ttft_ms: 100,
      attempts: [{ number: 1, replica: id(replica), usage: embeddedUsage(100, 0, 400) }],
    }),
  )
  noteJournal(store, gateway)
  ingestJournal(store, gateway, journaled(rows))
  type Told = { energy: { energy_mj: string; grade: string; final: boolean; attribution: { how: string } } }
  const told = async (request: string) => (await factory.json('GET', `/api/receipts/${request}`)) as Told
  const [large = '', small = ''] = rows.map((row): string => row.id)
  for (const until = Date.now() + 30_000; !(await told(small)).energy.final && Date.now() < until; ) {
    journalReadTo(store, gateway, Date.now())
    await new Promise((next) => setTimeout(next, 200))
  }
  const receipts = [await told(large), await told(small)]
  const [more = 0, less = 0] = receipts.map(({ energy }) => Number(energy.energy_mj))
  assert(less > 100_000, `${less} mJ`)
  assert(Math.abs(more / less - 60 / 16) < 0.2, `${more} : ${less}, as 60 : 16`)
  for (const { energy } of receipts) {
    assert.equal(energy.grade, 'estimated')
    assert.match(energy.attribution.how, /shared by slices/)
  }
  const set = await factory.json('POST', `/api/meters/${uuid.toLowerCase()}/idle`, { rule: 'pool' })
  assert.deepEqual(set, { meter: uuid.toLowerCase(), rule: 'pool' })
  factory.close()
})
