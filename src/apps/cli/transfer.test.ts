import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binary, duration, pace } from './transfer.ts'

test('amounts, paces and times are read at a glance', () => {
  const amounts = [0, 1023, 1024, 150_000, 5_368_709_120, 3 * 2 ** 40]
  assert.deepEqual(amounts.map(binary), ['0 B', '1023 B', '1.00 KiB', '146 KiB', '5.00 GiB', '3.00 TiB'])
  assert.deepEqual([1, 89, 600, 20_000].map(duration), ['1 s', '89 s', '10 min', '6 h'])
  assert.equal(pace(10 * 2 ** 20, 20 * 2 ** 20, 2), '5.00 MiB/s, about 4 s left')
  assert.equal(pace(10 * 2 ** 20, 0, 2), '5.00 MiB/s')
  assert.equal(pace(1, 1, 0.1), '')
})
