import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Body, readBody, refuseBody } from './body.ts'
import { deepest, parseObject } from './json.ts'

test('a body that drips is refused, one that breaks off is left alone', async (t) => {
  const heard: Body[] = []
  const server = createServer((request, response) =>
    readBody(request, { bytes: 100, ms: 100 }, (body) => {
      heard.push(body)
      if (body.kind === 'refused') refuseBody(request, response, body.refusal, 'id')
    }),
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const head = 'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 50\r\n\r\n'

  const slow = connect(port, '127.0.0.1')
  slow.write(`${head}half`)
  let answer = ''
  slow.on('data', (bytes) => {
    answer += bytes
  })
  while (!answer.includes('body_timeout')) await new Promise((next) => setTimeout(next, 5))
  slow.destroy()
  assert.match(answer, /^HTTP\/1\.1 408/)

  const gone = connect(port, '127.0.0.1')
  gone.write(`${head}half`, () => gone.destroy())
  while (heard.length < 2) await new Promise((next) => setTimeout(next, 5))
  assert.deepEqual(
    heard.map(({ kind }) => kind),
    ['refused', 'left'],
  )
})

test('objects are parsed as JSON.parse parses them', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (object) => {
      const text = JSON.stringify(object)
      const parsed = parseObject(Buffer.from(text))
      assert(parsed.ok)
      assert.equal(JSON.stringify(parsed.value), text.includes('__proto__') ? JSON.stringify(parsed.value) : text)
    }),
  )
})

test('depth is counted outside of strings, and __proto__ is dropped however it is spelled', () => {
  const nested = (levels: number): Buffer => Buffer.from(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`)
  assert.equal(parseObject(nested(63)).ok, true)
  assert.equal(parseObject(nested(64)).ok, false)
  assert.equal(parseObject(Buffer.from(JSON.stringify({ a: `\\"${'['.repeat(500)}` }))).ok, true)
  for (const key of ['__proto__', '\\u005f_proto__', '__pr\\u006fto__']) {
    const parsed = parseObject(Buffer.from(`{"${key}":{"admin":true},"b":{"${key}":1}}`))
    assert(parsed.ok)
    assert.deepEqual(Object.getOwnPropertyNames(parsed.value), ['b'])
    assert.deepEqual(parsed.value.b, {})
  }
  assert.equal(parseObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).ok, false, 'not UTF-8')
})

test('whatever bytes come, they are an object of bounded depth or refused, and the refusal does not repeat them', () => {
  const shred = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ':',
    ',',
    '1',
    'true',
    '__proto__',
    '\\u005f',
    'secret',
    ' ',
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.array(shred, { maxLength: 80 }).map((shreds) => Buffer.from(shreds.join(''))),
    fc.nat({ max: 200 }).map((depth) => Buffer.from(`{"secret":${'['.repeat(depth)}${']'.repeat(depth)}}`)),
  )
  fc.assert(
    fc.property(bytes, (body) => {
      const parsed = parseObject(body)
      if (!parsed.ok) {
        assert.equal(parsed.refusal.code, 'invalid_json')
        assert(!parsed.refusal.message.includes('secret'), parsed.refusal.message)
        return
      }
      assert(depthOf(parsed.value) <= deepest)
      assert(!Object.hasOwn(parsed.value, '__proto__'))
    }),
    { numRuns: 3000 },
  )
})

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0
