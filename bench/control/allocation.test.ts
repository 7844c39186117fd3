import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrivals } from './arrivals.ts'
import { GoRandom } from './go-random.ts'
import { hasTraces, readNodes, readPods } from './openb.ts'
import { bestFitPolicy, fgd, type Policy } from './policies.ts'
import { ranked, replay } from './replay.ts'
import { paired } from './statistics.ts'
import { targetWorkload } from './workload.ts'

const skip = !hasTraces() && 'the openb traces are not there'

test('the generator is that of Go: the well-known first draws of seed 1', () => {
  const random = new GoRandom(1)
  assert.equal(random.int63(), 5_577_006_791_947_779_410n)
  const again = new GoRandom(1)
  assert.deepEqual(
    Array.from({ length: 10 }, () => again.intn(100)),
    [81, 87, 47, 59, 81, 18, 25, 40, 56, 0],
  )
})

test('arrivals are drawn as the published evaluation draws them', { skip }, () => {
  const nodes = readNodes()
  const capacity = nodes.reduce((sum, node) => sum + 1000 * node.gpus, 0)
  assert.equal(capacity, 6_212_000)
  for (const [workload, seed, shuffled, drawn, resampled, demand, ranks] of [
    [
      'default',
      42,
      [255, 1685, 6784, 4463, 602],
      [3888, 5689, 2936, 788, 5416],
      2714,
      8_075_080,
      [601, 815, 450, 13, 731],
    ],
    [
      'gpushare40',
      42,
      [255, 1685, 6784, 4463, 602],
      [3888, 5689, 2936, 788, 5416],
      3619,
      8_075_070,
      [1011, 73, 1048, 591, 952],
    ],
    [
      'multigpu20',
      51,
      [5543, 4640, 6963, 456, 1563],
      [6861, 4177, 3835, 6832, 4415],
      1159,
      8_078_970,
      [639, 987, 189, 591, 331],
    ],
  ] as const) {
    const pods = readPods(workload)
    const made = arrivals(pods, nodes.length, capacity, seed)
    assert.deepEqual(made.order.slice(0, 5), shuffled, workload)
    assert.deepEqual(made.order.slice(pods.length, pods.length + 5), drawn, workload)
    assert.equal(made.order.length - pods.length, resampled)
    assert.equal(made.demand, demand)
    assert.deepEqual([...made.rank.slice(0, 5)], ranks)
  }
})

test('a published seed comes out to the last digit', { skip }, () => {
  const [nodes, pods] = [readNodes(), readPods('default')]
  const target = targetWorkload(pods)
  assert.equal(target.length, 35)
  const sequence = arrivals(pods, nodes.length, 6_212_000, 42)
  const at100 = (policy: Policy) => replay(pods, sequence, 6_212_000, ranked(nodes, pods, sequence, policy)).get(100)
  assert.equal(at100(bestFitPolicy)?.toFixed(2), '92.94')
  assert.equal(at100(fgd(target, nodes))?.toFixed(2), '95.14')
})

test('the interval of paired differences: half-width t · s / √n', () => {
  const { mean, half } = paired([2, 4, 6], [1, 2, 3])
  assert.equal(mean, 2)
  assert(Math.abs(half - 4.303 / Math.sqrt(3)) < 1e-9)
})
