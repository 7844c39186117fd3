/**
 * `npm run bench:gateway`: what the gateway costs with everything on (key, limits, budget, durable journal, books, metrics), beside
 * a bare proxy and its peers, over a synthetic upstream. All ways in turns in each round, so that whatever else the machine does
 * meets all alike; medians over rounds, and ratios. Every socket of every way is without Nagle's delay, and Portkey without the
 * timer that it has before each stream.
 *
 *     npm run bench:gateway -- [--rounds 5] [--seconds 3] [--clients 32] [--streams 1000] [--peers DIR] [--without litellm]
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Way } from './gateway/peers.ts'
import { portkeySleep_ms, startBare, startLiteLlm, startMock, startPortkey, startWattmill } from './gateway/peers.ts'
import { RawClient, requestTo } from './gateway/raw.ts'
import { median, spread } from './load/figures.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '32' },
    streams: { type: 'string', default: '1000' },
    peers: { type: 'string', default: join(tmpdir(), 'wattmill-peers') },
    without: { type: 'string', multiple: true, default: [] },
  },
})
const [rounds, seconds, clients, streams] = [values.rounds, values.seconds, values.clients, values.streams].map(
  Number,
) as [number, number, number, number]
/** A token every 50 ms, 60 of them: 3 seconds. */
const pace = { gap_ms: 50, tokens: 60 }

const asks = (way: Way, size: number, stream: object = {}): Buffer =>
  requestTo(way.path, way.headers, {
    model: way.model,
    ...stream,
    messages: [
      { role: 'user', content: 'How long does a transfer take? '.repeat(Math.ceil(size / 31)).slice(0, size) },
    ],
  })

/** Answers a second, with so many clients that each wait for their own. */
async function throughput(way: Way, size: number): Promise<number> {
  const request = asks(way, size)
  const all = Array.from({ length: clients }, () => new RawClient(way.port))
  const end = performance.now() + seconds * 1000
  let done = 0
  let failed = 0
  await Promise.all(
    all.map(async (client) => {
      while (performance.now() < end) {
        const { status } = await client.ask(request)
        if (status === 200) done++
        else failed++
      }
    }),
  )
  for (const client of all) client.close()
  if (failed > 0) throw new Error(`${way.name} refused ${failed} of ${done + failed}`)
  return done / seconds
}

/** One client, a stream after another: medians of the first byte and of the last, ms. */
async function streamed(way: Way): Promise<{ first: number; last: number }> {
  const request = asks(way, 200, { stream: true, stream_options: { include_usage: true }, max_tokens: 20 })
  const client = new RawClient(way.port)
  const [firsts, lasts]: [number[], number[]] = [[], []]
  const end = performance.now() + (seconds * 1000) / 2
  while (performance.now() < end) {
    const { status, first_ms, last_ms } = await client.ask(request)
    if (status !== 200) throw new Error(`${way.name} answered a stream with ${status}`)
    firsts.push(first_ms)
    lasts.push(last_ms)
  }
  client.close()
  return { first: median(firsts), last: median(lasts) }
}

/** As many paced streams as there are clients, at once: the 99th percentile of the gaps between chunks, ms. */
async function paced(way: Way): Promise<{ gap_p99: number; whole: number }> {
  const tokens = { stream: true, stream_options: { include_usage: true }, max_tokens: pace.tokens }
  const request = asks(way, 200, tokens)
  const all = Array.from({ length: streams }, () => new RawClient(way.port))
  const gaps: number[] = []
  let whole = 0
  await Promise.all(
    all.map(async (client, at) => {
      await new Promise((go) => setTimeout(go, (at * 1000) / streams))
      const { status, parts_ms } = await client.ask(request)
      if (status === 200) whole++
      for (let part = 1; part < parts_ms.length; part++) gaps.push((parts_ms[part] ?? 0) - (parts_ms[part - 1] ?? 0))
    }),
  )
  for (const client of all) client.close()
  return { gap_p99: spread(gaps).p99, whole }
}

/** What the disk of the journal takes to have 400 bytes for sure, ms. */
function flush(folder: string): number {
  const file = openSync(join(folder, 'flush'), 'w')
  const took: number[] = []
  const row = Buffer.alloc(400, 'x')
  for (let at = 0; at < 50; at++) {
    const begun = performance.now()
    writeSync(file, row)
    fdatasyncSync(file)
    took.push(performance.now() - begun)
  }
  closeSync(file)
  return median(took)
}

const mock = await startMock(0)
const slow = await startMock(pace.gap_ms)
const wattmill = await startWattmill(mock.port)
const started: Way[] = [mock, slow, wattmill]
const peers: Way[] = []
for (const [name, start] of [
  ['portkey', () => startPortkey(values.peers, mock.port)],
  ['litellm', () => startLiteLlm(values.peers, mock.port)],
] as const) {
  if (values.without.includes(name)) continue
  try {
    const way = await start()
    peers.push(way)
    started.push(way)
  } catch (cause) {
    console.log(`${name} is left out: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`)
  }
}
const bare = await startBare(mock.port)
started.push(bare)

