import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Characters } from './characters.ts'

/** Tokens that are byte strings, turned into text as llama.cpp's binding does: what is not a character becomes U+FFFD. */
function speak(pieces: readonly Uint8Array[]): string[] {
  const detokenise = (tokens: readonly number[]): string =>
    Buffer.concat(tokens.map((at) => pieces[at] ?? Buffer.of())).toString()
  const characters = new Characters(detokenise, [])
  return pieces.map((_, at) => characters.push(at))
}

const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

test('valid text is told whole, and never half a character, however its bytes are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', 'é', '€', '😀', 'ก') }), sizes, (text, sizes) => {
      const told = speak(cut(Buffer.from(text), sizes))
      assert.equal(told.join(''), text)
      assert.ok(told.every((piece) => !piece.includes('\ufffd')))
    }),
  )
})

test('each piece is told as soon as it is certain', () => {
  assert.deepEqual(speak([Buffer.from('a'), Buffer.from([0xe2]), Buffer.from([0x82]), Buffer.from([0xac, 0x62])]), [
    'a',
    '',
    '',
    '€b',
  ])
})

test('wrong bytes neither stop the text nor grow the window without end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const told = speak([...bytes, 0x61].map((byte) => Uint8Array.of(byte))).join('')
      assert.ok(told.endsWith('a'))
      if (bytes.length < 60) assert.equal(told, Buffer.from([...bytes, 0x61]).toString())
    }),
  )
})

test('half a character at the end is dropped', () => {
  assert.deepEqual(speak([Buffer.from('ok'), Buffer.from([0xf0, 0x9f])]), ['ok', ''])
})
