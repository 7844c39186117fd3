import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stepsAfter } from './history.ts'

const now_ms = 1_795_617_618_250
const day_ms = 86_400_000

test('each step is asked once, in order, none before it is known, and at most a thousand at a time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 40 * 3_600_000 }),
      fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 30 }),
      (seconds, away_ms, waits) => {
        const step_ms = seconds * 1000
        let [after_ms, at_ms] = [now_ms - away_ms, now_ms]
        for (const wait_ms of waits) {
          at_ms += wait_ms
          const steps = stepsAfter(after_ms, at_ms, step_ms)
          if (!steps) {
            assert(Math.floor(after_ms / step_ms) * step_ms + step_ms > at_ms - 5000, 'there was one to ask for')
            continue
          }
          const { first_ms, last_ms } = steps
          assert(first_ms % step_ms === 0 && last_ms % step_ms === 0)
          assert(first_ms > after_ms && last_ms >= first_ms && last_ms <= at_ms - 5000)
          assert((last_ms - first_ms) / step_ms < 1000)
          const next_ms = Math.floor(after_ms / step_ms) * step_ms + step_ms
          assert(first_ms === next_ms || first_ms >= at_ms - day_ms, 'a step was left out')
          after_ms = last_ms
        }
      },
    ),
  )
})

test('a day back and no further', () => {
  const steps = stepsAfter(now_ms - 3 * day_ms, now_ms, 5_000)
  assert(steps && steps.first_ms >= now_ms - day_ms && steps.first_ms < now_ms - day_ms + 5_000)
})
