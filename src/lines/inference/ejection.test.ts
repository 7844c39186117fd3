import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../units/quantity.ts'
import { Ejection, RetryBudget } from './ejection.ts'

test('three failures in a row put a replica out, for twice as long each time its trial fails', () => {
  const one = new Ejection()
  for (const now of [1, 2]) one.failed('crashed', seconds(now))
  assert.equal(one.isOut(seconds(2)), false)
  one.failed('timed_out', seconds(3))
  assert.equal(one.isOut(seconds(4.9)), true)
  assert.equal(one.isOut(seconds(5.1)), false)
  one.tried()
  assert.equal(one.isOut(seconds(5.2)), true, 'one trial at a time')
  one.failed('unreachable', seconds(5.3))
  assert.equal(one.isOut(seconds(9.2)), true)
  assert.equal(one.isOut(seconds(9.4)), false)
  one.tried()
  one.succeeded()
  assert.equal(one.isOut(seconds(9.5)), false)
  one.failed('crashed', seconds(10))
  assert.equal(one.isOut(seconds(10)), false, 'it starts with a clean sheet')
})

test('what is wrong with a request is no mark against the replica; a full one is left alone for a moment', () => {
  const one = new Ejection()
  for (let n = 0; n < 10; n++) one.failed('bad_request', seconds(n))
  assert.equal(one.isOut(seconds(10)), false)
  one.failed('overloaded', seconds(20))
  assert.equal(one.isOut(seconds(20.4)), true)
  assert.equal(one.isOut(seconds(20.6)), false)
  one.tried()
  one.undecided()
  assert.equal(one.isOut(seconds(20.7)), false)
})

test('retries are a share of requests, and never run out for a quiet gateway', () => {
  const budget = new RetryBudget()
  let retries = 0
  for (let n = 0; n < 1000; n++) {
    budget.asked()
    while (budget.take()) retries++
  }
  assert(retries >= 200 && retries <= 211, `${retries} of 1000`)
})
