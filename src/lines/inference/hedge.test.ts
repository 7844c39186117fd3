import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ModelId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'
import { Hedging } from './hedge.ts'

const model = id<ModelId>('m')

test('hedges never cost more than their share of what serving costs', () => {
  const step = fc.record({ cost: fc.integer({ min: 0, max: 1000 }), hedge: fc.boolean() })
  fc.assert(
    fc.property(fc.constantFrom(0, 0.02, 0.5, 1), fc.array(step, { maxLength: 200 }), (share, steps) => {
      const hedging = new Hedging({ share, samples: 1 })
      let [served, spent] = [0, 0]
      for (const { cost, hedge } of steps) {
        if (!hedge) {
          served += cost
          hedging.served(cost)
        } else if (hedging.take(cost)) spent += cost
        assert(spent <= share * served + 1e-6, `${spent} of ${served}`)
      }
    }),
  )
})

test('late is what one first token in twenty is, whatever was expected', () => {
  const hedging = new Hedging({ share: 0.02, samples: 100 })
  let state = 1
  const share = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  assert.equal(hedging.patience(model, seconds(1)), undefined, 'nothing is known yet')
  let late = 0
  for (let n = 0; n < 20_000; n++) {
    const took = seconds(0.5 + 2 * share())
    const patience = hedging.patience(model, seconds(1))
    if (n >= 10_000 && patience && took > patience.after) late++
    hedging.took(model, seconds(1), took)
  }
  assert(late > 300 && late < 700, `${late} of 10,000 were late`)
  assert.equal(new Hedging({ share: 0, samples: 0 }).patience(model, seconds(1)), undefined)
})
