/**
 * Direct versus through the gateway, interleaved in one run: what the gateway costs, as medians over rounds and ratios.
 * The target is a synthetic upstream that keeps time and computes nothing, so every difference is the gateway's.
 *
 *     npm run bench:load -- [--rounds 5] [--seconds 3] [--streams 200] [--clients 32] [--seed 1] [--json]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openTarget, type Target } from './exchange.ts'
import { type Factory, startFactory, until } from './factory.ts'
import { median } from './figures.ts'
import { type Load, type Result, run } from './loops.ts'
import { syntheticModel } from './synthetic.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    streams: { type: 'string', default: '200' },
    clients: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const [rounds, seconds, streams, clients, seed] = [
  Number(values.rounds),
  Number(values.seconds),
  Number(values.streams),
  Number(values.clients),
  Number(values.seed),
]
const pace = { ttft_ms: 20, gap_ms: 10 }
const tokens = 20
/** Little's law: so many arrivals a second keep half that many streams under way. */
const half = streams / 2 / ((pace.ttft_ms + tokens * pace.gap_ms) / 1000)

const shape = { seconds, maxTokens: tokens, leaving: 0, seed }
const loads: Readonly<Record<string, Load>> = {
  'whole answers, 1 client': { ...shape, loop: 'closed', clients: 1, stream: false },
  [`whole answers, ${clients} clients`]: { ...shape, loop: 'closed', clients, stream: false },
  [`paced streams, ${streams} at once (closed)`]: { ...shape, loop: 'closed', clients: streams, stream: true },
  // An open load queues without end at what its target just cannot do: half of the closed one leaves room to see the tail.
  [`paced streams, ${Math.round(half)}/s (open)`]: { ...shape, loop: 'open', perSecond: half, stream: true },
  [`paced streams, ${Math.round(half)}/s, a fifth hangs up (open)`]: {
    ...shape,
    loop: 'open',
    perSecond: half,
    stream: true,
    leaving: 0.2,
  },
}

type Way = 'direct' | 'gateway'
type Figures = Readonly<Record<string, number>>

/** What a row of the report is made of; NaN where a load has none of it. */
const figuresOf = ({ perSecond, ttft_ms, gap_ms, took_ms, ended }: Result): Figures => ({
  'answers/s': perSecond,
  'took p50 ms': took_ms.p50,
  'took p99 ms': took_ms.p99,
  'TTFT p50 ms': ttft_ms.p50,
  'TTFT p99 ms': ttft_ms.p99,
  'gap p50 ms': gap_ms.p50,
  'gap p99 ms': gap_ms.p99,
  left: ended.left,
  failed: ended.refused + ended.broken,
})

async function startUpstream(): Promise<{ base: string; stop(): void }> {
  const args = ['--ttft-ms', String(pace.ttft_ms), '--gap-ms', String(pace.gap_ms)]
  const child = fork(join(import.meta.dirname, 'synthetic.ts'), args)
  const [{ base }] = (await once(child, 'message')) as [{ base: string }]
  return { base, stop: () => child.disconnect() }
}

/** The synthetic upstream behind the gateway; at once as many as any load keeps under way. */
async function behindGateway(factory: Factory, base: string): Promise<Target> {
  const most = String(Math.max(1024, streams * 4))
  await factory.cli('engines', 'add', syntheticModel, '--url', base, '--concurrency', most)
  const made = await factory.cli('keys', 'create', '--tenant', 'bench', '-o', 'json')
  const target = openTarget(`${factory.base}/v1`, (JSON.parse(made) as { key: string }).key, syntheticModel)
  await until('the gateway served the model', async () => {
    const { ended } = await run(target, { ...shape, seconds: 0.01, loop: 'closed', clients: 1, stream: false })
    return ended.whole > 0 || undefined
  })
  return target
}

