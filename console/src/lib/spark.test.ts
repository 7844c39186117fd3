import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sparkPath } from './spark.ts'

const points = (path: string): number[][] =>
  [...path.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)])

test('every known value is a point inside the box, in its order; unknown ones are gaps', () => {
  const values = fc.array(fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })), { maxLength: 200 })
  fc.assert(
    fc.property(values, (values) => {
      const { line } = sparkPath(values, 120, 28)
      const drawn = points(line)
      assert.equal(drawn.length, values.filter((value) => value !== null).length)
      for (const [x = -1, y = -1] of drawn) assert(x >= 0 && x <= 120 && y >= 0 && y <= 28, line)
      assert.deepEqual(
        drawn.map(([x]) => x).toSorted((a = 0, b = 0) => a - b),
        drawn.map(([x]) => x),
      )
    }),
  )
})

test('nothing known draws nothing, and a flat zero lies on the ground', () => {
  assert.equal(sparkPath([null, null], 10, 10).line, '')
  assert.equal(sparkPath([0, 0], 10, 10).line, 'M0 9L10 9')
  assert.equal(sparkPath([1, null, 2], 10, 10).line.split('M').length, 3)
})
