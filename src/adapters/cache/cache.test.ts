import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { missingUsage } from '../../books/usage.ts'
import { id, type TenantId } from '../../units/ids.ts'
import { parseRequest } from '../openai/request.ts'
import { AnswerCache, type CachedAnswer } from './answer-cache.ts'
import { isExact, requestKey, wishOf } from './request-key.ts'

const answer = (text: string, at_ms = 0): CachedAnswer => ({
  pieces: [{ kind: 'text', text }],
  usage: missingUsage,
  model: id('m'),
  from: id('gw-1'),
  at_ms,
})

test('whatever is kept and asked for, it stays within its bytes and knows how many they are', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    size: fc.nat({ max: 4000 }),
    find: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new AnswerCache(8000)
      const last = new Map<string, number>()
      for (const { key, size, find } of steps) {
        if (find) {
          const found = cache.find(key, 0)
          if (found) assert.equal(found.pieces[0]?.kind === 'text' && found.pieces[0].text.length, last.get(key))
        } else {
          cache.keep(key, answer('x'.repeat(size)))
          last.set(key, size)
        }
        assert(cache.bytes <= 8000)
        if (cache.size === 0) assert.equal(cache.bytes, 0)
      }
    }),
  )
})

test('the one that was not asked for the longest goes first; the old are not found; none is kept in no room', () => {
  const cache = new AnswerCache(3 * 600)
  for (const key of ['a', 'b', 'c']) cache.keep(key, answer('x', 100))
  cache.find('a', 0)
  cache.keep('d', answer('x', 200))
  assert.deepEqual(
    [...'abcd'].map((key) => cache.find(key, 0) !== undefined),
    [true, false, true, true],
  )
  assert.equal(cache.find('a', 101), undefined, 'older than its asker allows')
  const none = new AnswerCache(0)
  none.keep('a', answer('x'))
  assert.equal(none.find('a', 0), undefined)
  const large = new AnswerCache(10 * 1024 ** 2)
  large.keep('a', answer('x'.repeat(200_000)))
  assert.equal(large.size, 0, 'one answer does not push out hundreds')
})

const around = {
  tenant: id<TenantId>('acme'),
  models: ['m'],
  engines: [
    {
      name: 'e',
      vendor: 'openai',
      url: 'http://h/v1',
      key_from: null,
      models: { m: 'up' },
      concurrency: 1,
      draining: false,
    },
  ],
  rails: [],
} as const
const keyOf = (body: object, more: object = {}): string => {
  const parsed = parseRequest('chat', {
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    temperature: 0,
    ...body,
  })
  assert(parsed.ok, JSON.stringify(body))
  return requestKey(parsed.request, { ...around, engines: [...around.engines], ...more })
}

test('the key is the same for the same request, and another for all that an answer depends on', () => {
  const same = [{}, { user: null }, { stream_options: null }, { stream: false }]
  assert.equal(new Set(same.map((body) => keyOf(body))).size, 1)
  const bodies = [
    { temperature: 0.5 },
    { seed: 1 },
    { stream: true },
    { user: 'u' },
    { max_tokens: 5 },
    { messages: [{ role: 'user', content: 'hi ' }] },
    { messages: [{ role: 'system', content: 'hi' }] },
    { tools: [] },
    { unknown_field: 1 },
  ]
  const others = [
    { tenant: id('rival') },
    { models: ['m', 'n'] },
    { engines: [{ ...around.engines[0], models: { m: 'other' } }] },
    { engines: [{ ...around.engines[0], url: 'http://other/v1' }] },
    { rails: [{ name: 'r', scope: 'factory', of: '', input: { words: ['x'] } }] },
  ]
  const keys = [keyOf({}), ...bodies.map((body) => keyOf(body)), ...others.map((more) => keyOf({}, more))]
  assert.equal(new Set(keys).size, keys.length)
  assert.equal(keyOf({}, { engines: [{ ...around.engines[0], draining: true, concurrency: 9 }] }), keyOf({}))
})

test('two requests that differ have two keys', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 2 }), fc.json({ maxDepth: 2 }), (a, b) => {
      const [one, two] = [JSON.parse(a), JSON.parse(b)] as [unknown, unknown]
      const same = JSON.stringify(one ?? undefined) === JSON.stringify(two ?? undefined)
      assert.equal(keyOf({ extra: one }) === keyOf({ extra: two }), same)
    }),
  )
})

test('what is wished is said in one way; what chance is in is not wished by default', () => {
  assert.deepEqual(wishOf('max-age=600'), { maxAge_ms: 600_000, sampled: false })
  assert.deepEqual(wishOf('max-age=1, sampled'), { maxAge_ms: 1000, sampled: true })
  assert.equal(wishOf(undefined), undefined)
  assert.equal(wishOf('off'), undefined)
  for (const bad of ['', 'on', 'max-age=0', 'max-age=-1', 'max-age=604801', 'max-age=5, all', 'max-age=1e3'])
    assert.equal(wishOf(bad), 'invalid', bad)
  const exact = (body: object) => {
    const parsed = parseRequest('chat', { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...body })
    return parsed.ok && isExact(parsed.request)
  }
  assert.deepEqual([{}, { temperature: 1 }, { temperature: 0 }, { seed: 3 }].map(exact), [false, false, true, true])
})
