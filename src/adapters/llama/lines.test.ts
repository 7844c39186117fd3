import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from './lines.ts'

test('lines come out as they went in, however the bytes were cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.integer({ min: 1, max: 9 })), (texts, cuts) => {
      const lines = texts.map((text) => text.replaceAll('\n', ''))
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      const splitter = new LineSplitter()
      const out: string[] = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const step = cuts[turn % Math.max(1, cuts.length)] ?? 1000
        for (const line of splitter.push(bytes.subarray(at, at + step)))
          out.push(line.kind === 'line' ? line.text : '!')
        at += step
      }
      assert.deepEqual(out, lines)
    }),
  )
})

test('a line over the bound is reported once and skipped to its newline', () => {
  for (const size of [1, 3, 100]) {
    const splitter = new LineSplitter(8)
    const bytes = Buffer.from(`ok\n${'x'.repeat(50)}\n12345678\nlast\n`)
    const kinds: string[] = []
    for (let at = 0; at < bytes.length; at += size)
      for (const line of splitter.push(bytes.subarray(at, at + size)))
        kinds.push(line.kind === 'line' ? line.text : '!')
    assert.deepEqual(kinds, ['ok', '!', '12345678', 'last'], `chunks of ${size}`)
  }
})
