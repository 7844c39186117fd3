import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Agreed } from './terms.ts'
import { counted, inWords } from './terms.ts'

const of = (more: Partial<Agreed>): Agreed => ({
  ...{ version: 1, kind: 'free', model: null, class: null, from: '2027-01-31T00:00:00.000Z' },
  ...more,
})

test('what is agreed is said in what it counts', () => {
  assert.equal(inWords(of({ tokens: '1000000' })), '1\u202f000\u202f000 tokens free')
  assert.equal(inWords(of({ usd: '0.5' })), '$0.5 free')
  assert.equal(inWords(of({ kind: 'commitment', usd: '500' })), '$500 at least')
  const tiers = [
    { from: '0', percent: '5' },
    { from: '20000', percent: '12.5' },
  ]
  const volume = of({ kind: 'volume', by: 'tokens', tiers })
  assert.equal(inWords(volume), 'from 0 tokens 5 % off, from 20\u202f000 tokens 12.5 % off')
  assert.equal(counted(of({ kind: 'graduated', by: 'usd', tiers }), '1.25'), '$1.25')
})
