import { accelerators } from '../plant/chips/catalogue.ts'
import { weightFormats } from '../plant/models/card.ts'
import { findModel } from '../plant/models/cards.ts'
import { noEnergy } from '../plant/models/step-cost.ts'
import { parsePrice } from '../units/amount.ts'
import type { Field } from '../units/field.ts'
import { loopDefaults } from './engine/engine.ts'
import { pagedDefaults } from './engine/paged.ts'
import type { CostShape, EngineShape, Pool } from './scenario.ts'
import { streamShapes } from './stream-shapes.ts'

/** A pool of a scenario: its engine by vLLM's own names, its costs from data sheets or from a fit. */
export function poolIn(field: Field): Pool {
  const model = field.text('model')
  const engine = engineIn(field)
  const price = field.group('price_usd_per_million')
  const dollars = (name: string, usually: string) => {
    const text = String(price.any(name) ?? usually)
    return parsePrice(text) ?? price.fail(name, `is ${text}: US dollars per million tokens are needed, such as 0.15`)
  }
  const input = dollars('input', '0')
  const pool: Pool = {
    name: field.text('name'),
    replicas: field.whole('replicas', { from: 1, to: 4096, usually: 1 }),
    model,
    concurrency: field.whole('concurrency', {
      from: 1,
      to: 65_536,
      usually: engine.kind === 'vllm' ? engine.paged.maxSequences : engine.slots,
    }),
    usdPerHour: field.number('usd_per_hour', { from: 0, to: 1e6, usually: 0 }),
    price: { input, cached: price.has('cached') ? dollars('cached', '0') : input, output: dollars('output', '0') },
    engine,
    speech: field.oneOf('stream', ['own', ...streamShapes], engine.kind === 'vllm' ? 'usual' : 'own'),
    ranks: field.whole('data_parallel', { from: 1, to: 64, usually: 1 }),
    cost: costIn(field, model),
    device: field.has('power_limit_w') ? deviceIn(field.group('power_limit_w')) : undefined,
    loop: {
      ...loopDefaults,
      depth: engine.kind === 'vllm' && field.flag('async_scheduling', true) ? 2 : 1,
      host_ns: Math.round(1e6 * field.number('host_ms', { from: 0, to: 1000, usually: 0 })),
      warmUp_ns: Math.round(1e9 * field.number('warm_up_s', { from: 0, to: 3600, usually: 0 })),
      coldStart_ns: Math.round(1e9 * field.number('cold_start_s', { from: 0, to: 86_400, usually: 0 })),
    },
  }
  if (engine.kind === 'vllm' && engine.blocks === undefined && pool.cost.rung === 'fitted')
    field.fail(
      'engine.kv_blocks',
      'is missing: the size of the cache of an engine that was fitted is known, or measured',
    )
  price.done()
  field.done()
  return pool
}

function deviceIn(field: Field): Pool['device'] {
  const watts = { from: 1, to: 1e6 }
  const device = { least_w: field.number('least', watts), most_w: field.number('most', watts) }
  field.done()
  return device
}

function engineIn(field: Field): EngineShape {
  const engine = field.group('engine')
  const kind = engine.oneOf('kind', ['vllm', 'llama.cpp'], 'vllm')
  const whole = (name: string, usually: number, from = 1) => engine.whole(name, { from, to: 1e9, usually })
  const shape: EngineShape =
    kind === 'llama.cpp'
      ? { kind, slots: whole('slots', 4), batch: whole('batch', 2048), contextTokens: whole('context_tokens', 4096) }
      : {
          kind,
          blocks: engine.has('kv_blocks') ? whole('kv_blocks', 1) : undefined,
          paged: {
            maxBatchedTokens: whole('max_num_batched_tokens', pagedDefaults.maxBatchedTokens),
            maxSequences: whole('max_num_seqs', pagedDefaults.maxSequences),
            maxModelTokens: whole('max_model_len', pagedDefaults.maxModelTokens, 2),
            blockTokens: whole('block_size', pagedDefaults.blockTokens),
            prefixCaching: engine.flag('enable_prefix_caching', pagedDefaults.prefixCaching),
            reserveFullPrompt: engine.flag('scheduler_reserve_full_isl', pagedDefaults.reserveFullPrompt),
            longPrefillTokens: whole('long_prefill_token_threshold', pagedDefaults.longPrefillTokens, 0),
            policy: engine.oneOf('policy', ['fcfs', 'priority'], pagedDefaults.policy),
          },
        }
  engine.done()
  return shape
}

function costIn(field: Field, model: string): CostShape {
  if (field.has('step')) {
    const step = field.group('step')
    const [time, energy] = [step.group('time'), step.group('energy')]
    const at = (of: Field, name: string, usually = 0) => of.number(name, { from: 0, to: 1e9, usually })
    const shape: CostShape = {
      rung: 'fitted',
      time: {
        step_ms: at(time, 'step_ms'),
        prefill_ms: at(time, 'prefill_ms'),
        decode_ms: at(time, 'decode_ms'),
        context_us: at(time, 'context_us'),
        pair_us: at(time, 'pair_us'),
      },
      energy: step.has('energy')
        ? {
            idle_w: at(energy, 'idle_w'),
            full_w: at(energy, 'full_w', 1e9),
            step_j: at(energy, 'step_j'),
            prefill_j: at(energy, 'prefill_j'),
            decode_j: at(energy, 'decode_j'),
            context_j: at(energy, 'context_j'),
          }
        : noEnergy,
    }
    if (time.number('step_ms', { from: 0, to: 1e9, usually: 0 }) <= 0)
      time.fail('step_ms', 'must be above 0: a step takes time')
    for (const one of [time, energy, step]) one.done()
    return shape
  }
  if (!findModel(model)) field.fail('model', `${model} has no card; give its fitted \`step\`, or a model with one`)
  return {
    rung: 'data sheet',
    chip: field.oneOf(
      'chip',
      accelerators.map(({ id }) => id),
    ),
    chips: field.whole('chips', { from: 1, to: 72, usually: 1 }),
    weights: field.oneOf('weights', Object.keys(weightFormats), findModel(model)?.published.name ?? 'bf16'),
    kv: field.oneOf('kv', ['bf16', 'fp8'], 'bf16'),
  }
}
