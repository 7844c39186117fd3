import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layoutsOf } from '../../plant/chips/mig/layouts.ts'
import { findMig, migTables } from '../../plant/chips/mig/tables.ts'
import { cellOf, EMPTY, freeOf, type Grid, gridOf } from './cells.ts'
import { begun, layoutValues, starts } from './slots.ts'

const grid = (model: string): Grid => {
  const geometry = findMig(model) ?? assert.fail(model)
  return gridOf(layoutsOf(geometry) ?? assert.fail(model))
}

test('an empty GPU has room for as many of a profile as the profile may have', () => {
  for (const geometry of migTables) {
    const layouts = layoutsOf(geometry)
    if (!layouts) continue
    const of = gridOf(layouts)
    assert.deepEqual(
      [...of.room.slice(0, of.profiles.length)],
      geometry.profiles.map((profile) => profile.maxInstances),
      geometry.model,
    )
  }
})

test('room is zero exactly where nothing more of a profile is legal', () => {
  const of = grid('A30')
  const { added, sets, slices } = of.layouts
  for (let state = 0; state < sets.length; state++)
    of.profiles.forEach((name, profile) => {
      const legal = (of.slices[profile] ?? []).some((slice) => (added[state * slices.length + slice] ?? -1) >= 0)
      assert.equal((of.room[state * of.profiles.length + profile] ?? 0) > 0, legal, `${name} in ${state}`)
    })
})

test('a small instance begins where a large one cannot go anyway', () => {
  const of = grid('H200-141GB')
  const even = starts(
    of,
    layoutValues(
      of,
      of.profiles.map(() => 1 / of.profiles.length),
    ),
  )
  const at = (layout: number, name: string): number => begun(even, layout, of.profiles.indexOf(name))
  const startsOf = (layout: number): number[] =>
    of.layouts.slices.flatMap(({ start }, bit) => (((of.layouts.sets[layout] ?? 0) >> bit) & 1 ? start : []))
  // On an empty H200 a 1g keeps the 4g half whole: it begins in the upper half.
  const [first] = startsOf(at(0, '1g.18gb'))
  assert(first !== undefined && first >= 4, `began at ${first}`)
  const second = at(at(0, '1g.18gb'), '4g.71gb')
  assert(second > 0, 'a 4g still fits')
})

test('free thousandths follow the memory slots', () => {
  const of = grid('H200-141GB')
  const half = begun(
    starts(
      of,
      layoutValues(
        of,
        of.profiles.map(() => 1 / of.profiles.length),
      ),
    ),
    0,
    of.profiles.indexOf('3g.71gb'),
  )
  assert.equal(freeOf(cellOf(half), of), 500)
  assert.equal(freeOf(EMPTY, of), 1000)
  assert.equal(freeOf(370, undefined), 370)
})
