import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StepWork } from '../plant/energy/step-energy.ts'
import { energyOf, noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { SequenceStep } from '../plant/infrastructure/step.ts'
import { workOfStep } from '../plant/infrastructure/step-work.ts'
import type { AttemptId, ReplicaId } from '../units/ids.ts'
import { attemptId, id } from '../units/ids.ts'
import type { CloseRow } from './row.ts'
import { missingUsage, usageFrom } from './usage.ts'
import type { Timeline } from './window.ts'
import { timelinesOf, windowSeconds } from './window.ts'

const name = (n: number): AttemptId => attemptId(id(`gw-${n}`), 1)

const timelines: fc.Arbitrary<Timeline[]> = fc
  .array(
    fc.record({
      begun_ms: fc.nat(8000),
      prompt_ms: fc.option(fc.nat(1500)),
      rest_ms: fc.nat(5000),
      input_uncached: fc.nat(3000),
      cache_read: fc.nat(3000),
      output: fc.nat(400),
    }),
    { maxLength: 12 },
  )
  .map((list) =>
    list.map(({ begun_ms, prompt_ms, rest_ms, ...counts }, n) => ({
      attempt: name(n),
      begun_ms,
      first_ms: prompt_ms === null ? null : begun_ms + prompt_ms,
      last_ms: begun_ms + (prompt_ms ?? 0) + rest_ms,
      ...counts,
    })),
  )

/** Of all seconds together. */
const wholeOf = (seconds: ReturnType<typeof windowSeconds>, attempt: AttemptId): StepWork =>
  seconds
    .filter((one) => one.attempt === attempt)
    .map(({ work }) => work)
    .reduce(plusWork, noWork)

test('however it is cut into seconds, each attempt did what it did: every token, and every key that was read for it', () => {
  fc.assert(
    fc.property(timelines, (list) => {
      const seconds = windowSeconds(list)
      for (const { work } of seconds)
        for (const value of Object.values(work)) assert(value >= 0 && Number.isInteger(value))
      for (const one of list) {
        const { step_e9, ...whole } = wholeOf(seconds, one.attempt)
        const { input_uncached: p, cache_read: c, output: n } = one
        const more = Math.max(0, n - 1)
        assert.deepEqual(whole, {
          prefill: p,
          prefill_context: p * c + (p * (p + 1)) / 2,
          decode: n,
          kv_read: more * (p + c) + (more * Math.max(0, more - 1)) / 2,
        })
        assert(step_e9 > 0, 'who was there has a share of the steps')
      }
      const places = seconds.map(({ second, attempt }) => `${second} ${attempt}`)
      assert.equal(new Set(places).size, places.length)
    }),
  )
})

test('alone, a stream had a step for its prompt and one for each token after the first', () => {
  fc.assert(
    fc.property(
      fc.nat(5000),
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 1, max: 300 }),
      (begun_ms, took_ms, output) => {
        const one = {
          attempt: name(1),
          begun_ms,
          first_ms: begun_ms + took_ms,
          last_ms: begun_ms + took_ms + 40 * (output - 1),
        }
        const { step_e9 } = wholeOf(windowSeconds([{ ...one, input_uncached: 100, cache_read: 0, output }]), name(1))
        assert(Math.abs(step_e9 / 1e9 - output) < 1e-6 * output, `${step_e9}`)
      },
    ),
  )
})

const coefficients = { step: 3, prefill: 0.02, prefill_context: 1e-5, decode: 0.4, kv_read: 1e-4 }

test('an engine whose steps all take as long is rebuilt as it was: joules by window are joules by step', () => {
  const asked = fc.array(
    fc.record({ after: fc.nat(40), input: fc.integer({ min: 1, max: 500 }), output: fc.integer({ min: 1, max: 60 }) }),
    { minLength: 1, maxLength: 10 },
  )
  fc.assert(
    fc.property(asked, fc.integer({ min: 5, max: 90 }), (requests, step_ms) => {
      const { energies, seen } = lockStep(requests, step_ms)
      const seconds = windowSeconds(seen, 1_000_000)
      for (const { attempt } of seen) {
        const rebuilt = energyOf(wholeOf(seconds, attempt), coefficients)
        const real = energies.get(attempt) ?? Number.NaN
        assert(Math.abs(rebuilt - real) <= 1e-6 * real, `${attempt}: ${rebuilt} J by window, ${real} J by step`)
      }
    }),
  )
})

/** Every step takes as long; a prompt goes in whole with the step after it came, and brings the first token. */
function lockStep(requests: readonly { after: number; input: number; output: number }[], step_ms: number) {
  const energies = new Map<AttemptId, number>()
  const seen = requests.map(
    ({ after, input, output }, n): Timeline => ({
      attempt: name(n),
      begun_ms: after * step_ms,
      first_ms: (after + 1) * step_ms,
      last_ms: (after + output) * step_ms,
      input_uncached: input,
      cache_read: 0,
      output,
    }),
  )
  for (let step = 0; step < 200; step++) {
    const sequences = requests.flatMap(({ after, input, output }, n): SequenceStep[] => {
      const done = step - after
      if (done < 0 || done >= output) return []
      const first = done === 0
      return [{ attempt: name(n), prefill: first ? input : 0, decode: 1, context: first ? 0 : input + done - 1 }]
    })
    workOfStep({ sequences }).forEach((work, at) => {
      const attempt = sequences[at]?.attempt ?? name(-1)
      energies.set(attempt, (energies.get(attempt) ?? 0) + energyOf(work, coefficients))
    })
  }
  return { energies, seen }
}

test('attempts of a request: what was refused was in no batch, what was retried came before the last', () => {
  const usage = (output_visible: number) => usageFrom('provider', { input_uncached: 5, cache_read: 2, output_visible })
  const row = {
    id: id<CloseRow['id']>('gw-1'),
    at_ms: 1000,
    queued_ms: 50,
    ttft_ms: 650,
    closed_ms: 3000,
    stream: true,
    attempts: [
      { number: 1, replica: id<ReplicaId>('gpu'), usage: usage(0) },
      { number: 2, replica: id<ReplicaId>('gpu'), usage: missingUsage },
      { number: 3, replica: id<ReplicaId>('gpu'), usage: usage(9) },
    ],
  } as unknown as CloseRow
  assert.deepEqual(
    timelinesOf(row, id('gpu')).map(({ attempt, begun_ms, first_ms, last_ms, output }) => [
      attempt,
      begun_ms,
      first_ms,
      last_ms,
      output,
    ]),
    [
      ['gw-1/1', 1000, null, 1200, 0],
      ['gw-1/3', 1400, 1600, 3000, 9],
    ],
  )
  assert.deepEqual(timelinesOf(row, id('other')), [])
  assert.equal(
    timelinesOf({ ...row, stream: false }, id('gpu'))[1]?.first_ms,
    null,
    'an answer in one piece does not show it',
  )
})
