/**
 * `npm run bench:hold`: what the gateways hold for long. Many streams that stand still at once, each whole at the end; and memory
 * under a steady load, minute by minute: a leak is a line that rises. A gateway has 4,096 sockets to one engine, and each stream
 * takes one.
 *
 *     npm run bench:hold -- [--idle 10000] [--gateways 3] [--minutes 10]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startMock, startWattmill, type Way } from './gateway/peers.ts'
import { RawClient, requestTo } from './gateway/raw.ts'
import { processesOf } from './load/factory.ts'
import { median } from './load/figures.ts'

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '10000' },
    gateways: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '10' },
  },
})
const [idle, gateways, minutes] = [values.idle, values.gateways, values.minutes].map(Number) as [number, number, number]

const config = join(tmpdir(), `wattmill-hold-${process.pid}.yaml`)
writeFileSync(config, `gateways: ${gateways}\nlimits: { max_connections: 20000 }\n`)
const factory = ['--config', config]

const megabytes = (pid: number): number => {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return (Number(pages) * 4096) / 1e6
}
const gatewayMemory = (way: { readonly pid: number }): number =>
  processesOf(way.pid, 'gateway').reduce((sum, pid) => sum + megabytes(pid), 0)

const ask = (way: Way, tokens: number): Buffer =>
  requestTo(way.path, way.headers, {
    model: way.model,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: tokens,
    messages: [{ role: 'user', content: 'hello' }],
  })

/** Two tokens, so far apart that all streams stand still together. */
async function holdIdle(): Promise<boolean> {
  const gap_ms = 30_000
  const mock = await startMock(gap_ms)
  const way = await startWattmill(mock.port, factory)
  try {
    await after(2000)
    const before = gatewayMemory(way)
    const request = ask(way, 2)
    const clients: RawClient[] = []
    const asked: Promise<{ readonly status: number }>[] = []
    for (let at = 0; at < idle; at++) {
      const client = new RawClient(way.port)
      clients.push(client)
      asked.push(client.ask(request).catch(() => ({ status: 0 })))
      if (at % 20 === 0) await after(40)
    }
    const open = clients.filter(({ heard }) => heard).length
    const held = gatewayMemory(way)
    const statuses = Map.groupBy(await Promise.all(asked), ({ status }) => status)
    const whole = statuses.get(200)?.length ?? 0
    for (const [status, of] of statuses)
      if (status !== 200) console.log(`  ${of.length} ended with ${status || 'a closed connection'}`)
    for (const client of clients) client.close()
    const { conserved } = await way.check()
    console.log(
      `${idle} idle streams: ${open} stood open when the last was asked, ${whole} came whole; ${gateways} gateways hold ${held.toFixed(0)} MB with them, ${before.toFixed(0)} MB before: ${((1000 * (held - before)) / idle).toFixed(1)} KB a stream (measured); books conserved: ${conserved}`,
    )
    return whole === idle && conserved
  } finally {
    await way.stop()
    await mock.stop()
  }
}

async function soak(): Promise<boolean> {
  const mock = await startMock(0)
  const way = await startWattmill(mock.port, factory)
  try {
    const request = ask(way, 20)
    const end = performance.now() + minutes * 60_000
    let answers = 0
    const clients = Array.from({ length: 16 }, async () => {
      const client = new RawClient(way.port)
      while (performance.now() < end) {
        const { status } = await client.ask(request)
        if (status !== 200) throw new Error(`a stream was answered with ${status}`)
        answers++
        await after(10)
      }
      client.close()
    })
    const byMinute: number[] = []
    const watching = (async () => {
      for (let minute = 0; minute < minutes; minute++) {
        const seen: number[] = []
        for (let at = 0; at < 12; at++) {
          await after(5000)
          seen.push(gatewayMemory(way))
        }
        byMinute.push(median(seen))
        console.error(`minute ${minute + 1}: ${byMinute.at(-1)?.toFixed(0)} MB after ${answers} answers`)
      }
    })()
    await Promise.all([...clients, watching])
    const { conserved } = await way.check()
    const [second = Number.NaN] = byMinute.slice(1)
    const growth = (byMinute.at(-1) ?? Number.NaN) / second - 1
    console.log(
      `${answers} streams in ${minutes} minutes: resident memory of ${gateways} gateways by minute ${byMinute.map((mb) => mb.toFixed(0)).join(' ')} MB; last to second ${growth < 0 ? '' : '+'}${(100 * growth).toFixed(1)} % (measured); books conserved: ${conserved}`,
    )
    return growth < 0.1 && conserved
  } finally {
    await way.stop()
    await mock.stop()
  }
}

const good = [idle > 0 ? await holdIdle() : true, minutes > 0 ? await soak() : true]
console.log(good.every(Boolean) ? 'bars: all streams held and whole, memory flat: met' : 'bars: MISSED')
process.exitCode = good.every(Boolean) ? 0 : 1
