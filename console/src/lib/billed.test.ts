import assert from 'node:assert/strict'
import { test } from 'node:test'
import { billedText, sumBilled } from './billed.ts'

test('money of another currency is added exactly, by currency, and rounded only to be read', () => {
  const of = (amount: string, currency = 'EUR') => ({ amount, currency })
  const sums = sumBilled([
    of('0.000011081481468144'),
    of('0.000000000000000000001'),
    of('7', 'JPY'),
    of('-0.000000000481468144'),
  ])
  assert.deepEqual(sums, [of('0.000011081000000000001'), of('7', 'JPY')])
  assert.deepEqual([...sums, of('1234567.5'), of('-0.0000000005'), of('0.00000000049'), of('0')].map(billedText), [
    '0.000011081 EUR',
    '7 JPY',
    '1\u202f234\u202f567.50 EUR',
    '−0.000000001 EUR',
    '0 EUR',
    '0 EUR',
  ])
})
