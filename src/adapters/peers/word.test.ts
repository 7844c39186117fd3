import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Word } from '../../lines/inference/peers.ts'
import { id } from '../../units/ids.ts'
import { wordIn, wordOut } from './word.ts'

const word: Word = {
  loads: new Map([[id<never>('gpu'), { running: 3, prefilling: 4096.5, decoding: 1, held: 9000 }]]),
  sent: [{ replica: id('gpu'), tokens: 64, blocks: [0, 1, 0xffffffff, 0x80000001] }],
}

test('a word is the same on the other side of a process', () => {
  const heard = wordIn(JSON.parse(JSON.stringify(wordOut('g1', word))))
  assert.equal(heard?.from, 'g1')
  assert.deepEqual(heard.word.loads, word.loads)
  assert.deepEqual(
    heard.word.sent.map(({ blocks, ...rest }) => ({ ...rest, blocks: Array.from(blocks) })),
    word.sent,
  )
})

test('what is no word is not heard', () => {
  const good = wordOut('g1', word)
  for (const bad of [
    undefined,
    null,
    'word',
    {},
    { ...good, from: '' },
    { ...good, loads: [['gpu', -1, 0, 0, 0]] },
    { ...good, loads: [['gpu', 1]] },
    { ...good, sent: [['gpu', 64, [1, 2]]] },
  ])
    assert.equal(wordIn(bad), undefined, JSON.stringify(bad))
})
