import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTarget, type Target } from './exchange.ts'
import { arrivals, type Load, run } from './loops.ts'
import { startSynthetic, syntheticModel } from './synthetic.ts'

async function against(load: Partial<Load>, look: (target: Target) => Promise<void> | void = () => undefined) {
  const upstream = await startSynthetic({ ttft_ms: 15, gap_ms: 5 })
  const target = openTarget(upstream.base, 'none', syntheticModel)
  try {
    await look(target)
    const usual = { seconds: 0.2, stream: true, maxTokens: 4, leaving: 0, seed: 1, loop: 'closed', clients: 3 }
    return await run(target, { ...usual, ...load } as Load)
  } finally {
    target.agent.destroy()
    upstream.close()
  }
}

test('a paced stream is timed from its content: no earlier than its pace, a gap fewer than chunks', async () => {
  const { ended, requests, ttft_ms, gap_ms, took_ms } = await against({})
  assert(ended.whole > 0 && ended.whole === requests, JSON.stringify(ended))
  assert.equal(gap_ms.n, 3 * ended.whole)
  assert(ttft_ms.p50 >= 14.5 && took_ms.p50 >= 29.5, `${ttft_ms.p50} ${took_ms.p50}`)
})

test('a whole answer has no first token and no gaps', async () => {
  const { ended, ttft_ms, gap_ms, took_ms } = await against({ stream: false })
  assert(ended.whole > 0)
  assert.deepEqual([ttft_ms.n, gap_ms.n, took_ms.n], [0, 0, ended.whole])
})

test('arrivals of an open loop wait for nobody: one slow answer delays no other', async () => {
  const load = { loop: 'open', perSecond: 200, maxTokens: 40 } as const // an answer takes 215 ms, the load 200 ms
  const { requests, notSent } = await against(load)
  assert.equal(requests, arrivals(200, 0.2, 1).length)
  assert(requests > 20 && notSent === 0)
})

test('the same seed brings the same arrivals, at the rate that was asked', () => {
  assert.deepEqual(arrivals(50, 10, 3), arrivals(50, 10, 3))
  let all = 0
  for (let seed = 0; seed < 100; seed++) all += arrivals(50, 10, seed).length
  assert(Math.abs(all / 100 / 500 - 1) < 0.02, `${all / 100} in the mean, 500 expected`)
})

test('who hangs up is counted as such and timed with nobody; who is refused or cut is no answer', async () => {
  const left = await against({ leaving: 1 })
  assert(left.ended.left > 0 && left.ended.whole === 0)
  assert.equal(left.took_ms.n, 0)
  const nobody = openTarget('http://127.0.0.1:1/v1', 'none', 'm')
  const load: Load = { seconds: 0.02, stream: true, maxTokens: 1, leaving: 0, seed: 1, loop: 'closed', clients: 1 }
  const { ended, perSecond } = await run(nobody, load)
  assert(ended.broken > 0 && perSecond === 0)
})
