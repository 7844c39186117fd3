import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloseRow, Outcome } from '../../books/row.ts'
import { seconds } from '../../units/quantity.ts'
import { errorCatalogue } from './errors.ts'
import { tpotOf, verdictsOf, verdictsOfRefusal } from './objectives.ts'

const objectives = { ttft: seconds(1), tpot: seconds(0.1) }
const row = (outcome: Outcome, ttft_ms: number | null): CloseRow => ({ outcome, ttft_ms }) as CloseRow

const cases: readonly (readonly [Outcome, number | null, number | undefined, object])[] = [
  ['complete', 1000, 0.1, { answered: true, ttft: true, tpot: true }],
  ['complete', 1001, 0.11, { answered: true, ttft: false, tpot: false }],
  ['complete', 10, undefined, { answered: true, ttft: true }],
  ['timeout', null, undefined, { answered: false, ttft: false }],
  ['truncated', 10, undefined, { answered: false, ttft: true }],
  ['client_closed', null, undefined, {}],
  ['client_closed', 5000, undefined, { ttft: false }],
  ['rejected', null, undefined, {}],
]
for (const [outcome, ttft_ms, tpot, expected] of cases)
  test(`${outcome} with a first token after ${ttft_ms} ms meets ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(
      verdictsOf(row(outcome, ttft_ms), tpot === undefined ? undefined : seconds(tpot), objectives),
      expected,
    )
  })

test("a refusal is ours when its status says so, and the client's otherwise", () => {
  assert.deepEqual(verdictsOfRefusal({ code: 'overloaded' }), { answered: false })
  assert.deepEqual(verdictsOfRefusal({ code: 'requests_per_minute' }), {})
  assert(Object.values(errorCatalogue).some(({ status }) => status < 500))
})

test('time per token needs two tokens', () => {
  assert.equal(tpotOf(seconds(1), seconds(3), 5), 0.5)
  assert.equal(tpotOf(seconds(1), seconds(3), 1), undefined)
  assert.equal(tpotOf(undefined, seconds(3), 5), undefined)
})