const sizes = { 'requests/s, 200 B': 200, 'requests/s, 200 KB': 200_000 } as const
const ways = [mock, bare, wattmill, ...peers]
const found = new Map(ways.map((way) => [way.name, new Map<string, number[]>()]))
const note = (way: Way, what: string, value: number): void => {
  const of = found.get(way.name)
  of?.set(what, [...(of.get(what) ?? []), value])
}
const flushes: number[] = []
try {
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? ways : [...ways].reverse()
    for (const way of order) {
      for (const [what, size] of Object.entries(sizes)) {
        const perSecond = await throughput(way, size)
        if (round > 0) note(way, what, perSecond)
      }
      const { first, last } = await streamed(way)
      if (round > 0) {
        note(way, 'stream: first byte p50 ms', first)
        note(way, 'stream: last byte p50 ms', last)
      }
    }
    flushes.push(flush(wattmill.home))
    console.error(round === 0 ? 'warm' : `round ${round} of ${rounds}`) // round 0 warms all up
  }
  // The paced upstream behind the same gateway: what stands between shows in the gaps.
  const gap = await pacedGrowth()
  report(gap)
} finally {
  for (const way of started) await way.stop()
}

async function pacedGrowth(): Promise<{ direct: number; through: number; whole: number }> {
  const behind = await startWattmill(slow.port)
  started.push(behind)
  await paced(behind) // warms up
  const [direct, through]: [number[], number[]] = [[], []]
  let whole = Number.POSITIVE_INFINITY
  for (let round = 0; round < Math.max(1, Math.round(rounds / 2)); round++) {
    direct.push((await paced(slow)).gap_p99)
    const measured = await paced(behind)
    through.push(measured.gap_p99)
    whole = Math.min(whole, measured.whole)
  }
  const { conserved } = await behind.check()
  if (!conserved) throw new Error('the books are not conserved')
  return { direct: median(direct), through: median(through), whole }
}

function report(gap: { direct: number; through: number; whole: number }): void {
  const of = (name: string, what: string): number => median(found.get(name)?.get(what) ?? [])
  const [small = '', large = ''] = Object.keys(sizes)
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}; client, upstream and gateway share them`,
  )
  console.log(`synthetic upstream; medians of ${rounds} rounds of ${seconds} s, all ways in turns; measured\n`)
  console.table(
    Object.fromEntries(
      ways.map(({ name }) => [
        name,
        Object.fromEntries(
          [...(found.get(name) ?? [])].map(([what, all]) => [what, Number(median(all).toPrecision(3))]),
        ),
      ]),
    ),
  )
  const added = (name: string, what: string): number => of(name, what) - of(mock.name, what)
  const [first, last] = ['stream: first byte p50 ms', 'stream: last byte p50 ms']
  const one_flush = median(flushes)
  const portkey = peers.find(({ name }) => name.startsWith('Portkey'))
  const lite = peers.find(({ name }) => name.startsWith('LiteLLM'))
  const bar = (what: string, measured: number, floor: number, aim: number, higher = true) => ({
    what,
    measured: Number(measured.toPrecision(3)),
    floor,
    aim,
    held: higher ? measured >= floor : measured <= floor,
    aimed: higher ? measured >= aim : measured <= aim,
  })
  const bars = [
    bar('share of the bare proxy, 200 B', of('wattmill', small) / of(bare.name, small), 0.5, 0.8),
    bar('share of the bare proxy, 200 KB', of('wattmill', large) / of(bare.name, large), 0.5, 0.8),
    ...(portkey
      ? [
          bar('times Portkey, 200 B', of('wattmill', small) / of(portkey.name, small), 5, 10),
          bar('times Portkey, 200 KB', of('wattmill', large) / of(portkey.name, large), 5, 10),
          bar(
            'added to the first byte ÷ Portkey’s',
            added('wattmill', first) / added(portkey.name, first),
            0.4,
            0.4,
            false,
          ),
          bar(
            'added to the last byte ÷ (0.4 × Portkey’s + a flush)',
            added('wattmill', last) / (0.4 * added(portkey.name, last) + one_flush),
            1,
            1,
            false,
          ),
        ]
      : []),
    ...(lite ? [bar('times LiteLLM, 200 B', of('wattmill', small) / of(lite.name, small), 20, 20)] : []),
    bar(`p99 of gaps of ${streams} paced streams, growth ms`, gap.through - gap.direct, 100, 100, false),
  ]
  if (portkey)
    console.log(
      `Portkey is measured without the ${portkeySleep_ms} ms that it sleeps before the first event of each stream`,
    )
  console.log(`a flush of the journal's disk takes ${one_flush.toFixed(3)} ms (median)`)
  console.log(
    `${gap.whole} of ${streams} paced streams whole; p99 of the gaps ${gap.direct.toFixed(1)} ms direct, ${gap.through.toFixed(1)} ms through\n`,
  )
  console.table(Object.fromEntries(bars.map(({ what, ...rest }) => [what, rest])))
}
