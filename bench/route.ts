/**
 * `npm run bench:route`: what one routing decision takes, and what the prefix index holds: CPU time on one core, measured.
 *
 *     npm run bench:route -- [--replicas 256] [--blocks 10000000] [--requests 50000]
 */
import { parseArgs } from 'node:util'
import { indexed } from '../src/books/allowance.ts'
import type { Flow } from '../src/lines/inference/flow.ts'
import { newFlow } from '../src/lines/inference/flow.ts'
import { moneyRule } from '../src/lines/inference/money-rule.ts'
import { PrefixIndex } from '../src/lines/inference/prefix.ts'
import { Router } from '../src/lines/inference/route.ts'
import type { Snapshot } from '../src/lines/inference/snapshot.ts'
import type { RequestId } from '../src/units/ids.ts'
import { id } from '../src/units/ids.ts'
import { seconds, tokens } from '../src/units/quantity.ts'
import { dice } from './dice.ts'
import { spread } from './load/figures.ts'

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '256' },
    blocks: { type: 'string', default: '10000000' },
    requests: { type: 'string', default: '50000' },
  },
})
const [replicas, mostBlocks, requests] = [values.replicas, values.blocks, values.requests].map(Number) as [
  number,
  number,
  number,
]
const chance = dice(1)
/** Sessions whose prompts begin alike: a system prompt of one of 64 applications, then their own. */
const sessions = Array.from({ length: 4096 }, (_, session) => {
  const shared = (session % 64) * 1_000_003
  const [of, own] = [chance.whole(4, 32), chance.whole(4, 64)]
  return Array.from({ length: of + own }, (_, at) => (at < of ? shared + at + 1 : session * 7_919 + 1_000_000_000 + at))
})

const snapshot: Snapshot = {
  number: 1,
  published_ms: 0,
  grants: new Map(),
  prices: [],
  allowances: indexed([]),
  energyPerToken_mj: new Map(),
  aliases: new Map(),
  replicas: Array.from({ length: replicas }, (_, at) => ({
    id: id(`r${at}`),
    vendor: 'openai' as const,
    models: { m: 'm' },
    concurrency: 256,
    draining: false,
  })),
  gateways: 1,
}
const grant = {
  key: id<never>('k'),
  tenant: id<never>('t'),
  application: id<never>('a'),
  models: null,
  expires_ms: null,
  slo: 'standard' as const,
}
const flowOf = (number: number): Flow => {
  const blocks = sessions[chance.whole(0, sessions.length - 1)] ?? []
  const ask = {
    grant,
    model: id<never>('m'),
    promptEstimate: tokens(blocks.length * 64),
    maxOutput: undefined,
    beginnings: { blocks, tokens: 64 },
    stream: true,
    slo: 'standard' as const,
    clientRetry: 0,
    body: undefined,
  }
  return newFlow(id<RequestId>(`g-${number}`), ask, snapshot, seconds(0))
}

function decide(): Float64Array {
  const router = new Router(moneyRule(), new PrefixIndex(mostBlocks))
  const took = new Float64Array(requests)
  const underWay: Flow[] = []
  for (let number = 0; number < requests; number++) {
    const flow = flowOf(number)
    const now = seconds(number / 1000)
    const begun = performance.now()
    router.route(flow, now)
    took[number] = (performance.now() - begun) * 1000
    underWay.push(flow)
    if (underWay.length < 2000) continue
    const over = underWay.shift() as Flow
    router.first(over, now)
    router.left(over, undefined, now)
  }
  return took.subarray(requests / 10) // the first ones warm up
}

const { p50, p99, most } = spread(decide())
const index = new PrefixIndex(mostBlocks)
for (let replica = 0; replica < replicas; replica++) index.setCapacity(replica, mostBlocks)
for (let at = 0; at < mostBlocks; at += 1000)
  index.sent(
    at % replicas,
    Array.from({ length: 1000 }, (_, block) => at + block + 1),
  )
console.log(
  `one decision among ${replicas} replicas: p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(1)} µs, most ${most.toFixed(0)} µs (measured)`,
)
console.log(`an index of ${mostBlocks} blocks: ${(index.bytes / 1e6).toFixed(0)} MB (measured)`)
console.log(`bars: p99 ≤ 50 µs ${p99 <= 50 ? 'met' : 'MISSED'}; ≤ 200 MB ${index.bytes <= 200e6 ? 'met' : 'MISSED'}`)
