/** Boards, a host and a hall whose figures are made up (synthetic): a DCGM exporter and a Prometheus server as they answer. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { ControlError } from './errors.ts'
import { reach } from './reach.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'
import { scriptedPrometheus } from './testing-prometheus.ts'

/** Two boards of 400 W, a host of 1000 W, a hall of 1250 W, as counters since the servers began. */
async function synthetic() {
  const begun = Date.now()
  const joules = (watts: number, at_ms = Date.now()): number => 1e6 + (watts * (at_ms - begun)) / 1000
  const listen = async (answer: () => string): Promise<string> => {
    const server = createServer((_, reply) => reply.end(answer())).listen(0, '127.0.0.1')
    await once(server, 'listening')
    after(() => server.closeAllConnections())
    after(() => server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const dcgm = await listen(() =>
    ['GPU-aa', 'GPU-bb']
      .map((uuid) => `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="${uuid}"} ${Math.round(joules(400) * 1000)}\n`)
      .join(''),
  )
  const { url: prometheus } = await scriptedPrometheus((query, at_ms) => [
    String(joules(query === 'host_joules_total' ? 1000 : 1250, at_ms)),
  ])
  return { dcgm, prometheus }
}

interface Listed {
  readonly meters: readonly { readonly meter: string; readonly kind: string }[]
  readonly levels: readonly { meter: string; shown_j: number; below_j: number; rest_j: number; owed_j: number }[]
}

test('boards, host and hall (synthetic) are put above each other, and the audit finds every millijoule once', async () => {
  const { factory: mill } = await lonelyOperator()
  const factory = await reach(mill.home.root, () => undefined)
  after(() => factory.close())
  const { dcgm, prometheus } = await synthetic()
  await factory.json('POST', '/api/engines', {
    name: 'e',
    url: await fakeUpstream(['m']),
    meters: [`dcgm:${dcgm}#GPU-aa,GPU-bb`],
  })
  const place = (meter: string, level: string, ...over: string[]) =>
    factory.json('POST', '/api/meters', { meter, level, over }) as Promise<{ meter: string }>
  const host = await place(`prom:${prometheus}#joules/1s=host_joules_total`, 'host', 'gpu-aa', 'gpu-bb')
  const hall = await place(`prom:${prometheus}#joules/1s=hall_joules_total`, 'facility', host.meter)
  for (const [meter, level, over, message] of [
    ['watts:1,2', 'host', ['gpu-aa'], /measure nothing/],
    [hall.meter, 'facility', ['gpu-a'], /no meter gpu-a; did you mean gpu-aa/],
    [hall.meter, 'facility', ['gpu-aa'], /is below .* already/],
    [host.meter, 'host', [hall.meter], /nothing is above it/],
    [host.meter, 'facility', ['gpu-aa'], /a facility's meter is above all/],
  ] as const)
    await assert.rejects(place(meter, level, ...over), (error) => {
      assert(error instanceof ControlError && message.test(error.message), String(error))
      return true
    })
  await assert.rejects(factory.json('DELETE', `/api/meters/${host.meter}`), /is below/)

  const list = () => factory.json('GET', '/api/meters') as Promise<Listed>
  // Some ten seconds: meters that are read a second apart contradict each other less and less.
  const seen = ({ levels }: Listed) => levels.length === 2 && levels.every(({ shown_j }) => shown_j > 10_000)
  let found = await list()
  for (const until = Date.now() + 40_000; !seen(found) && Date.now() < until; found = await list())
    await new Promise((next) => setTimeout(next, 300))
  assert(seen(found), JSON.stringify(found.levels))
  const [above, below] = ['facility', 'host'].map((level) =>
    found.levels.find((one) => (one as unknown as { level: string }).level === level),
  )
  assert(above && below)
  for (const one of [above, below])
    assert(Math.abs(one.below_j + one.rest_j - one.owed_j - one.shown_j) < 0.01, JSON.stringify(one))
  assert(Math.abs(below.rest_j / below.shown_j - 0.2) < 0.15, JSON.stringify(below))
  const audit = (await factory.json('GET', '/api/books/check')) as {
    conserved: boolean
    levels: { intervals: number; residual: string }
  }
  assert.equal(audit.conserved, true)
  assert(audit.levels.intervals > 3 && audit.levels.residual === '0')
})
