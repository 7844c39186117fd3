import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventParser } from './events.ts'

const text = [
  ': comment\n\n',
  'data: {"a":"ü€😀"}\n\n',
  'data:no space\r\n\r\n',
  'event: x\rid: 7\rdata: one\rdata: two\r\r',
  'retry: 5\ndata\ndata: \ndata: z\n\n',
  'datax: no\n\ndata: last\n\n',
  'data: never ended\n',
].join('')
const events = ['{"a":"ü€😀"}', 'no space', 'one\ntwo', '\n\nz', 'last']

const parse = (parts: readonly Uint8Array[]): string[] => {
  const parser = new EventParser()
  return parts.flatMap((part) => parser.push(part))
}

test('a stream cut anywhere has the same events', () => {
  const bytes = Buffer.from(text)
  assert.deepEqual(parse([bytes]), events)
  for (let cut = 0; cut <= bytes.length; cut++)
    assert.deepEqual(parse([bytes.subarray(0, cut), bytes.subarray(cut)]), events, `cut at ${cut}`)
  assert.deepEqual(parse(Array.from(bytes, (byte) => Uint8Array.of(byte))), events, 'byte by byte')
})

test('what is sent is what is heard, whatever the cuts', () => {
  const line = fc.string({ unit: 'binary' }).map((one) => one.replace(/[\r\n]/g, ''))
  fc.assert(
    fc.property(
      fc.array(fc.array(line, { minLength: 1, maxLength: 3 })),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(400)),
      (sent, end, cuts) => {
        const bytes = Buffer.from(sent.map((lines) => lines.map((one) => `data: ${one}${end}`).join('') + end).join(''))
        const at = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
        const parts = at.slice(1).map((to, index) => bytes.subarray(at[index], to))
        assert.deepEqual(
          parse(parts),
          sent.map((lines) => Buffer.from(lines.join('\n')).toString()),
        )
      },
    ),
  )
})

test('an event without end is given up on', () => {
  const parser = new EventParser(1000)
  parser.push(Buffer.from(`data: ${'x'.repeat(900)}\n`))
  assert.throws(() => parser.push(Buffer.from('data: '.padEnd(200, 'y'))))
})
