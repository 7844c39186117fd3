import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundaryIn, FormError, type FormEvent, MultipartForm } from './multipart.ts'

/** What a form says, however its bytes were cut. */
function read(bytes: Buffer, boundary: string, cuts: readonly number[]) {
  const form = new MultipartForm(boundary)
  const parts: { name: string; filename: string | undefined; value: string; ended: boolean }[] = []
  const take = (event: FormEvent): void => {
    if (event.kind === 'part') parts.push({ name: event.name, filename: event.filename, value: '', ended: false })
    const last = parts.at(-1)
    if (event.kind === 'data' && last) last.value += event.bytes.toString('latin1')
    if (event.kind === 'end' && last) last.ended = true
  }
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    for (const event of form.feed(bytes.subarray(from, cut))) take(event)
    from = cut
  }
  return { parts, whole: form.isWhole }
}

const formOf = (parts: readonly string[], boundary = 'b0', end = '--\r\n'): Buffer =>
  Buffer.from(`${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}${end}`, 'latin1')

const field = (name: string, value: string): string => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`
const file = (value: string): string =>
  `Content-Disposition: form-data; name="file"; filename="a%22b.jsonl"\r\nContent-Type: text/plain\r\n\r\n${value}`

test('a form is the same wherever it is cut, also where its content looks like a boundary', () => {
  const tricky = 'x\r\n--b\r\n--b1\r\n-\r\n\r\n--\r\n--b'
  const bytes = formOf([field('purpose', 'batch'), file(tricky), field('empty', '')])
  const wanted = {
    parts: [
      { name: 'purpose', filename: undefined, value: 'batch', ended: true },
      { name: 'file', filename: 'a"b.jsonl', value: tricky, ended: true },
      { name: 'empty', filename: undefined, value: '', ended: true },
    ],
    whole: true,
  }
  for (let cut = 0; cut <= bytes.length; cut++) assert.deepEqual(read(bytes, 'b0', [cut]), wanted, `cut at ${cut}`)
  assert.deepEqual(read(bytes, 'b0', [...bytes.keys()]), wanted, 'byte by byte')
})

test("what the platform's own FormData sends is read", async () => {
  const made = new FormData()
  made.set('purpose', 'batch')
  made.set('file', new File(['{"a": "ü"}\n'], 'ü.jsonl'))
  const request = new Request('http://x', { method: 'POST', body: made })
  const boundary = boundaryIn(request.headers.get('content-type') ?? undefined)
  const { parts, whole } = read(Buffer.from(await request.arrayBuffer()), boundary ?? '', [])
  assert.equal(whole, true)
  assert.deepEqual(
    parts.map(({ name, filename, value }) => [name, filename, Buffer.from(value, 'latin1').toString()]),
    [
      ['purpose', undefined, 'batch'],
      ['file', 'ü.jsonl', '{"a": "ü"}\n'],
    ],
  )
})

test('a form that breaks off is not whole; one that is none is said to be so', () => {
  const bytes = formOf([file('content')])
  for (let end = 0; end < bytes.length - 2; end++) assert.equal(read(bytes.subarray(0, end), 'b0', []).whole, false)
  const none = [
    formOf(['X-Header: 1\r\n\r\nvalue']),
    formOf([`Content-Disposition: form-data; name="a"; x="${'y'.repeat(9000)}"\r\n\r\n`]),
    formOf(Array.from({ length: 40 }, (_, n) => field(`f${n}`, ''))),
    Buffer.from('--b0 oops\r\n'),
  ]
  for (const bad of none) assert.throws(() => read(bad, 'b0', []), FormError)
})

for (const [type, boundary] of [
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data; charset=utf-8; boundary="a b"', 'a b'],
  ['multipart/form-data', undefined],
  [`multipart/form-data; boundary=${'x'.repeat(71)}`, undefined],
  ['application/json; boundary=abc', undefined],
  [undefined, undefined],
] as const)
  test(`the boundary in ${type?.slice(0, 60)}`, () => assert.equal(boundaryIn(type), boundary))
