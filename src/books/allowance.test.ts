import assert from 'node:assert/strict'
import { test } from 'node:test'
import { id } from '../units/ids.ts'
import { allowance, binding, indexed, periodOf } from './allowance.ts'

test('a month is the calendar month in UTC, in leap years and at their ends', () => {
  for (let day = -400; day < 40_000; day += 1) {
    const date = new Date(day * 86_400_000)
    const months = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
    assert.equal(periodOf('month', day * 86_400_000 + 5), months, date.toISOString())
  }
  assert.equal(periodOf('day', 86_400_000 - 1), 0)
  assert.equal(periodOf('never', 1e15), 0)
})

test('every allowance that applies binds, and no other', () => {
  const of = (scope: 'key' | 'application' | 'tenant' | 'model', name: string) =>
    allowance({ scope, of: name, unit: 'tokens', renews: 'minute', amount: 1n })
  const all = [of('key', 'k1'), of('key', 'k2'), of('application', 'acme/a'), of('tenant', 'acme'), of('model', 'm')]
  const found = binding(indexed(all), { key: id('k1'), tenant: id('acme'), application: id('a'), model: id('m') })
  assert.deepEqual(
    found.map((one) => one.id),
    [
      'key/k1/tokens/minute',
      'application/acme%2Fa/tokens/minute',
      'tenant/acme/tokens/minute',
      'model/m/tokens/minute',
    ],
  )
})
