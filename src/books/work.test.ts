import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { StepReport } from '../plant/infrastructure/step.ts'
import { workOfStep } from '../plant/infrastructure/step-work.ts'
import { id } from '../units/ids.ts'
import { lineOfStep, stepOfLine, type WorkLine, workOfLines } from './work.ts'

const report: fc.Arbitrary<StepReport> = fc.record({
  model: fc.constantFrom('m', 'n'),
  at_ms: fc.integer({ min: 0, max: 5000 }),
  took_us: fc.nat(),
  cpu_us: fc.option(fc.nat()),
  sequences: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 5 }).chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({
          attempt: fc.constant(id<StepReport['sequences'][number]['attempt']>(`gw-${name}/1`)),
          prefill: fc.nat(500),
          decode: fc.nat(1),
          context: fc.nat(4000),
        }),
      ),
    ),
  ),
})

const throughFile = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test('a report survives its line in the log', () => {
  fc.assert(fc.property(report, (one) => assert.deepEqual(stepOfLine(throughFile(lineOfStep(one))), throughFile(one))))
})

test('seconds hold all that the steps did, whatever pieces the log is read in', () => {
  fc.assert(
    fc.property(fc.array(report, { maxLength: 30 }), fc.nat(30), (reports, cut) => {
      const lines = reports.map(lineOfStep)
      const whole = [...workOfLines(lines).seconds.values()]
      const parts = [lines.slice(0, cut), lines.slice(cut)].flatMap((part) => [...workOfLines(part).seconds.values()])
      const sum = (seconds: typeof whole) => seconds.map(({ work }) => work).reduce(plusWork, noWork)
      assert.deepEqual(sum(whole), sum(parts))
      assert.deepEqual(sum(whole), reports.flatMap(workOfStep).reduce(plusWork, noWork))
      const tokens = whole.reduce((total, second) => total + second.tokens, 0)
      assert.equal(tokens, sum(whole).prefill + sum(whole).decode)
      for (const { second, attempt } of whole)
        assert(
          reports.some(
            (one) => Math.floor(one.at_ms / 1000) === second && one.sequences.some((of) => of.attempt === attempt),
          ),
        )
    }),
  )
})

test('logs from before the steps knew their prompts still give every token, and no guess of what they cost', () => {
  const old: WorkLine[] = [
    { log: 'begin', at_ms: 1000, id: 'gw-1/1', model: 'm', input_uncached: 40, cache_read: 3 },
    { log: 'step', at_ms: 1500, took_us: 9, made: [['gw-1/1', 1]] },
    { log: 'step', at_ms: 2500, took_us: 9, made: [['gw-1/1', 1]] },
  ]
  const { seconds, attempts } = workOfLines(old)
  assert.deepEqual(
    [...seconds.values()].map(({ second, tokens, work }) => [second, tokens, work]),
    [
      [1, 41, noWork],
      [2, 1, noWork],
    ],
  )
  assert.equal(attempts.get('gw-1/1')?.output, 2)
  assert.equal(stepOfLine(old[1] as never), undefined)
})
