import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { floorOf } from '../../src/adapters/sqlite/figures.ts'
import { ControlError } from '../../src/apps/operator/errors.ts'
import { type Reached, reach } from '../../src/apps/operator/reach.ts'
import { operatorSettings } from '../../src/apps/operator/settings.ts'
import { type Operator, startOperator } from '../../src/apps/operator/start.ts'
import { temporary } from '../../src/apps/operator/testing.ts'
import { until } from '../load/factory.ts'
import { SyntheticNode } from './gpu-node.ts'

const node = new SyntheticNode({ model: 'm', gpus: 2 })
let operator: Operator
let factory: Reached
let url: { api: string; dcgm: string }

before(async () => {
  url = await node.listen()
  operator = await startOperator(join(temporary(), 'home'), operatorSettings(undefined), () => undefined)
  factory = await reach(operator.factory.home.root, () => undefined)
})
after(async () => {
  factory.close()
  await operator.stop()
  node.close()
})

const add = (name: string, more: object): Promise<Record<string, unknown>> =>
  factory.json('POST', '/api/engines', { name, url: `${url.api}/v1`, ...more }) as Promise<Record<string, unknown>>

const mistakes: readonly (readonly [more: () => object, says: RegExp, param: string])[] = [
  [() => ({ meters: ['dcgm:http://127.0.0.1:1'] }), /does not answer/, 'meters'],
  [() => ({ meters: [`dcgm:${url.dcgm}`] }), /has 2 GPUs: say which/, 'meters'],
  [() => ({ meters: [`dcgm:${url.dcgm}#GPU-nope`] }), /has no GPU GPU-nope/, 'meters'],
  [() => ({ meters: [`dcgm:${url.api}/metrics`] }), /names no GPU/, 'meters'],
  [() => ({ meters: ['dcmg:x'] }), /is no meter; did you mean dcgm\?/, 'meters'],
  [() => ({ meters: ['watts:500,100'] }), /the first not above the second/, 'meters'],
  [() => ({ meters: ['prom:sum(x)'] }), /needs to know the Prometheus server/, 'meters'],
  [() => ({ meters: ['watts:1,2', 'watts:1,2'] }), /given twice/, 'meters'],
  [() => ({ meters: ['dcgm:http://169.254.169.254#GPU-x'] }), /169\.254/, 'meters'],
  [() => ({ cost_per_hour: 'much' }), /no amount of dollars/, 'cost_per_hour'],
  [() => ({ metrics_url: `${url.dcgm}/metrics` }), /speaks of no engine/, 'metrics_url'],
  [() => ({ chips: 'H 200' }), /chips must match/, 'chips'],
  [() => ({ vendor: 'vlm' }), /vendor/, 'vendor'],
]
for (const [more, says, param] of mistakes)
  test(`refused: ${says}`, async () => {
    await assert.rejects(add('bad', more()), (error) => {
      assert(error instanceof ControlError, String(error))
      assert.match(error.message, says)
      assert.equal(error.param, param)
      assert(error.next.length > 0)
      return true
    })
    const { engines } = (await factory.json('GET', '/api/engines')) as { engines: { name: string }[] }
    assert(!engines.some(({ name }) => name === 'bad'), 'nothing half-made remains')
  })

test('an engine with boards, cost and metrics; its meters are read and its own view is seen', async () => {
  const meters = [`dcgm:${url.dcgm}#${node.uuids.join(',')}`]
  const added = await add('gpu', { chips: 'h200:2', cost_per_hour: '7.00', meters })
  assert.deepEqual(
    [added.vendor, added.chips, added.cost_per_hour_usd, added.metrics_url, (added.meters as string[]).length],
    ['vllm', 'h200:2', '7', `${url.api}/metrics`, 2],
  )
  const metrics = async (): Promise<string> => {
    let text = ''
    for await (const line of factory.lines('GET', '/metrics')) text += `${line}\n`
    return text
  }
  const seen = await until('both meters are in the books', async () => {
    const text = await metrics()
    return /wattmill_meter_age_seconds\{meter="gpu-5f9e[^"]*0"\}/.test(text) && /"gpu-5f9e[^"]*1"\}/.test(text)
      ? text
      : undefined
  })
  assert.match(seen, /wattmill_engine_reported_running\{engine="gpu"\} 0/)
  assert.match(seen, /wattmill_scrape_failures_total\{source="dcgm 127\.0\.0\.1:\d+\/metrics"\} 0/)
  const probed = (await factory.json('POST', '/api/engines/gpu/probe', {})) as Record<string, unknown>
  assert.deepEqual((probed.metrics as { kind: string }).kind, 'vllm')
  assert.deepEqual(
    (probed.meters as { grade: string }[]).map(({ grade }) => grade),
    ['measured', 'measured'],
  )
})

test('two engines on one board share its meter; removing one leaves it to the other', async () => {
  const [first = ''] = node.uuids
  await add('twin', { meters: [`dcgm:${url.dcgm}#${first}`], models: { other: 'm' } })
  const removed = (await factory.json('DELETE', '/api/engines/gpu')) as { removed: boolean }
  assert(removed.removed)
  assert.deepEqual(
    [...(operator.factory.live?.telemetry.look() ?? [])].map(({ meter }) => meter),
    [first.toLowerCase()],
  )
  await factory.json('DELETE', '/api/engines/twin')
  assert.equal(operator.factory.live?.telemetry.look().length, 0)
})

test('declared watts need no meter and are estimated', async () => {
  const added = await add('plain', { meters: ['watts:60,300'], models: { plain: 'm' } })
  const [meter = ''] = added.meters as string[]
  const { meters } = await until('its first interval is booked', async () => {
    const probed = (await factory.json('POST', '/api/engines/plain/probe', {})) as {
      meters: { meter: string; grade: string | null }[]
    }
    return probed.meters[0]?.grade ? probed : undefined
  })
  assert.deepEqual([meters[0]?.meter, meters[0]?.grade], [meter, 'estimated'])
})

test('what a board draws at rest is learned from the time in which nobody works, and outlives the operator', async () => {
  const [uuid = ''] = node.uuids
  const floor = (): number | undefined => floorOf(operator.factory.store, uuid.toLowerCase())
  await add('again', { meters: [`dcgm:${url.dcgm}#${uuid}`], models: { again: 'm' } })
  // The first interval may end with a page that the exporter has kept for a while: more than it drew in that time.
  await until('the floor is that of the board, 110 W', async () =>
    Math.abs((floor() ?? 0) / 110 - 1) < 0.05 ? true : undefined,
  )
  await operator.stop()
  operator = await startOperator(operator.factory.home.root, operatorSettings(undefined), () => undefined)
  assert(Math.abs((floor() ?? 0) / 110 - 1) < 0.05, `${floor()} W`)
})
