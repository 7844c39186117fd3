import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../lines/models/dice.ts'
import { withoutMedia } from '../../plant/chips/mig/geometry.ts'
import { layoutsOf } from '../../plant/chips/mig/layouts.ts'
import { findMig } from '../../plant/chips/mig/tables.ts'
import { EMPTY, gridOf } from './cells.ts'
import type { Demand, Expected, GpuNeed } from './demand.ts'
import type { NodeClass } from './kind.ts'
import { outlook, usualOutlook } from './outlook.ts'
import { type NodeRoom, Placer, type Taken } from './placer.ts'

const grid = gridOf(layoutsOf(withoutMedia(findMig('H200-141GB') ?? assert.fail())) ?? assert.fail())
const classes: readonly NodeClass[] = [
  { chip: 'h200', gpus: 8, grid },
  { chip: 'l40s', gpus: 4, grid: undefined },
]
const node = (inClass: number, cpu_milli = 128_000): NodeRoom => ({ inClass, cpu_milli, memory_mib: 1_000_000 })
const demand = (gpu: GpuNeed, chips: readonly string[] | null = null, cpu_milli = 4000): Demand => ({
  cpu_milli,
  memory_mib: 1000,
  gpu,
  chips,
})
const mix: readonly Expected[] = [
  { demand: demand({ kind: 'share', milli: 500 }), frequency: 3 },
  { demand: demand({ kind: 'whole', gpus: 1 }), frequency: 3 },
  { demand: demand({ kind: 'whole', gpus: 4 }, ['h200']), frequency: 1 },
  { demand: demand({ kind: 'slice', profile: '1g.18gb' }), frequency: 3 },
  { demand: demand({ kind: 'slice', profile: '3g.71gb' }), frequency: 2 },
  { demand: demand({ kind: 'none' }), frequency: 1 },
]
const config = { ...usualOutlook, streams: 8 }
const usual = outlook(mix, classes, config)
const placer = (nodes: readonly NodeRoom[], expected = usual): Placer => new Placer(classes, nodes, expected)

test('whatever comes and goes, no node gives more than it has and all comes back', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = dice(seed)
    const place = placer([node(0), node(1), node(0, 20_000), node(1, 8000)])
    const before = [0, 1, 2, 3].map((at) => [...place.gpus(at)])
    const full = place.free
    const held: { readonly demand: Demand; readonly taken: Taken; readonly to: number }[] = []
    for (let step = 0; step < 200; step++) {
      const { demand: one } = mix[Math.floor(next() * mix.length)] ?? assert.fail()
      const choice = place.choose(one)
      if (choice) held.push({ demand: one, taken: place.take(one, choice), to: choice.move.to })
    }
    assert(held.length > 10, `seed ${seed}: placed ${held.length}`)
    assert(place.free < full)
    // In the reverse order every GPU goes back to the state it was in.
    for (const { demand: one, taken } of held.toReversed()) place.release(one, taken.node, taken.gpus, taken.before)
    assert.deepEqual(
      [0, 1, 2, 3].map((at) => [...place.gpus(at)]),
      before,
      `seed ${seed}`,
    )
    assert.equal(place.free, full)
  }
})

test('what fits nowhere is not placed: chip, CPU, memory, number of GPUs, profile', () => {
  const place = placer([node(0, 16_000), node(1, 16_000)])
  const whole = (gpus: number, chips: readonly string[] | null = null, cpu = 4000) =>
    place.choose(demand({ kind: 'whole', gpus }, chips, cpu))
  assert.equal(whole(1, ['h200'])?.node, 0)
  assert.equal(whole(1, ['l40s'])?.node, 1)
  assert.equal(whole(1, ['b200']), undefined)
  assert.equal(whole(8, ['l40s']), undefined)
  assert.equal(whole(1, null, 20_000), undefined)
  assert.equal(place.choose({ ...demand({ kind: 'none' }), memory_mib: 2_000_000 }), undefined)
  assert.equal(place.choose(demand({ kind: 'slice', profile: '3g.71gb' }, ['l40s'])), undefined)
  assert.equal(place.choose(demand({ kind: 'slice', profile: '3g.40gb' })), undefined)
  assert.equal(place.choose(demand({ kind: 'whole', gpus: 1 }), (at) => at !== 0)?.node, 1)
})

test('alike nodes: the earlier one in the order is taken', () => {
  const place = placer([node(0), node(0), node(0)])
  const one = demand({ kind: 'share', milli: 500 })
  assert.equal(place.choose(one)?.node, 0)
  assert.equal(place.choose(one, undefined, [2, 0, 1])?.node, 2)
})

test('a demand goes where it costs later ones least', () => {
  // A node with little CPU left can hold no GPU replica beside: CPU-only work goes there.
  const place = placer([node(0, 40_000), node(0, 3999)])
  assert.equal(place.choose(demand({ kind: 'none' }, null, 3000))?.node, 1)
  // Half a GPU beside half a GPU leaves a whole one to others.
  const two = placer([node(1)])
  const half = demand({ kind: 'share', milli: 500 })
  for (let at = 0; at < 2; at++) two.take(half, two.choose(half) ?? assert.fail())
  assert.deepEqual([...two.gpus(0)], [0, EMPTY, EMPTY, EMPTY])
})

test('large blocks are kept for those that need them, named in the mix or not', () => {
  const singles = outlook([{ demand: demand({ kind: 'whole', gpus: 1 }), frequency: 1 }], classes, config)
  const place = placer([node(0), node(0), node(0), node(0)], singles)
  const one = demand({ kind: 'whole', gpus: 1 })
  for (let at = 0; at < 16; at++) place.take(one, place.choose(one) ?? assert.fail())
  const whole = [0, 1, 2, 3].filter((at) => place.gpus(at).every((cell) => cell === EMPTY))
  assert.equal(whole.length, 2, 'sixteen single GPUs fill two nodes of eight')
})
