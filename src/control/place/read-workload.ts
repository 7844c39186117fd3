import { dtypes } from '../../plant/chips/card.ts'
import { type ModelCard, type WeightFormat, weightFormats } from '../../plant/models/card.ts'
import { findModel } from '../../plant/models/cards.ts'
import { fromHuggingFace } from '../../plant/models/from-huggingface.ts'
import { Field, FieldError } from '../../units/field.ts'
import type { Shape, ShapeOn, Slo, Wanted } from './workload.ts'

/** A workload as it stands in a file → what is wanted, or the first thing in it that cannot be, by its place. */
export function readWorkload(value: unknown): Wanted[] {
  const top = new Field(value, [], 'the workload')
  const wanted = top.list('deployments').map(wantedIn)
  top.done()
  const twice = wanted.find(({ deployment }, at) => wanted.findIndex((one) => one.deployment === deployment) < at)
  if (twice) throw new FieldError(`deployments: two are named ${twice.deployment}`, ['deployments'])
  return wanted
}

function wantedIn(field: Field): Wanted {
  const model = field.text('model')
  const usual = {
    cores: field.number('cores', { from: 0, to: 100_000, usually: 4 }),
    memory_gib: field.number('memory_gib', { from: 0, to: 1e6, usually: 16 }),
  }
  const wanted: Wanted = {
    deployment: field.text('name'),
    tenant: field.text('tenant', 'default'),
    model,
    card: field.has('config') ? cardIn(field, model) : (findModel(model) ?? null),
    weights: field.has('weights') ? formatIn(field) : null,
    kv: field.oneOf('kv', dtypes, 'bf16'),
    replicas: field.whole('replicas', { from: 0, to: 100_000, usually: 1 }),
    gang: field.flag('gang', false),
    spread: field.oneOf('spread', ['none', 'node', 'rack'], 'none'),
    usd_hour: field.number('usd_per_hour', { from: 0, to: 1e9, usually: 0 }),
    preemptible: field.flag('preemptible', false),
    slo: sloIn(field.group('slo')),
    shapes: field.list('run_on').map((one) => shapeIn(one, usual)),
  }
  field.done()
  return wanted
}

/** The shape of a model that we have no card of: its published config.json, as it stands. */
function cardIn(field: Field, model: string): ModelCard {
  const card = fromHuggingFace(model, field.any('config'))
  return 'layers' in card ? card : field.fail('config', `lacks ${card.field}: ${card.message}`)
}

function formatIn(field: Field): WeightFormat {
  const name = field.oneOf('weights', Object.keys(weightFormats) as (keyof typeof weightFormats)[])
  return weightFormats[name]
}

/** Without an objective of its own a deployment has that of chat: a second to the first token, 25 tokens a second then. */
function sloIn(field: Field): Slo {
  const slo = {
    ttft_ms: field.number('ttft_ms', { from: 1, to: 1e7, usually: 1000 }),
    itl_ms: field.number('itl_ms', { from: 0.1, to: 1e6, usually: 40 }),
    prompt_tokens: field.whole('prompt_tokens', { from: 1, to: 1e7, usually: 1024 }),
    output_tokens: field.whole('output_tokens', { from: 1, to: 1e7, usually: 256 }),
  }
  field.done()
  return slo
}

function shapeIn(field: Field, usual: { readonly cores: number; readonly memory_gib: number }): Shape {
  const shape = {
    ...shapeOn(field),
    cpu_milli: 1000 * field.number('cores', { from: 0, to: 100_000, usually: usual.cores }),
    memory_mib: 1024 * field.number('memory_gib', { from: 0, to: 1e6, usually: usual.memory_gib }),
    tokens_s: field.has('tokens_per_s') ? field.number('tokens_per_s', { from: 0.001, to: 1e9 }) : null,
  }
  field.done()
  return shape
}

function shapeOn(field: Field): ShapeOn {
  if (field.has('hosted'))
    return {
      on: 'hosted',
      engine: field.text('hosted'),
      usdPerMillion: field.number('usd_per_million', { from: 0, to: 1e6 }),
    }
  if (field.has('cpu')) {
    if (!field.flag('cpu', true)) field.fail('cpu', 'is false: leave it out, and say on which chip')
    return { on: 'cpu' }
  }
  const chip = field.text('chip')
  if (field.has('profile')) return { on: 'slice', chip, profile: field.text('profile') }
  if (field.has('share'))
    return { on: 'share', chip, milli: Math.round(1000 * field.number('share', { from: 0.001, to: 0.999 })) }
  return {
    on: 'gpu',
    chip,
    gpus: field.whole('gpus', { from: 1, to: 64, usually: 1 }),
    stages: field.whole('stages', { from: 1, to: 64, usually: 1 }),
  }
}
