import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { metricNames, metricOf } from './metrics.ts'
import { parseMetrics } from './parse.ts'
import { type Histogram, keyOf, Recorder } from './recorder.ts'
import { exposition, merged, type Reading } from './text.ts'
import { Outbox, Totals } from './totals.ts'

test('the table keeps the conventions of Prometheus', () => {
  assert(metricNames.length > 30, 'a check that saw nothing proves nothing')
  for (const name of metricNames) {
    const { kind, unit, labels, help, buckets, from } = metricOf(name)
    assert.match(name, /^(wattmill_|gen_ai_|vllm:)[a-z0-9_]+$/)
    assert.equal(name.endsWith('_total'), kind === 'counter', `${name}: counters end in _total, others do not`)
    if (unit !== 'one') assert(name.split('_').includes(unit), `${name} says its unit ${unit}`)
    assert.match(help, /^[A-Z1].*\.$/, name)
    for (const label of labels) assert.match(label, /^[a-z_]+$/, `${name}{${label}}`)
    assert.equal(buckets !== undefined, kind === 'histogram', name)
    assert.deepEqual(
      buckets,
      buckets?.toSorted((a, b) => a - b),
    )
    if (!from) continue
    const source = metricOf(from.metric as typeof name)
    assert.equal(source.kind, kind, name)
    assert.deepEqual(source.buckets, buckets, name)
    assert.deepEqual(Object.keys(from.labels), labels, name)
    for (const label of [...Object.values(from.labels), ...(from.where ? [from.where.label] : [])])
      assert(source.labels.includes(label), `${name}: ${from.metric} has no label ${label}`)
  }
})

test('no label could hold a key, a user or a prompt', () => {
  const labels = new Set(metricNames.flatMap((name) => metricOf(name).labels))
  for (const label of labels) assert.doesNotMatch(label, /key|user|prompt|content|id$/, label)
})

const text = fc.string({ unit: 'binary', maxLength: 12 })
const count = fc.integer({ min: 0, max: 1_000_000 })
const requests = fc.record({
  name: fc.constant('wattmill_requests_total' as const),
  values: fc.tuple(text, text),
  value: fc.double({ noNaN: true, min: 0, max: 1e15 }),
})
const gaps = fc.record({
  name: fc.constant('wattmill_inter_token_latency_seconds' as const),
  values: fc.tuple(text),
  value: fc
    .tuple(count, fc.array(count, { minLength: 17, maxLength: 17 }))
    .map(([sum, buckets]): Histogram => [sum, ...buckets]),
})

test('what is written is read again, whatever the labels hold', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(requests, gaps), { maxLength: 20 }), (given) => {
      const readings: Reading[] = merged(given)
      const { samples, bad } = parseMetrics(exposition(readings))
      assert.equal(bad, 0)
      for (const { name, values, value } of readings) {
        const labels = Object.fromEntries(metricOf(name).labels.map((label, index) => [label, values[index] ?? '']))
        const of = (suffix: string, more: object = {}): number | undefined =>
          samples.find(
            (one) =>
              one.name === `${name}${suffix}` && JSON.stringify(one.labels) === JSON.stringify({ ...labels, ...more }),
          )?.value
        if (typeof value === 'number') assert.equal(of(''), value)
        else {
          const [sum, ...buckets] = value
          const all = buckets.reduce((a, b) => a + b, 0)
          assert.deepEqual([of('_sum'), of('_count'), of('_bucket', { le: '+Inf' })], [sum, all, all])
        }
      }
    }),
  )
})

const told = 'wattmill_requests_total'
const value = (totals: Totals, ...values: string[]): unknown => totals.counts.get(keyOf(told, values))

test('batches of several processes add up once each, however often they are sent', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(5), fc.boolean()), { maxLength: 60 }), (steps) => {
      const totals = new Totals()
      const processes = [0, 1, 2].map(() => {
        const recorder = new Recorder()
        return { recorder, outbox: new Outbox(recorder), counted: 0 }
      })
      const send = (index: number, heard: boolean): void => {
        totals.take(`g${index}`, processes[index]?.outbox.next() ?? assert.fail())
        if (heard) processes[index]?.outbox.acknowledged()
      }
      for (const [index, times, heard] of steps) {
        const process = processes[index] ?? assert.fail()
        for (let n = 0; n < times; n++) process.recorder.count(told, ['m', 'complete'])
        process.counted += times
        send(index, heard)
      }
      for (const index of processes.keys()) for (const _ of [1, 2]) send(index, true)
      const all = processes.reduce((sum, { counted }) => sum + counted, 0)
      assert.equal(value(totals, 'm', 'complete') ?? 0, all)
    }),
  )
})

