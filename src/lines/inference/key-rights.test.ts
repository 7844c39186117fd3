import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sloClasses } from '../../books/slo-class.ts'
import { exceeding, type KeyRights } from './key-rights.ts'

const limit = fc.option(fc.integer({ min: 1, max: 4 }), { nil: null })
const rights: fc.Arbitrary<KeyRights> = fc.record({
  application: fc.constantFrom('web', 'batch'),
  models: fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { nil: null }),
  requests_per_minute: limit,
  tokens_per_minute: limit,
  expires_ms: limit,
  slo: fc.constantFrom(...sloClasses),
})
const limits = ['requests_per_minute', 'tokens_per_minute', 'expires_ms'] as const

test('a key may make its like, and what that one may make it may make itself', () => {
  fc.assert(
    fc.property(rights, rights, rights, fc.boolean(), (a, b, c, bound) => {
      assert.equal(exceeding(a, a, bound), undefined)
      if (exceeding(a, b, bound) === undefined && exceeding(b, c, bound) === undefined)
        assert.equal(exceeding(a, c, bound), undefined)
    }),
  )
})

test('what is allowed has no model, no limit, no day and no place in the queue that its maker lacks', () => {
  let allowed = 0
  fc.assert(
    fc.property(rights, rights, fc.boolean(), (own, asked, bound) => {
      if (exceeding(own, asked, bound) !== undefined) return
      allowed++
      for (const model of ['a', 'b', 'c'])
        if (asked.models === null || asked.models.includes(model))
          assert(own.models === null || own.models.includes(model))
      for (const of of limits) assert((asked[of] ?? Infinity) <= (own[of] ?? Infinity), of)
      assert(sloClasses.indexOf(asked.slo) >= sloClasses.indexOf(own.slo))
      if (bound) assert.equal(asked.application, own.application)
    }),
    { numRuns: 2000 },
  )
  assert(allowed > 50, 'a law that met no case proves nothing')
})

test('the first right too many is named as the API names it', () => {
  const own: KeyRights = {
    application: 'web',
    models: ['a'],
    requests_per_minute: 10,
    tokens_per_minute: 100,
    expires_ms: 5,
    slo: 'standard',
  }
  for (const [asked, name] of [
    [{ models: null }, 'models'],
    [{ models: ['a', 'b'] }, 'models'],
    [{ requests_per_minute: 11 }, 'rpm'],
    [{ requests_per_minute: null }, 'rpm'],
    [{ tokens_per_minute: 101 }, 'tpm'],
    [{ expires_ms: 6 }, 'expires'],
    [{ slo: 'interactive' }, 'slo'],
    [{ slo: 'batch', requests_per_minute: 1 }, undefined],
  ] as const)
    assert.equal(exceeding(own, { ...own, ...asked }, false), name)
  assert.equal(exceeding(own, { ...own, application: 'other' }, true), 'app')
  assert.equal(exceeding(own, { ...own, application: 'other' }, false), undefined)
})
