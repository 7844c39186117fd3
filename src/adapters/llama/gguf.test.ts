import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { GgufError } from '../../lines/models/gguf.ts'
import { readGguf } from './gguf.ts'
import { writeTinyModel } from './testing.ts'
import { temporaryFolder } from './testing-engine.ts'

test('a whole header passes; cut anywhere, or with any byte of its counts set, it is refused and never read for ever', (t) => {
  const folder = temporaryFolder(t)
  const whole = readFileSync(writeTinyModel(join(folder, 'whole.gguf')))
  assert.equal(readGguf(join(folder, 'whole.gguf')).bytes, whole.length)
  const path = join(folder, 'damaged.gguf')
  const refused = (bytes: Buffer): void => {
    writeFileSync(path, bytes)
    assert.throws(() => readGguf(path), GgufError)
  }
  for (const cut of [0, 3, 8, 20, 100, 1000, 3000, whole.length - 1]) refused(whole.subarray(0, cut))
  for (const at of [0, 4, 13, 21])
    refused(Buffer.concat([whole.subarray(0, at), Buffer.from([0xff]), whole.subarray(at + 1)]))
})

test('no damage makes the walk do anything but pass or refuse', (t) => {
  const folder = temporaryFolder(t)
  const whole = readFileSync(writeTinyModel(join(folder, 'whole.gguf')))
  const path = join(folder, 'damaged.gguf')
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(7999), fc.nat(255)), { minLength: 1, maxLength: 5 }), (damage) => {
      const bytes = Buffer.from(whole)
      for (const [at, byte] of damage) bytes[at] = byte
      writeFileSync(path, bytes)
      try {
        readGguf(path)
      } catch (error) {
        assert(error instanceof GgufError, String(error))
      }
    }),
    { numRuns: 200 },
  )
})