/** Every load over both ways in each round, in turns: direct first, then the gateway first. What the machine does meanwhile meets both alike. */
async function measure(ways: Readonly<Record<Way, Target>>): Promise<Map<string, Record<Way, Figures[]>>> {
  const found = new Map(Object.keys(loads).map((name) => [name, { direct: [] as Figures[], gateway: [] as Figures[] }]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, load] of Object.entries(loads)) {
      const order: readonly Way[] = round % 2 === 0 ? ['direct', 'gateway'] : ['gateway', 'direct']
      for (const way of order) {
        const result = await run(ways[way], { ...load, seed: seed + round, seconds: round === 0 ? 1 : seconds })
        if (round > 0) found.get(name)?.[way].push(figuresOf(result)) // round 0 warms both up
      }
    }
    console.error(round === 0 ? 'warm' : `round ${round} of ${rounds}`)
  }
  return found
}

const round2 = (value: number): number => (Number.isNaN(value) ? value : Number(value.toPrecision(3)))

function report(found: Map<string, Record<Way, Figures[]>>) {
  return [...found].map(([load, { direct, gateway }]) => {
    const names = Object.keys(direct[0] ?? {})
    const of = (figures: Figures[], name: string): number => median(figures.map((one) => one[name] ?? Number.NaN))
    const rows = names
      .map((name) => ({ name, direct: round2(of(direct, name)), gateway: round2(of(gateway, name)) }))
      .filter((row) => !Number.isNaN(row.direct) && (row.direct !== 0 || row.gateway !== 0))
      .map((row) => ({ ...row, ratio: row.direct === 0 ? null : round2(row.gateway / row.direct) }))
    return { load, rows }
  })
}

/** What a gateway may cost on two cores that generator, upstream and factory share; stated before it was measured. */
function bars(loads: ReturnType<typeof report>) {
  const of = (load: number, name: string) => loads[load]?.rows.find((row) => row.name === name)
  const beyond = (load: number, name: string): number => {
    const row = of(load, name)
    return row ? round2(row.gateway - row.direct) : Number.NaN
  }
  const bar = (what: string, measured: number, most: number) => ({ what, measured, bar: most, held: measured <= most })
  const perSecond = of(1, 'answers/s')?.gateway ?? Number.NaN
  return [
    bar('added to a whole answer, p50 ms', beyond(0, 'took p50 ms'), 0.5),
    { what: `whole answers/s, ${clients} clients`, measured: perSecond, bar: 5000, held: perSecond >= 5000 },
    bar(`added to the gaps of ${streams} streams, p99 ms`, beyond(2, 'gap p99 ms'), 100),
  ]
}

const upstream = await startUpstream()
const factory = await startFactory()
try {
  const ways = {
    direct: openTarget(upstream.base, 'none', syntheticModel),
    gateway: await behindGateway(factory, upstream.base),
  }
  const loadsFound = report(await measure(ways))
  for (const { agent } of Object.values(ways)) agent.destroy()
  const check = await until('the books had all of it', async () => {
    const books = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as Record<string, unknown>
    return books.open === 0 ? books : undefined
  })
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', node: process.version }
  const target = { synthetic: true, ...pace, tokens }
  const books = { conserved: check.conserved, requests: check.requests }
  if (values.json)
    console.log(
      JSON.stringify({ machine, target, rounds, seconds, loads: loadsFound, bars: bars(loadsFound), books }, null, 2),
    )
  else {
    const { cores, cpu, node } = machine
    console.log(`${cores} cores (${cpu}), Node ${node}; generator, upstream and factory share them: read the ratios`)
    console.log(
      `synthetic upstream: first content after ${pace.ttft_ms} ms, ${tokens} chunks, one every ${pace.gap_ms} ms`,
    )
    console.log(`medians of ${rounds} rounds of ${seconds} s`)
    for (const { load, rows } of loadsFound) {
      console.log(`\n${load}`)
      console.table(Object.fromEntries(rows.map(({ name, ...figures }) => [name, figures])))
    }
    console.log('\nstated bars (on 2 cores, all of them shared)')
    console.table(Object.fromEntries(bars(loadsFound).map(({ what, ...figures }) => [what, figures])))
    console.log(`books: ${books.requests} requests, conserved: ${books.conserved}`)
  }
  if (books.conserved !== true) process.exitCode = 1
} finally {
  upstream.stop()
  await factory.stop()
  rmSync(factory.home, { recursive: true, force: true })
}
