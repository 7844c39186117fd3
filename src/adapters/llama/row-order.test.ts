import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { firstAlone } from './row-order.ts'

test('of each batch one stream samples first and alone, the others together, whether it succeeds or not', async () => {
  for (const broken of [false, true]) {
    let begun: string[] = []
    const native = firstAlone({
      decodeBatch: async () => void begun.push('batch'),
      async sampleToken(row) {
        begun.push(`begin ${row}`)
        await turn()
        begun.push(`end ${row}`)
        if (broken && row === 0) throw new Error('no token')
        return row
      },
    })
    for (let batch = 0; batch < 3; batch++) {
      begun = []
      await native.decodeBatch()
      const rows = await Promise.allSettled([0, 1, 2].map((row) => native.sampleToken(row)))
      assert.deepEqual(
        rows.map((one) => (one.status === 'fulfilled' ? one.value : 'failed')),
        [broken ? 'failed' : 0, 1, 2],
      )
      assert.deepEqual(begun, ['batch', 'begin 0', 'end 0', 'begin 1', 'begin 2', 'end 1', 'end 2'])
    }
  }
})
