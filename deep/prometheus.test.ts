/** A real Prometheus as a meter: what the operator missed, and what the server missed, as it answers and not as we think that it does. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { reach } from '../src/apps/operator/reach.ts'
import { operatorSettings } from '../src/apps/operator/settings.ts'
import { startOperator } from '../src/apps/operator/start.ts'
import { served } from './served.ts'

const program = [join(import.meta.dirname, '.prometheus', 'usr', 'bin'), ...(process.env.PATH ?? '').split(delimiter)]
  .map((folder) => join(folder, 'prometheus'))
  .find(existsSync)
const without =
  program || process.env.CI
    ? false
    : 'no Prometheus: apt-get download prometheus && dpkg -x prometheus_*.deb deep/.prometheus'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Scrapes a page each second. */
async function prometheus(folder: string, target: string): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort()
  const config = join(folder, 'prometheus.yml')
  writeFileSync(
    config,
    `global: {scrape_interval: 1s}\nscrape_configs: [{job_name: m, static_configs: [{targets: ['${new URL(target).host}']}]}]\n`,
  )
  const child = spawn(
    program ?? 'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(200))
    if (
      await fetch(`${url}/api/v1/query?query=joules_total`).then(
        async (reply) => (await reply.text()).includes('joules_total'),
        () => false,
      )
    )
      return { url, process: child }
  child.kill()
  throw new Error('Prometheus does not start, or scrapes nothing')
}

interface Listed {
  readonly meters: readonly {
    readonly meter: string
    readonly kind: string
    readonly engines: readonly string[]
    readonly measured_s: number
    readonly unmetered_s: number
    readonly resets: number
    readonly energy_j: number
  }[]
  readonly findings: readonly { readonly meter: string; readonly kind: string }[]
}

test('a real Prometheus: seconds without an operator are in its history, a counter that began anew is found', {
  skip: without,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-prometheus-'))
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  after(async () => {
    for (const end of ends.reverse()) await end()
  })
  let begun_ms = Date.now() - 1e6
  using target = await served((_, reply) => {
    reply.end(`joules_total ${((Date.now() - begun_ms) / 1000) * 500}\nboard_watts 500\n`)
  })
  using upstream = await served((_, reply) => {
    reply.setHeader('content-type', 'application/json')
    reply.end(JSON.stringify({ data: [{ id: 'm' }] }))
  })
  const server = await prometheus(folder, target.url)
  ends.push(async () => {
    server.process.kill()
    await once(server.process, 'exit')
  })

  const home = join(folder, 'home')
  const begin = () => startOperator(home, operatorSettings(undefined), () => undefined)
  let operator = await begin()
  ends.push(() => operator.stop())
  let factory = await reach(home, () => undefined)
  for (const [name, query] of [
    ['counter', 'joules/1s=joules_total'],
    ['gauge', 'watts/1s=board_watts'],
  ] as const)
    await factory.json('POST', '/api/engines', {
      name,
      url: upstream.url,
      models: { [`of-${name}`]: 'm' },
      meters: [`prom:${server.url}#${query}`],
    })
  const list = async () => (await factory.json('GET', '/api/meters')) as Listed
  const of = (found: Listed, engine: string) => found.meters.find(({ engines }) => engines.includes(engine))
  const until = async (engine: string, measured_s: number): Promise<Listed> => {
    let found = await list()
    for (const end = Date.now() + 60_000; (of(found, engine)?.measured_s ?? 0) < measured_s; found = await list()) {
      assert(Date.now() < end, JSON.stringify(found))
      await sleep(300)
    }
    return found
  }
  await until('gauge', 3)
  factory.close()
  await operator.stop()
  await sleep(10_000)
  operator = await begin()
  factory = await reach(home, () => undefined)
  const found = await until('gauge', 16)
  for (const name of ['counter', 'gauge']) {
    const meter = of(found, name)
    assert(meter, name)
    assert.deepEqual([meter.unmetered_s, meter.resets], [0, 0], JSON.stringify(found))
    const power_w = meter.energy_j / meter.measured_s
    // A counter's figures are those of the last scrape before each step: up to a second of the first and of the last.
    assert(Math.abs(power_w - 500) < (name === 'gauge' ? 1e-6 : 60), `${name}: ${power_w} W`)
  }
  assert.deepEqual(found.findings, [])

  begun_ms = Date.now()
  for (const end = Date.now() + 30_000; (of(await list(), 'counter')?.resets ?? 0) === 0 && Date.now() < end; )
    await sleep(300)
  assert.equal(of(await list(), 'counter')?.resets, 1)
  await assert.rejects(
    factory.json('POST', '/api/engines', {
      name: 'two',
      url: upstream.url,
      meters: [`prom:${server.url}#{__name__=~"up|board_watts"}`],
    }),
    /gives 2 series, not one: put sum/,
  )
  factory.close()
})
