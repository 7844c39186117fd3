import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptId, id } from '../units/ids.ts'
import { bearerOf } from './bearer.ts'
import { partsOf, post } from './post.ts'
import type { CloseRow } from './row.ts'
import { usageFrom } from './usage.ts'

const usage = usageFrom('engine', {
  input_uncached: 9,
  cache_read: 0,
  cache_write: 0,
  output_visible: 2,
  reasoning: 0,
})
const row = (outcome: CloseRow['outcome']): CloseRow => ({
  kind: 'close',
  id: id('gw-1'),
  tenant: id('t'),
  application: id('app'),
  key: id('k'),
  model: id('m'),
  price_version: null,
  snapshot: 1,
  at_ms: 0,
  closed_ms: 10,
  queued_ms: 0,
  ttft_ms: 5,
  stream: true,
  outcome,
  attempts: [
    { number: 1, replica: id('a'), usage, lost: true },
    { number: 2, replica: id('b'), usage, hedge: { after_ms: 40, expected_ms: 10 } },
  ],
})

test('an attempt that lost is waste by cause hedge, in tokens and in energy, whoever answered and however it ended', () => {
  for (const outcome of ['complete', 'client_closed', 'truncated'] as const) {
    const settled = row(outcome)
    const lost = post(settled, undefined).filter(({ from }) => from === 'engine/a')
    assert.deepEqual([...new Set(lost.map(({ to }) => to.split('/').slice(0, 2).join('/')))], ['waste/hedge'])
    assert.equal(
      lost.reduce((sum, { amount }) => sum + amount, 0n),
      11n,
    )
    assert.equal(bearerOf(settled, attemptId(settled.id, 1)), 'waste/hedge')
    const [first] = settled.attempts
    assert(first)
    assert.equal(partsOf(settled, first, true)[0]?.cause, 'hedge', 'not even where it stands last')
  }
})
