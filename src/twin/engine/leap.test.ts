import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fittedCost } from '../../plant/models/step-cost.ts'
import { order } from '../kernel.ts'
import { Random } from '../random.ts'
import { Beginnings } from '../workload/prompt.ts'
import type { LoopConfig } from './engine.ts'
import type { PagedConfig } from './paged.ts'
import { type Asked, Bench, paged } from './testing-engine.ts'

/** Everything that may come between: requests that share beginnings, stop tokens, cancels, slowness, crashes, looks at the meter. */
function story(seed: number) {
  const random = new Random(seed, 'story')
  const config: Partial<PagedConfig> = {
    blocks: random.pick([30, 60, 1000]),
    maxSequences: random.pick([2, 5, 64]),
    maxBatchedTokens: random.pick([16, 64, 512]),
    longPrefillTokens: random.pick([0, 0, 24]),
    policy: random.pick(['fcfs', 'priority']),
    reserveFullPrompt: random.chance(0.7),
    prefixCaching: random.chance(0.8),
  }
  const loop: Partial<LoopConfig> = {
    depth: random.pick([1, 2]),
    host_ns: random.pick([0, 700_000]),
    warmUp_ns: random.pick([0, 30_000_000]),
    coldStart_ns: random.pick([0, 5_000_000]),
  }
  const beginnings = new Beginnings()
  const requests: Asked[] = Array.from({ length: random.whole(1, 40) }, () => {
    const tokens = random.whole(1, 300)
    const family = random.whole(0, 3)
    // The first four pieces are those of a family, as in a conversation; what follows is often another's too.
    const contents = Array.from({ length: Math.ceil(tokens / 32) }, (_, at) => (at < 4 ? family : random.whole(0, 2)))
    const pieces = beginnings.name(contents)
    const most = random.whole(1, 120)
    return {
      at_ms: random.pick([0, random.share() * 3000, random.whole(0, 300) * 10]),
      prompt: random.chance(0.5) ? tokens : { tokens, pieces, pieceTokens: 32 },
      most,
      length: random.chance(0.3) ? random.whole(1, most) : most,
      priority: random.whole(0, 2),
    }
  })
  const between = Array.from({ length: random.whole(0, 20) }, () => ({
    at_ns: Math.round(random.share() * 3e9),
    what: random.pick(['cancel', 'cancel', 'meter', 'slow', 'crash', 'hear'] as const),
    of: random.whole(0, requests.length - 1),
    by: random.pick([1, 1.7, 4]),
  }))
  const cost = fittedCost(
    { step_ms: 3.1, prefill_ms: 0.0913, decode_ms: 0.058, context_us: random.pick([0, 0.153]) },
    { idle_w: 60, full_w: random.pick([90, 700]), step_j: 0.2, prefill_j: 0.004, decode_j: 0.01, context_j: 1e-5 },
  )
  return { config, loop, requests, between, cost, ranks: random.pick([1, 1, 2]) }
}

function outcome(seed: number, leaps: boolean) {
  const { config, loop, requests, between, cost, ranks } = story(seed)
  const meter: unknown[] = []
  let steps = 0
  let decodes = 0
  const bench = new Bench(
    Array.from({ length: ranks }, () => paged(config)),
    cost,
    { ...loop, leaps },
    {
      stepped: (flight, count) => {
        steps += count
        for (const step of flight.steps)
          decodes += count * step.context + (step.decodes * count * (count - 1)) / 2 + count * step.prefill
      },
    },
  ).ask(...requests)
  for (const { at_ns, what, of, by } of between)
    bench.kernel.schedule(at_ns, order.arrives, () => {
      const sequence = bench.sequences[of]
      if (what === 'cancel' && sequence && sequence.arrived_ns >= 0) bench.engine.cancel(sequence)
      if (what === 'hear' && sequence) sequence.hearAt = sequence.out + 7
      if (what === 'meter') meter.push(bench.engine.reading())
      if (what === 'slow') bench.engine.slow(by)
      if (what === 'crash') bench.engine.crash()
      if (what === 'crash') bench.engine.start()
    })
  bench.run()
  const ends = bench.sequences.map(({ state, out, told, hit, preemptions }) => ({ state, out, told, hit, preemptions }))
  const told = bench.sequences.map((one) => bench.made.get(one) ?? 0)
  return {
    story: { said: bench.said, stamps: bench.stamps(), ends, told, meter, end: bench.engine.reading(), steps, decodes },
    events: bench.kernel.happened,
  }
}

test('leaping over steps in which nothing changes is exact: every stamp, token, joule and count', () => {
  let [leapt, walked] = [0, 0]
  for (let seed = 0; seed < 400; seed++) {
    const [leap, walk] = [outcome(seed, true), outcome(seed, false)]
    assert.deepEqual(leap.story, walk.story, `seed ${seed}`)
    leapt += leap.events
    walked += walk.events
  }
  assert(leapt < 0.5 * walked, `${leapt} events with leaps, ${walked} without: they are to be fewer`)
})

test('same seed, same run', () => {
  for (let seed = 0; seed < 20; seed++) assert.deepEqual(outcome(seed, true), outcome(seed, true), `seed ${seed}`)
})

test('stamps are in order, and every request ends once', () => {
  for (let seed = 0; seed < 100; seed++) {
    const { stamps, ends, said, told } = outcome(seed, true).story
    ends.forEach(({ state, out }, at) => {
      const stamp = stamps[at]
      assert(stamp)
      assert.equal(state === 'over' || stamp.queued < 0, true, `seed ${seed}: ${at} is ${state}`)
      assert.equal(told[at], out, `seed ${seed}: all tokens were told`)
      if (stamp.first >= 0) assert(stamp.queued <= stamp.scheduled && stamp.scheduled < stamp.first, `seed ${seed}`)
      if (stamp.last >= 0) assert(stamp.first <= stamp.last, `seed ${seed}`)
      assert.equal(
        said.filter((line) => / (ended|failed)/.test(line) && line.endsWith(` ${at}`)).length,
        1,
        `seed ${seed}`,
      )
    })
  }
})
