import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, randomFrom } from '../random.ts'
import type { Client } from '../scenario.ts'
import { arrivals, lengthFrom, officeDay } from './arrivals.ts'
import { mooncakeTrace } from './mooncake.ts'
import { requestsOf } from './requests.ts'
import { azureColumns, csvTrace, jsonTrace, usualColumns } from './table.ts'

test('a Mooncake trace is read: equal hashes are equal pieces', () => {
  const lines = [
    '{"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [46, 47, 48]}',
    '',
    '{"timestamp": 3000, "input_length": 600, "output_length": 0, "hash_ids": [46, 99]}',
  ]
  const [first, second] = [...mooncakeTrace(lines)]
  assert.deepEqual(Array.from(first?.prompt.pieces ?? []), [0, 1, 2])
  assert.deepEqual(Array.from(second?.prompt.pieces ?? []), [0, 3])
  assert.deepEqual([first?.answer, second?.answer, second?.at_ns], [5, 1, 3e9])
})

test('a line that is not what it should be is named', () => {
  for (const [line, why] of [
    ['{"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [1]}', /line 2: hash_ids must be 3 ids/],
    ['{"timestamp": 0, "input_length": -1, "output_length": 5, "hash_ids": []}', /line 2: input_length is -1/],
    ['[]', /line 2: is not a JSON object/],
    ['{', /line 2: is not a JSON object/],
    ['{"timestamp": 0, "input_length": 3, "output_length": "x", "hash_ids": [1]}', /output_length is "x"/],
  ] as const)
    assert.throws(() => [...mooncakeTrace(['', line])], why)
  assert.throws(() => [...csvTrace(['a,b', '1'], usualColumns)], /line 2: has 1 columns, the head has 2/)
  assert.throws(() => [...csvTrace(['a,b', '1,2'], usualColumns)], /there is no column timestamp_s/)
  assert.throws(() => [...csvTrace(['TIMESTAMP,ContextTokens,GeneratedTokens', 'noon,1,1'], azureColumns)], /no time/)
})

test('the Azure traces are read: seven decimals, over midnight', () => {
  const requests = [
    ...csvTrace(
      [
        'TIMESTAMP,ContextTokens,GeneratedTokens',
        '2023-11-16 23:59:59.9799600,4808,10',
        '2023-11-17 00:00:00.0319600,3180,0',
      ],
      azureColumns,
    ),
  ]
  assert.deepEqual(
    requests.map(({ at_ns, prompt, answer }) => [at_ns, prompt.tokens, answer]),
    [
      [0, 4808, 10],
      [52_000_000, 3180, 1],
    ],
  )
})

test('JSON lines with columns of their own', () => {
  const columns = { time: 'ms', timeIn: 'ms', prompt: 'in', answer: 'out' } as const
  const [, second] = [...jsonTrace(['{"ms":100,"in":5,"out":6}', '{"ms":250.5,"in":7,"out":8}'], columns)]
  assert.deepEqual([second?.at_ns, second?.prompt.tokens, second?.answer], [150_500_000, 7, 8])
})

test('gaps have the mean and the spread that was asked for', () => {
  for (const burst of [0.5, 1, 3]) {
    const times = arrivals({ perSecond: 4, burst }, new Random(1, 'arrivals'), 0)
    const gaps: number[] = []
    for (let last = 0; gaps.length < 20_000; ) {
      const at = times.next().value ?? 0
      gaps.push((at - last) / 1e9)
      last = at
    }
    const mean = gaps.reduce((sum, one) => sum + one, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((sum, one) => sum + (one - mean) ** 2, 0) / gaps.length)
    assert(Math.abs(mean / 0.25 - 1) < 0.08, `burst ${burst}: mean ${mean}`)
    assert(Math.abs(deviation / mean / burst - 1) < 0.12, `burst ${burst}: ${deviation / mean}`)
  }
})

test('a day has the requests of its mean rate, and its hours their shares', () => {
  const perHour = new Array<number>(24).fill(0)
  for (const at_ns of arrivals({ perSecond: 1, daily: officeDay }, new Random(2, 'day'), 0)) {
    if (at_ns >= 86_400e9) break
    const hour = Math.floor(at_ns / 3_600e9)
    perHour[hour] = (perHour[hour] ?? 0) + 1
  }
  const all = perHour.reduce((sum, one) => sum + one, 0)
  assert(Math.abs(all / 86_400 - 1) < 0.03, `${all} requests`)
  assert((perHour[10] ?? 0) > 4 * (perHour[3] ?? 0), perHour.join())
})

test('lengths have their median and never pass their bound', () => {
  const random = new Random(3, 'lengths')
  const lengths = Array.from({ length: 9999 }, () => lengthFrom({ median: 500, spread: 0.8, most: 2000 }, random)).sort(
    (a, b) => a - b,
  )
  assert(Math.abs((lengths[4999] ?? 0) / 500 - 1) < 0.05)
  assert.equal(lengths.at(-1), 2000)
  assert((lengths[0] ?? 0) >= 1)
})

test('clients get their shares and leave as often as they are said to', () => {
  const client = (tenant: string, share: number, leaves: Client['leaves']): Client => ({
    tenant,
    application: 'a',
    slo: 'standard',
    model: 'm',
    share,
    leaves,
    maxTokens: 'answer',
  })
  const never = { share: 0, tokens: undefined, seconds: undefined }
  const traced = Array.from({ length: 8000 }, (_, at) => ({
    at_ns: at,
    prompt: { tokens: 9, pieces: [], pieceTokens: 16 },
    answer: 50,
  }))
  const requests = [
    ...requestsOf(
      traced,
      1,
      8000,
      [client('a', 3, never), client('b', 1, { ...never, share: 0.5, tokens: 20 })],
      randomFrom(4),
    ),
  ]
  const second = requests.filter((one) => one.client === 1)
  assert(Math.abs(second.length / 2000 - 1) < 0.1, `${second.length} of 8000`)
  const left = second.filter((one) => one.leavesAfter)
  assert(Math.abs(left.length / second.length - 0.5) < 0.05, `${left.length} of ${second.length}`)
  assert(left.every(({ leavesAfter }) => leavesAfter && 'tokens' in leavesAfter && leavesAfter.tokens <= 20))
  assert(requests.every(({ limit }) => limit === 50))
})
