import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { EventStream } from './sse.ts'

/** A response whose reader the test plays. */
class Reader extends EventEmitter {
  readonly written: string[] = []
  headersSent = false
  destroyed = false
  writableLength = 0
  reads = true

  writeHead(): void {
    this.headersSent = true
  }
  write(text: string): boolean {
    this.written.push(text)
    if (!this.reads) this.writableLength += text.length
    return this.reads
  }
  end(): void {
    this.written.push('END')
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
  drain(): void {
    this.writableLength = 0
    this.emit('drain')
  }
}

function start(t: { mock: { timers: { enable(options: { apis: ['setTimeout', 'setInterval'] }): void } } }) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const reader = new Reader()
  const news: string[] = []
  const stream = new EventStream(
    reader as unknown as ServerResponse,
    () => ({}),
    { paused: (paused) => news.push(paused ? 'pause' : 'resume'), stalled: () => news.push('stalled') },
    { bufferBytes: 100, stallMs: 30_000, heartbeatMs: 15_000 },
  )
  return { reader, news, stream }
}

test('corked until released; silence is filled with comments', (t) => {
  const { reader, stream } = start(t)
  stream.event('1')
  stream.event('2')
  assert.equal(stream.started, false)
  stream.release()
  stream.event('3')
  assert.deepEqual(reader.written, ['data: 1\n\ndata: 2\n\n', 'data: 3\n\n'])
  t.mock.timers.tick(15_000)
  assert.equal(reader.written.at(-1), ': keep-alive\n\n')
  stream.end()
  t.mock.timers.tick(20_000)
  assert.equal(reader.written.at(-1), 'END')
  t.mock.timers.tick(10_000)
  assert.equal(reader.destroyed, true, 'who does not take the rest in time is cut')
})

test('a slow reader pauses the engine, comes back, or is gone', (t) => {
  const { reader, news, stream } = start(t)
  stream.release()
  reader.reads = false
  stream.event('x'.repeat(120))
  assert.deepEqual(news, ['pause'])
  t.mock.timers.tick(29_000)
  reader.drain()
  t.mock.timers.tick(29_000)
  assert.deepEqual(news, ['pause', 'resume'])
  stream.event('x'.repeat(120))
  t.mock.timers.tick(30_000)
  assert.deepEqual(news, ['pause', 'resume', 'pause', 'stalled'])
})

test('an engine that cannot pause runs into twice the bound', (t) => {
  const { reader, news, stream } = start(t)
  stream.release()
  reader.reads = false
  for (let at = 0; at < 10; at++) stream.event('x'.repeat(50))
  assert.deepEqual(news, ['pause', 'stalled'])
  assert(reader.written.length < 5, 'nothing more is kept for it')
})

test('what waits for its open row is bounded too', (t) => {
  const { news, stream } = start(t)
  for (let at = 0; at < 10; at++) stream.event('x'.repeat(50))
  assert.deepEqual(news, ['pause', 'stalled'])
})
