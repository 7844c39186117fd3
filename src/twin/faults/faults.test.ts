import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bugs, withBug } from './bugs.ts'
import { liveParts } from './parts.ts'
import { planOf } from './plan.ts'
import { minimize, simulate } from './simulate.ts'

test('whatever dies, tears, repeats or jumps: every law holds', () => {
  let [requests, refunds, hedges] = [0, 0, 0]
  for (let seed = 1; seed <= 150; seed++) {
    const verdict = simulate(planOf(seed), liveParts)
    requests += verdict.requests
    refunds += verdict.refunds
    hedges += verdict.hedges
    assert.deepEqual(verdict.broken, [], `seed ${seed}`)
  }
  assert(requests > 1500, 'a simulation without requests proves nothing')
  assert(hedges > 20, `nor one without hedges: ${hedges}`)
  assert(refunds > 50, `nor one without missed promises: ${refunds}`)
})

test('one seed is one run', () => {
  for (const seed of [3, 31, 314]) {
    const [a, b] = [simulate(planOf(seed), liveParts), simulate(planOf(seed), liveParts)]
    assert.deepEqual(a.story, b.story)
    assert.equal(a.transfers, b.transfers)
  }
})

test('every planted bug is found', () => {
  const seeds = Object.keys(bugs).map((bug) => {
    let seed = 1
    while (seed <= 600 && simulate(planOf(seed), withBug(bug)).broken.length === 0) seed++
    return [bug, seed] as const
  })
  assert(seeds.length >= 10)
  assert.deepEqual(
    seeds.filter(([, seed]) => seed > 600),
    [],
  )
})

test('a story is cut to what it takes', () => {
  const parts = withBug('usage from the first of two chunks')
  let seed = 1
  while (simulate(planOf(seed), parts).broken.length === 0) seed++
  const least = minimize(planOf(seed), parts)
  assert.equal(least.plan.clients.length, 1)
  assert.equal(least.plan.faults.length, 0)
  assert.equal(least.plan.clients[0]?.shape, 'two usages')
})
