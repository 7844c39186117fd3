import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenBytes } from './token-bytes.ts'

const text = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString()

test('sentencepiece: bytes, words with their space, special tokens as they are', () => {
  const vocabulary = { model: 'llama', tokens: ['<s>', '<0xC3>', '<0xA9>', '\u2581caf', 'x'], types: [3, 6, 6, 1, 1] }
  const bytes = (token: number): Uint8Array => tokenBytes(vocabulary, token)
  assert.equal(text(bytes(3), bytes(1), bytes(2)), ' café')
  assert.equal(text(bytes(0)), '<s>')
  assert.deepEqual([...bytes(1)], [0xc3])
})

test('byte-level BPE: letters stand for bytes', () => {
  // "Ġ" is a space and "Ċ" a newline in GPT-2's alphabet; "Ã©" are the two bytes of é.
  const vocabulary = { model: 'gpt2', tokens: ['Ġcaf', 'Ã', '©', 'Ċ', '<|end|>'], types: [1, 1, 1, 1, 3] }
  const bytes = (token: number): Uint8Array => tokenBytes(vocabulary, token)
  assert.equal(text(bytes(0), bytes(1), bytes(2), bytes(3), bytes(4)), ' café\n<|end|>')
})
