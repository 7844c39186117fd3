import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stepOfLine } from '../../books/work.ts'
import { Batcher } from './batcher.ts'
import type { EngineLog } from './log.ts'
import type { EngineLogLine, EngineReport } from './protocol.ts'
import { planStep } from './step.ts'
import { type Ending, openStream, type Stream } from './stream.ts'
import { hearing, loggedOf, madeModel } from './testing-engine.ts'

/** A batcher on a made model, a log in memory, and what each stream was told, with what was in the log at that moment. */
function bench(config: {
  slots?: number
  batch?: number
  queue?: number
  trouble?: (call: string, tokens: number) => unknown
}) {
  const { slots = 4, batch = 32, queue = 256, trouble } = config
  const lines: EngineLogLine[] = []
  const writes: number[] = []
  const disk = { broken: false }
  const log: EngineLog = {
    incarnation: 'test',
    write(more) {
      if (disk.broken) throw new Error('ENOSPC')
      writes.push(more.length)
      lines.push(...more)
    },
    close() {},
  }
  const model = madeModel(slots, trouble)
  const batcher = new Batcher(model, log, { batch, queue })
  const ask = (
    id: string,
    prompt: number,
    most: number,
    each: (stream: Stream, report: EngineReport) => void = () => {},
  ): { stream: Stream; heard: Promise<ReturnType<typeof hearing>>; accepted: boolean } => {
    const reports: Extract<EngineReport, { id: string }>[] = []
    const over = Promise.withResolvers<ReturnType<typeof hearing>>()
    const tokens = Array.from({ length: prompt }, (_, at) => 1000 + at)
    const stream: Stream = openStream(
      { id, model: 'm', prompt: tokens, choosing: { sampling: {} }, stops: [], most },
      model,
      (report) => {
        if (!('id' in report)) return
        reports.push(report)
        const told = reports.reduce((sum, one) => sum + (one.on === 'step' ? one.tokens : 0), 0)
        if (!disk.broken) assert.ok(loggedOf(lines, id).tokens >= told, 'the log holds what is told')
        each(stream, report)
        if (report.on === 'end' || report.on === 'fail') over.resolve(hearing(reports))
      },
    )
    return { stream, heard: over.promise, accepted: batcher.submit(stream) }
  }
  return { batcher, ask, lines, writes, disk }
}

const cancelled: Ending = { how: 'cancelled' }

test('steps, end and log agree for any mix of prompts, lengths and cancellations', async () => {
  const request = fc.record({
    prompt: fc.integer({ min: 1, max: 60 }),
    most: fc.integer({ min: 1, max: 20 }),
    cancel: fc.option(fc.integer({ min: 0, max: 20 })),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 14 }),
      fc.integer({ min: 4, max: 40 }),
      async (requests, batch) => {
        const { ask, lines, batcher } = bench({ batch })
        const heard = await Promise.all(
          requests.map(({ prompt, most, cancel }, at) => {
            let steps = 0
            return ask(`r${at}/1`, prompt, most, (stream, report) => {
              if (report.on === 'step') steps++
              if (cancel !== null && steps >= cancel) stream.ending ??= cancelled
            }).heard
          }),
        )
        heard.forEach(({ tokens, count, last, reports }, at) => {
          const logged = loggedOf(lines, `r${at}/1`)
          assert.equal(tokens, count?.output)
          assert.equal(logged.tokens, count?.output)
          assert.deepEqual(logged.end?.count, count)
          assert.ok(last?.on === 'end' && last.why === logged.end?.why)
          if (count && count.output > 0) assert.equal(count.input_uncached + count.cache_read, requests[at]?.prompt)
          assert.equal(reports.filter((report) => report.on === 'begin').length, logged.begins)
        })
        assert.deepEqual(batcher.load, { running: 0, waiting: 0, slots: 4 })
        requests.forEach((_, at) => {
          reportsAgree(lines, `r${at}/1`)
        })
      },
    ),
    { numRuns: 60 },
  )
})

/** What the steps say of an attempt adds up to its end, and each begins with the cache that the one before it left. */
function reportsAgree(lines: readonly EngineLogLine[], name: string): void {
  const { end } = loggedOf(lines, name)
  const begin = lines.find((line) => line.log === 'begin' && line.id === name)
  let context = begin?.log === 'begin' ? begin.cache_read : 0
  let [prefill, decode] = [0, 0]
  for (const line of lines) {
    const mine = line.log === 'step' ? stepOfLine(line)?.sequences.find(({ attempt }) => attempt === name) : undefined
    if (!mine) continue
    assert.equal(mine.context, context)
    context += mine.prefill > 0 ? mine.prefill : 1
    prefill += mine.prefill
    decode += mine.decode
  }
  assert.deepEqual([prefill, decode], [end?.count.input_uncached, end?.count.output])
}

test('a cancelled stream ends at the next step, wherever it is', async () => {
  for (let at = 0; at < 12; at++) {
    const { ask, lines } = bench({ batch: 8 })
    let steps = 0
    const { stream, heard } = ask('r/1', 20, 10, (stream, report) => {
      if (report.on === 'step' && ++steps === at) stream.ending ??= cancelled
    })
    if (at === 0) stream.ending = cancelled
    const { count, last } = await heard
    assert.ok(last?.on === 'end' && last.why === (at > 0 && at < 10 ? 'cancelled' : at === 0 ? 'cancelled' : 'length'))
    assert.equal(count?.output, Math.min(at, 10))
    assert.deepEqual(loggedOf(lines, 'r/1').end?.count, count)
  }
})

