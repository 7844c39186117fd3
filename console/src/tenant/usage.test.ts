import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageDay } from './contract.ts'
import { byApplication, datesOf, decimal, nano } from './usage.ts'

const day = (more: Partial<UsageDay>): UsageDay => ({
  day: '2027-02-27',
  application: 'web',
  requests: 1,
  failed: 0,
  input_tokens: 10,
  cached_tokens: 0,
  output_tokens: 5,
  tokens_grade: 'measured',
  usd: '0.1',
  energy_mj: null,
  energy_grade: 'unknown',
  ...more,
})

test('dollars add up to the nano-dollar, as no float would', () => {
  for (const text of ['0', '0.1', '-0.000000001', '12345678901234.123456789']) assert.equal(decimal(nano(text)), text)
  const [sum] = byApplication([day({ usd: '0.1' }), day({ usd: '0.2' }), day({ usd: '-0.000000001' })], [])
  assert.equal(sum?.usd, '0.299999999')
})

test('by application, dearest first; a day without work is nought, and energy that nobody measured is not', () => {
  const dates = datesOf('2027-02-27', '2027-03-02')
  assert.deepEqual(dates, ['2027-02-27', '2027-02-28', '2027-03-01'])
  const sums = byApplication(
    [
      day({}),
      day({ day: '2027-03-01', output_tokens: 7, tokens_grade: 'estimated' }),
      day({ application: 'batch', usd: '2', energy_mj: '0' }),
    ],
    dates,
  )
  assert.deepEqual(
    sums.map(({ application, energy_mj, estimated, course }) => [application, energy_mj, estimated, course]),
    [
      ['batch', '0', false, [5, 0, 0]],
      ['web', null, true, [5, 0, 7]],
    ],
  )
})
