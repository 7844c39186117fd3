import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { findAccelerator } from '../chips/catalogue.ts'
import { weightFormats } from './card.ts'
import { findModel } from './cards.ts'
import { type Deployment, missingFacts, stepPhysics } from './step-physics.ts'

const data = process.env.WATTMILL_DATA ?? '../shared/data'
const file = `${data}/perf/aic_silicon_sample.csv.gz`
const absent = existsSync(file) ? false : `${file} is not there`

const chips: Readonly<Record<string, string>> = {
  h100_sxm: 'h100-sxm',
  h200_sxm: 'h200',
  b200_sxm: 'b200',
  b300_sxm: 'b300',
  gb200: 'gb200',
  gb300: 'gb300',
}

type Point = Readonly<Record<string, string>>

/** Points of one engine that serves prefill and decode together, every layer on all of its chips, in a format that we know. */
function points(): Point[] {
  const [head = '', ...lines] = gunzipSync(readFileSync(file)).toString().trim().split('\n')
  const names = head.split(',')
  return lines
    .map((line): Point => Object.fromEntries(line.split(',').map((cell, at) => [names[at] ?? '', cell])))
    .filter(
      (point) =>
        point.mode === 'agg' &&
        Number(point.pp_size) === 1 &&
        Number(point.attention_dp_size || 1) === 1 &&
        ['', 'bf16', 'fp8'].includes(point.precision ?? ''),
    )
}

function deployed(point: Point): Deployment | undefined {
  const [model, chip] = [findModel(point.model_path ?? ''), findAccelerator(chips[point.system ?? ''] ?? '')]
  if (!model || !chip) return undefined
  const weights = { fp8: weightFormats.fp8, bf16: weightFormats.bf16 }[point.precision ?? ''] ?? model.published
  const deployment: Deployment = { model, chip, chips: Number(point.tp_size), weights, kv: 'bf16' }
  return missingFacts(deployment).length === 0 ? deployment : undefined
}

/** Time per output token at steady state: each step decodes one token for all, and carries their share of prompts, b ISL / OSL. */
function predicted_ms(deployment: Deployment, batch: number, prompt: number, answer: number): number {
  const cost = stepPhysics(deployment)
  const prefill = (batch * prompt) / answer
  const context = batch * (prompt + answer / 2)
  return (cost.time_ns(prefill, (prefill * prompt) / 2, batch) + cost.timePerContext_ns * context) / 1e6
}

/**
 * 5,221 published serving runs (github.com/ai-dynamo/aiconfigurator@095f58a silicon_sample.csv, Apache-2.0), none of which
 * anything here was fitted to. On the whole sample a textbook roofline is off by 52 % on average, six coefficients fitted to
 * it by 25 %, one fit for each model, chip and engine by 11.5 %, held out.
 */
test('time per token from data sheets against published serving runs', { skip: absent }, (context) => {
  const errors = new Map<string, number[]>()
  let [seen, unknown] = [0, 0]
  for (const point of points()) {
    seen++
    const deployment = deployed(point)
    if (!deployment) {
      unknown++
      continue
    }
    const [batch, prompt, answer] = [point.batch_size, point.isl, point.osl].map(Number) as [number, number, number]
    const error = predicted_ms(deployment, batch, prompt, answer) / Number(point.silicon_tpot_ms) - 1
    for (const name of ['all', point.backend ?? '']) errors.set(name, [...(errors.get(name) ?? []), error])
  }
  const at = (values: readonly number[], share: number): number =>
    values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
  context.diagnostic(`${seen} points, ${unknown} of models or chips that we do not know`)
  for (const [name, all] of errors) {
    const sizes = all.map(Math.abs)
    const mean = sizes.reduce((sum, one) => sum + one, 0) / sizes.length
    context.diagnostic(
      `${name}: ${all.length} points, bias ${percent(at(all, 0.5))}, error median ${percent(at(sizes, 0.5))}, p90 ${percent(at(sizes, 0.9))}, mean ${percent(mean)}`,
    )
    if (name !== 'vllm' && name !== 'all') continue
    assert(Math.abs(at(all, 0.5)) < 0.1, `${name}: bias`)
    assert(at(sizes, 0.5) < 0.2, `${name}: median`)
    assert(mean < 0.35, `${name}: mean`)
  }
  assert((errors.get('vllm')?.length ?? 0) > 500)
})