test('a metric with too many label values keeps its sum, and says what it folded', () => {
  const recorder = new Recorder(3)
  for (let n = 0; n < 10; n++) recorder.count(told, [`m${n}`, 'complete'])
  const taken = recorder.take()
  assert.equal(taken[keyOf(told, ['other', 'other'])], 7)
  assert.equal(taken[keyOf('wattmill_series_dropped_total', [told])], 7)
  assert.deepEqual(recorder.take(), {}, 'nothing is counted twice')

  const readings = Array.from({ length: 10 }, (_, n): Reading => ({ name: told, values: [`m${n}`, 'x'], value: 1 }))
  const page = merged(readings, 4)
  const sum = page.filter(({ name }) => name === told).reduce((total, { value }) => total + Number(value), 0)
  assert.equal(sum, 10)
  assert.deepEqual(page.find(({ name }) => name === 'wattmill_series_folded')?.value, 7)
})

test('a batch that does not fit the table is left out, and mixes with nothing', () => {
  const totals = new Totals()
  const counts = {
    [keyOf(told, ['m', 'complete'])]: 1,
    [keyOf(told, ['m'])]: 1,
    [keyOf('nothing_total', ['m'])]: 1,
    [keyOf('wattmill_inter_token_latency_seconds', ['m'])]: [1, 2] as Histogram,
    'no json': 1,
    [keyOf(told, ['n', 'complete'])]: Number.NaN,
  }
  totals.take('g', { number: 1, counts })
  assert.deepEqual([...totals.counts], [[keyOf(told, ['m', 'complete']), 1]])
})

test("vLLM's names hold the sums of ours", () => {
  const tokens = (tokenClass: string, engine: string, count: number): Reading => ({
    name: 'wattmill_tokens_total',
    values: ['m', engine, tokenClass, 'engine', 'served'],
    value: count,
  })
  const { samples } = parseMetrics(
    exposition([
      tokens('input_uncached', 'a', 3),
      tokens('cache_read', 'b', 4),
      tokens('output_visible', 'a', 5),
      tokens('reasoning', 'b', 6),
    ]),
  )
  const of = (name: string): unknown => samples.filter((one) => one.name === name)
  assert.deepEqual(of('vllm:prompt_tokens_total'), [
    { name: 'vllm:prompt_tokens_total', labels: { model_name: 'm' }, value: 7 },
  ])
  assert.deepEqual(of('vllm:generation_tokens_total'), [
    { name: 'vllm:generation_tokens_total', labels: { model_name: 'm' }, value: 11 },
  ])
})

const lines: readonly (readonly [line: string, value: number | undefined, labels: object])[] = [
  ['up 1', 1, {}],
  ['up{} 1 1700000000000', 1, {}],
  ['up{a="b",} 2', 2, { a: 'b' }],
  ['up{ a = "b" , c="}" } 3', 3, { a: 'b', c: '}' }],
  ['up{a="\\"\\\\\\n"} 4', 4, { a: '"\\\n' }],
  ['up{le="+Inf"} +Inf', Number.POSITIVE_INFINITY, { le: '+Inf' }],
  ['up 1e+06 # {trace="x"} 1', 1e6, {}],
  ['up NaN', Number.NaN, {}],
  ['up 0x10', undefined, {}],
  ['up{a="b 1', undefined, {}],
  ['up{a=b} 1', undefined, {}],
  ['up', undefined, {}],
  ['1up 1', undefined, {}],
]
for (const [line, expected, labels] of lines)
  test(`the line ${JSON.stringify(line)} is ${expected === undefined ? 'no sample' : expected}`, () => {
    const { samples, bad } = parseMetrics(`# TYPE up gauge\n\n${line}\r\n`)
    if (expected === undefined) return assert.deepEqual([samples, bad], [[], 1])
    assert.deepEqual([samples, bad], [[{ name: 'up', labels, value: expected }], 0])
  })

test('whatever a page holds, it is read, in time in proportion to its length', () => {
  const shred = fc.constantFrom(
    'a',
    '{',
    '}',
    '"',
    '\\',
    ',',
    '=',
    ' ',
    '\n',
    '1',
    '.',
    'e',
    '-',
    '#',
    'NaN',
    '__proto__',
    '\t',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(shred, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 60 }), (shreds) => {
      const page = shreds.join('')
      const { samples, bad } = parseMetrics(`${page}\nup 1\n`)
      assert.deepEqual(samples.at(-1), { name: 'up', labels: {}, value: 1 }, 'a good line after it is read')
      assert(samples.length + bad <= page.split('\n').length + 1)
    }),
    { numRuns: 2000 },
  )
  const long = (text: string): string => text.repeat(1_000_000 / text.length)
  for (const hostile of [
    `a{${long(' ')}=`,
    `a{${long(' ,')}}`,
    `a{b="${long('\\')}`,
    `a ${long('1')}x`,
    long('a{'),
    `a{b="c"${long(' ')}x`,
  ]) {
    const began = performance.now()
    parseMetrics(hostile)
    // Quadratic time would be a quarter of an hour.
    assert(performance.now() - began < 5000, `${hostile.slice(0, 20)} took ${performance.now() - began} ms`)
  }
})
