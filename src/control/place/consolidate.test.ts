import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../lines/models/dice.ts'
import { withoutMedia } from '../../plant/chips/mig/geometry.ts'
import { layoutsOf } from '../../plant/chips/mig/layouts.ts'
import { findMig } from '../../plant/chips/mig/tables.ts'
import { type Cell, cellOf, EMPTY, gridOf, layoutOf, sliceBetween, withoutSlice, withSlice } from './cells.ts'
import { type Consolidation, type CutGpu, consolidate, type HeldSlice } from './consolidate.ts'
import { fewestGpus, maximalContents, slicePrices } from './cover.ts'
import { layoutValues } from './slots.ts'

const geometry = findMig('H200-141GB') ?? assert.fail()
const grid = gridOf(layoutsOf(withoutMedia(geometry)) ?? assert.fail())
const mix = [0.3, 0.1, 0.2, 0.2, 0.1, 0.1]
const values = layoutValues(grid, mix)

const sliceOf = (name: string, start: number): number =>
  grid.layouts.slices.findIndex((one) => one.profile.name === name && one.start === start)

let ids = 0
function gpu(number: number, slices: readonly number[], movable = true): CutGpu {
  let cell: Cell = EMPTY
  const held: HeldSlice[] = []
  for (const slice of slices) {
    cell = withSlice(grid, cell, slice) ?? assert.fail()
    held.push({ id: ids++, slice, movable })
  }
  return { gpu: number, cell, held }
}

/** What stands after a plan, all layouts legal. */
function carried(gpus: readonly CutGpu[], plan: Consolidation): Map<number, number[]> {
  const to = new Map(plan.moves.map((move) => [move.id, move.to]))
  const after = new Map<number, number[]>()
  for (const { gpu: from, held } of gpus)
    for (const { id, slice } of held) {
      const place = to.get(id) ?? { gpu: from, slice }
      after.set(place.gpu, [...(after.get(place.gpu) ?? []), place.slice])
    }
  for (const slices of after.values()) gpu(0, slices)
  return after
}

test('two half-empty GPUs become one, and nothing is lost on the way', () => {
  const gpus = [gpu(0, [sliceOf('3g.71gb', 4)]), gpu(1, [sliceOf('4g.71gb', 0)])]
  const plan = consolidate(grid, gpus, values, 3) ?? assert.fail()
  assert.equal(plan.moves.length, 1)
  const after = carried(gpus, plan)
  assert.deepEqual([...after.keys()].length, 1)
  assert(!after.has(plan.freed))
})

test('when slots are taken so that a slice fits nowhere, instances are moved within a GPU as well', () => {
  // 2g at 2 and 1g at 0 leave no start for a 4g or a 3g below; both move aside.
  const gpus = [gpu(0, [sliceOf('2g.35gb', 2), sliceOf('2g.35gb', 4)]), gpu(1, [sliceOf('3g.71gb', 4)])]
  const plan = consolidate(grid, gpus, values, 3) ?? assert.fail()
  assert.equal(carried(gpus, plan).size, 1)
})

test('nothing is proposed at the bound, nor when the instances may not move', () => {
  assert.equal(
    consolidate(grid, [gpu(0, [sliceOf('7g.141gb', 0)]), gpu(1, [sliceOf('1g.18gb', 0)])], values, 3),
    undefined,
  )
  const pinned = [gpu(0, [sliceOf('3g.71gb', 4)], false), gpu(1, [sliceOf('3g.71gb', 4)], false)]
  assert.equal(consolidate(grid, pinned, values, 3), undefined)
  const free = [gpu(0, [sliceOf('3g.71gb', 4)]), gpu(1, [sliceOf('3g.71gb', 4)])]
  assert.equal(
    consolidate(grid, free, values, 3, () => false),
    undefined,
    'no instance fits on another GPU',
  )
})

test('any plan frees exactly one GPU, keeps all instances, and leaves legal layouts', () => {
  let plans = 0
  for (let seed = 1; seed <= 200; seed++) {
    const chance = dice(seed)
    const gpus = Array.from({ length: 6 }, (_, number) => {
      let cell: Cell = EMPTY
      const slices: number[] = []
      for (let tries = 0; tries < 3; tries++) {
        const slice = Math.floor(chance() * grid.layouts.slices.length)
        const to = withSlice(grid, cell, slice)
        if (to === undefined) continue
        cell = to
        slices.push(slice)
      }
      return gpu(number, slices)
    }).filter((one) => one.held.length > 0)
    const plan = consolidate(grid, gpus, values, 4)
    if (!plan) continue
    plans++
    const after = carried(gpus, plan)
    assert.equal(after.size, gpus.length - 1, `seed ${seed}`)
    assert.equal([...after.values()].flat().length, gpus.flatMap((one) => one.held).length)
  }
  assert(plans > 50, `only ${plans} plans`)
})

test('adding and taking a slice away undo each other, and the difference names the slice', () => {
  const from = cellOf(layoutOf(gpu(0, [sliceOf('2g.35gb', 0)]).cell))
  const slice = sliceOf('3g.71gb', 4)
  const to = withSlice(grid, from, slice) ?? assert.fail()
  assert.equal(sliceBetween(grid, from, to), slice)
  assert.equal(withoutSlice(grid, to, slice), from)
  assert.equal(withSlice(grid, to, slice), undefined)
  assert.equal(withSlice(grid, 500, slice), undefined, 'a GPU in shares is not cut')
  assert.equal(withoutSlice(grid, from, slice), undefined)
})

test('the bound: seven 1g are a GPU, eight are not; prices never make a content dearer than a GPU', () => {
  const contents = maximalContents(grid)
  assert.equal(contents.length, 38)
  const count = (name: string, number: number): number[] => grid.profiles.map((one) => (one === name ? number : 0))
  assert.equal(fewestGpus(contents, count('1g.18gb', 7)), 1)
  assert.equal(fewestGpus(contents, count('1g.18gb', 8)), 2)
  assert.equal(fewestGpus(contents, count('3g.71gb', 5)), 3)
  assert.equal(fewestGpus(contents, count('4g.71gb', 5)), 5)
  assert.equal(
    fewestGpus(
      contents,
      grid.profiles.map(() => 0),
    ),
    0,
  )
  const { y } = slicePrices(contents, mix)
  for (const content of contents)
    assert(content.reduce((paid, held, profile) => paid + held * (y[profile] ?? 0), 0) <= 1 + 1e-9)
})

test('a full GPU is worth more than a lone slice, and an empty one is worth nothing', () => {
  const worth = (slices: readonly number[]): number => values[layoutOf(gpu(0, slices).cell)] ?? Number.NaN
  assert.equal(values[0], 0)
  assert(worth([sliceOf('4g.71gb', 0), sliceOf('3g.71gb', 4)]) > worth([sliceOf('1g.18gb', 0)]))
  assert(worth([sliceOf('3g.71gb', 4)]) > worth([sliceOf('3g.71gb', 0)]), 'at 0 it bars the only start of a 4g')
})
