import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { ScrapeError } from '../prometheus/scrape.ts'
import { Redfish, readRedfish } from './redfish.ts'

/** The shapes are the schemas'; the figures are made up. */
const resources: readonly (readonly [string, unknown, object | RegExp, ('any' | 'watts')?])[] = [
  [
    'EnvironmentMetrics with a counter',
    { PowerWatts: { Reading: 412.5 }, EnergykWh: { Reading: 1234.567 } },
    { energy_mj: 4_444_441_200_000 },
  ],
  [
    'the same, power wanted',
    { PowerWatts: { Reading: 412.5 }, EnergykWh: { Reading: 1 } },
    { power_w: 412.5 },
    'watts',
  ],
  ['joules before kWh', { EnergyJoules: { Reading: 1.5 }, EnergykWh: { Reading: 9 } }, { energy_mj: 1500 }],
  ['a counter without a reading', { EnergykWh: { Reading: null }, PowerWatts: { Reading: 7 } }, { power_w: 7 }],
  ['a power supply', { InputPowerWatts: { Reading: 937.4 } }, { power_w: 937.4 }],
  [
    'Power of a chassis: its first member',
    { PowerControl: [{ PowerConsumedWatts: 8000 }, { PowerConsumedWatts: 250 }] },
    { power_w: 8000 },
  ],
  ['zero is a figure', { PowerControl: [{ PowerConsumedWatts: 0 }] }, { power_w: 0 }],
  [
    'PowerSubsystem tells what may be drawn, not what is',
    { CapacityWatts: 9000, Allocation: { AllocatedWatts: 8 } },
    /neither energy nor power/,
  ],
  ['only energy, power wanted', { EnergykWh: { Reading: 1 } }, /no power/, 'watts'],
  [
    'sentinels',
    { PowerWatts: { Reading: -1 }, PowerControl: [{ PowerConsumedWatts: '[N/A]' }] },
    /neither energy nor power/,
  ],
  ['no object', [1], /no JSON object/],
]
for (const [title, resource, expected, only] of resources)
  test(`Redfish: ${title}`, () => {
    const read = () => readRedfish(JSON.stringify(resource), 'http://bmc/x', only)
    if (expected instanceof RegExp) assert.throws(read, expected)
    else assert.deepEqual(read(), expected)
  })

test('credentials go along, are read anew, and a service that refuses them does not see them in what is told', async () => {
  const seen: unknown[] = []
  const server = createServer((request, reply) => {
    seen.push(request.headers.authorization ?? request.headers['x-auth-token'])
    reply.writeHead(seen.length > 2 ? 401 : 200).end(JSON.stringify({ PowerWatts: { Reading: 5 } }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  let secret = 'reader:made-up'
  const bmc = new Redfish(`http://127.0.0.1:${(server.address() as AddressInfo).port}/r`, 'any', () => secret)
  assert.deepEqual(await bmc.reading(), { power_w: 5 })
  secret = 'token-1'
  await bmc.reading()
  await assert.rejects(
    bmc.reading(),
    (error) => error instanceof ScrapeError && /answered 401/.test(error.message) && !error.message.includes(secret),
  )
  assert.deepEqual(seen, [`Basic ${Buffer.from('reader:made-up').toString('base64')}`, 'token-1', 'token-1'])
  await bmc.close()
})