test('streams of one step share one log line and one write', async () => {
  const { ask, lines, writes } = bench({})
  await Promise.all([0, 1, 2, 3].map((at) => ask(`r${at}/1`, 3, 5).heard))
  const steps = lines.flatMap((line) => (line.log === 'step' ? [line] : []))
  assert.deepEqual(
    steps.map((line) => line.made.length),
    [4, 4, 4, 4, 4],
  )
  assert.equal(writes.filter((size) => size > 0).length, 6) // four begins, then five steps of which the last has the ends
})

test('a long prompt goes in by pieces, and streams that decode are in every step', async () => {
  const { ask, lines } = bench({ batch: 8 })
  const short = ask('short/1', 1, 30)
  const long = ask('long/1', 50, 1)
  await Promise.all([short.heard, long.heard])
  const steps = lines.flatMap((line) => (line.log === 'step' ? [Object.fromEntries(line.made)] : []))
  assert.ok(steps.slice(0, 30).every((made) => made['short/1'] === 1))
  assert.equal(steps.filter((made) => made['long/1'] === 0).length, 7) // 7 + 7 × 7 = 56 ≥ 50: the eighth piece samples
})

test('a step never holds more than a batch', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 8 }), fc.integer({ min: 8, max: 40 }), (left, batch) => {
      const running = left.map((tokens, at) =>
        openStream(
          {
            id: `${at}`,
            model: 'm',
            prompt: new Array<number>(tokens).fill(7),
            choosing: { sampling: {} },
            stops: [],
            most: 1,
          },
          madeModel(1),
          () => {},
        ),
      )
      const work = planStep(running, batch)
      const total = work.reduce((sum, { prompt }) => sum + Math.max(1, prompt), 0)
      assert.ok(total <= batch)
      assert.ok(running.length === 0 || work.length > 0)
    }),
  )
})

test('over the bound of the queue a request is refused; what was accepted is served in order', async () => {
  const { ask, batcher } = bench({ slots: 2, queue: 3 })
  const asked = Array.from({ length: 8 }, (_, at) => ask(`r${at}/1`, 2, 2))
  assert.deepEqual(
    asked.map(({ accepted }) => accepted),
    [true, true, true, true, true, false, false, false],
  )
  await Promise.all(asked.slice(0, 5).map(({ heard }) => heard))
  assert.deepEqual(batcher.load, { running: 0, waiting: 0, slots: 2 })
})

test('a model that fails under one request fails only that one, and its sequence serves again', async () => {
  const { ask, batcher, lines } = bench({
    trouble: (call, tokens) => {
      if (call === 'next' && tokens === 13) throw new Error('boom')
    },
  })
  const bad = ask('bad/1', 10, 20)
  const good = ask('good/1', 20, 20)
  const { last, count } = await bad.heard
  assert.ok(last?.on === 'fail' && last.fault === 'crashed' && last.message.includes('boom'))
  assert.deepEqual(count, { input_uncached: 10, cache_read: 0, output: 3 })
  assert.deepEqual(loggedOf(lines, 'bad/1').end?.why, 'fail')
  assert.equal((await good.heard).count?.output, 20)
  assert.equal((await ask('again/1', 20, 20).heard).count?.output, 20)
  assert.equal(batcher.load.slots, 4)
})

test('sequences that cannot be cleared are lost; when none is left requests fail instead of waiting for ever', async () => {
  const { ask, batcher } = bench({
    slots: 1,
    trouble: (call) => {
      if (call !== 'keep' || batcher.load.running > 0) throw new Error('boom')
      throw new Error('dead')
    },
  })
  const heard = await Promise.all([ask('a/1', 2, 2).heard, ask('b/1', 2, 2).heard])
  assert.deepEqual(
    heard.map(({ last }) => last?.on === 'fail' && last.fault),
    ['crashed', 'crashed'],
  )
  assert.equal(batcher.load.slots, 0)
})

test('what the log does not hold is not told', async () => {
  const { ask, disk, batcher } = bench({})
  const { heard } = ask('r/1', 2, 10, (_, report) => {
    if (report.on === 'step') disk.broken = true
  })
  const { tokens, last } = await heard
  assert.equal(tokens, 1)
  assert.ok(last?.on === 'fail' && last.message.includes('ENOSPC') && last.count === undefined)
  disk.broken = false
  assert.equal((await ask('s/1', 2, 3).heard).count?.output, 3)
  assert.equal(batcher.load.slots, 4)
})

test('closing fails what runs and waits, and takes no more', async () => {
  const { ask, batcher } = bench({ slots: 1 })
  const asked = [ask('a/1', 2, 500), ask('b/1', 2, 500)]
  await batcher.close({ how: 'failed', fault: 'unknown_model', message: 'unloaded' })
  for (const { heard } of asked) assert.ok((await heard).last?.on === 'fail')
  assert.equal(ask('c/1', 2, 2).accepted, false)
})
