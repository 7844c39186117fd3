import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldError } from '../units/field.ts'
import { runTwin } from './run.ts'
import { readScenario } from './scenario-read.ts'

const pool = { name: 'a', model: 'meta-llama/Llama-3.1-8B', chip: 'h100-sxm' }
const workload = { per_second: 1, requests: 5, prompt: { median: 100 }, answer: { median: 10 } }
const good = { name: 'x', pools: [pool], workload }

test('the least that can be said is enough', () => {
  const scenario = readScenario(good)
  assert.equal(scenario.pools[0]?.concurrency, 256)
  assert.equal(scenario.clients[0]?.model, 'meta-llama/Llama-3.1-8B')
  assert.equal(runTwin(scenario).outcomes.complete, 5)
})

test('what cannot be is told by its place, with what would do', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ...good, name: undefined }, /^name is missing$/],
    [{ ...good, sede: 1 }, /^sede is not known here; known are .*seed/],
    [{ ...good, pools: [] }, /^pools must be a list/],
    [{ ...good, pools: [{ ...pool, chip: 'h1000' }] }, /^pools\[0\]\.chip is "h1000": one of .*h100-sxm/],
    [{ ...good, pools: [{ ...pool, model: 'who/knows' }] }, /pools\[0\]\.model who\/knows has no card/],
    [{ ...good, pools: [pool, pool] }, /two have one name/],
    [{ ...good, pools: [{ ...pool, replicas: 0 }] }, /replicas is 0: a number from 1/],
    [{ ...good, pools: [{ ...pool, replicas: 1.5 }] }, /a whole number is needed/],
    [{ ...good, pools: [{ ...pool, price_usd_per_million: { input: 'cheap' } }] }, /input is cheap: US dollars/],
    [{ ...good, pools: [{ ...pool, engine: { kind: 'vllm', block: 16 } }] }, /engine\.block is not known/],
    [{ ...good, pools: [{ name: 'a', model: 'm', step: { time: { step_ms: 10 } } }] }, /kv_blocks is missing/],
    [
      { ...good, pools: [{ name: 'a', model: 'm', step: { time: {} }, engine: { kv_blocks: 9 } }] },
      /step_ms must be above 0/,
    ],
    [{ ...good, workload: { ...workload, requests: undefined } }, /workload\.requests or `seconds` must be given/],
    [{ ...good, workload: { trace: 'x' } }, /workload\.format is missing: one of mooncake/],
    [{ ...good, clients: [{ tenant: 't', model: 'other' }] }, /clients\[0\]\.model is "other"/],
    [
      { ...good, faults: [{ kind: 'crash', replica: 'a-9', at_s: 1, for_s: 1 }] },
      /faults\[0\]\.replica is "a-9": one of a-1/,
    ],
    [{ ...good, start: 'soon' }, /start is "soon": a moment/],
  ]
  for (const [scenario, why] of cases)
    assert.throws(
      () => readScenario(JSON.parse(JSON.stringify(scenario))),
      (error: Error) => {
        assert(error instanceof FieldError)
        assert.match(error.message, why)
        return true
      },
    )
  assert.throws(() => readScenario('no'), /the scenario is no group/)
})

test('a factory that cannot be built is refused before it runs', () => {
  const run = (more: object) => () => runTwin(readScenario({ ...good, pools: [{ ...pool, ...more }] }))
  assert.throws(
    run({ model: 'meta-llama/Llama-3.1-70B' }),
    /the weights of meta-llama\/Llama-3.1-70B do not fit on 1 × H100/,
  )
  assert.throws(run({ chip: 'a10g' }), /nobody says the peak FLOP\/s in bf16 and power of A10G/)
})
