import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progress, type Terminal } from './progress.ts'

function terminal(isTTY: boolean): Terminal & { readonly written: string[] } {
  const written: string[] = []
  return { isTTY, columns: 60, written, write: (text) => written.push(text) }
}

test('without a terminal: a line each tenth, and one now and then while nothing moves', () => {
  const out = terminal(false)
  let now = 0
  const shown = progress(
    'copied',
    (n) => `${n} MB`,
    out,
    () => now,
  )
  for (let done = 0; done <= 1000; done += 10) {
    now += 20
    shown.to(done, 1000)
  }
  assert.equal(out.written.length, 10)
  assert.equal(out.written[0], 'copied: 100 MB of 1000 MB (10 %)\n')
  assert.equal(out.written.at(-1), 'copied: 1000 MB of 1000 MB (100 %)\n')
  now += 9_000
  shown.to(1000, 1000)
  assert.equal(out.written.length, 10)
  now += 1_000
  shown.to(1000, 1000)
  assert.equal(out.written.length, 11)
  shown.end()
  assert(!out.written.join('').includes('\x1b'))
})

test('on a terminal: a bar in one line, never wider than the window, gone at the end', () => {
  const out = terminal(true)
  let now = 0
  const shown = progress(
    'copied',
    (n) => `${n} MB`,
    out,
    () => now,
  )
  shown.to(500, 1000)
  shown.to(501, 1000)
  now += 150
  shown.to(1000, 1000)
  shown.end()
  assert.equal(out.written.length, 3, 'not redrawn more often than is seen')
  for (const text of out.written.slice(0, 2)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what the bar clears the line with.
    const line = text.replace(/\r|\x1b\[K/g, '')
    assert(line.length < 60, line)
  }
  assert.match(out.written[1] ?? '', /\[#+\] 100 % {2}1000 MB of 1000 MB/)
  assert.equal(out.written.at(-1), '\r\x1b[K')
})

test('without a total it says that it goes on', () => {
  const out = terminal(true)
  progress(
    'loading',
    (n) => `${n} s`,
    out,
    () => 0,
  ).to(7)
  assert.equal(out.written[0], '\rloading  7 s\x1b[K')
})
