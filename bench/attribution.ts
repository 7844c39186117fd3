/**
 * How fairly and how exactly energy is divided over requests: npm run bench:attribution
 *
 * Two runs of the embedded engine under a mixed load, fitted on the first and judged on the second. The energy of a step is
 * *estimated* from the CPU time of the engine's process (full − idle watts × core-seconds / cores): no counter is fine enough
 * for a step. Options: --seconds N (each run), --games N, --model FILE.gguf (in place of the two that are made).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadLlama, loadModel } from '../src/adapters/llama/model.ts'
import { shapley } from '../src/books/shapley.ts'
import { exactShapley, sampledShapley } from '../src/books/testing-shapley.ts'
import type { StepCoefficients } from '../src/plant/energy/step-energy.ts'
import { noWork, plusWork, stepTerms } from '../src/plant/energy/step-energy.ts'
import type { FitQuality, FittedSteps, Observation } from '../src/plant/energy/step-fit.ts'
import { fitSteps, qualityOf } from '../src/plant/energy/step-fit.ts'
import type { StepReport } from '../src/plant/infrastructure/step.ts'
import { workOfStep } from '../src/plant/infrastructure/step-work.ts'
import type { Deviation } from './attribution/compare.ts'
import {
  at,
  deviation,
  divided,
  observations,
  paired,
  secondEnergies,
  stepParts,
  windowParts,
} from './attribution/compare.ts'
import { measureGame } from './attribution/game.ts'
import { writeLarger } from './attribution/larger.ts'
import type { LoadPlan } from './attribution/load.ts'
import { runLoad } from './attribution/load.ts'
import { dice } from './dice.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '75' },
    games: { type: 'string', default: '6' },
    model: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const games = Number(values.games)

/** What `up` assumes of a machine without a meter, in watts. */
const power = { idle: 10, full: 50 }
const joulesOf = (cpu_us: number): number => ((power.full - power.idle) * cpu_us) / 1e6 / availableParallelism()
const energyOfStep = (step: StepReport): number => joulesOf(step.cpu_us ?? 0)

/** The engine's default: prompt tokens in a step, at most. */
const batch = 512
const slots = 4
const bar = { low: 0.8, high: 1.25 }

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const quality = ({ residual_factor, error_median, error_p95, observations }: FitQuality): string =>
  `factor ${residual_factor.toFixed(3)}, error median ${percent(error_median)}, p95 ${percent(error_p95)} (${observations})`
const spread = ({ relative, misplaced }: Deviation): string =>
  `median ${percent(at(relative, 0.5))}, p95 ${percent(at(relative, 0.95))}, ${percent(misplaced)} of joules misplaced`

async function judge(name: string, plan: Omit<LoadPlan, 'seed'>): Promise<boolean> {
  console.log(`\n${name}`)
  const train = await runLoad({ ...plan, seed: 1 })
  const test = await runLoad({ ...plan, seed: 2 })
  console.log(
    `  runs                     ${train.timelines.length} + ${test.timelines.length} requests, ${train.steps.length} + ${test.steps.length} steps`,
  )

  const [trained, tested] = [train, test].map((run) => ({
    steps: run.steps.map(
      (step): Observation => ({
        work: workOfStep(step).reduce(plusWork, noWork),
        energy_j: energyOfStep(step),
      }),
    ),
    energies: secondEnergies(run, energyOfStep),
  }))
  if (!trained || !tested) throw new Error('two runs')
  const fit = fitted(trained.steps, 'steps')
  print(fit)
  const held = qualityOf(fit.coefficients, tested.steps)
  console.log(`  held out, by step        ${quality(held)}`)
  const bySecond = observations(stepParts(test), tested.energies)
  console.log(`  held out, by second      ${quality(qualityOf(fit.coefficients, bySecond))}`)
  const coarse = fitted(observations(stepParts(train), trained.energies), 'seconds')
  console.log(`  fitted on seconds        ${quality(qualityOf(coarse.coefficients, bySecond))}   as from a meter`)

  const byStep = divided(stepParts(test), fit.coefficients, tested.energies)
  const hidden = fitted(observations(windowParts(train, batch), trained.energies), 'windows')
  const byWindow = divided(windowParts(test, batch), hidden.coefficients, tested.energies)
  console.log(
    `  window from step         ${spread(deviation(paired(byWindow, byStep)))}   joules of a request, steps hidden`,
  )
  const lent = divided(windowParts(test, batch), fit.coefficients, tested.energies)
  console.log(`  … with the step's fit    ${spread(deviation(paired(lent, byStep)))}`)
  const byTokens = divided(
    stepParts(test),
    { step: 0, prefill: 1, prefill_context: 0, decode: 1, kv_read: 0 },
    tested.energies,
  )
  console.log(`  by tokens from step      ${spread(deviation(paired(byTokens, byStep)))}   what the rule before it did`)
  await playGames(plan.model, fit.coefficients)
  return held.residual_factor >= bar.low && held.residual_factor <= bar.high
}

function fitted(from: readonly Observation[], what: string): FittedSteps {
  const fit = fitSteps(from)
  if (!fit) throw new Error(`too few ${what} to fit: ${from.length}; give more --seconds`)
  return fit
}

function print({ coefficients, errors }: FittedSteps): void {
  for (const term of stepTerms)
    console.log(
      `  ${term.padEnd(24)} ${(coefficients[term] * 1e6).toPrecision(4)} ± ${(errors[term] * 1e6).toPrecision(2)} µJ`,
    )
}

/** Batches whose every part is run: the closed form of the fitted model against the Shapley value of what was measured. */
async function playGames(file: string, coefficients: StepCoefficients): Promise<void> {
  const players = 5
  const model = await loadModel(await llama, file, { slots: players, threads: 1, context: 512, batch })
  const chance = dice(7)
  const [fromExact, fromSampled]: [[number, number][], [number, number][]] = [[], []]
  for (let game = 0; game < games; game++) {
    const { sequences, cpu_us } = await measureGame(model, players, 7, chance)
    const energy = (set: number): number => joulesOf(cpu_us[set] ?? 0)
    const exact = exactShapley(energy, players)
    const sampled = sampledShapley(energy, players, 200, (most) => chance.whole(0, most - 1))
    const closed = shapley({ sequences }, coefficients)
    const scale = energy(2 ** players - 1) / closed.reduce((sum, part) => sum + part, 0)
    closed.forEach((part, at) => {
      fromExact.push([part * scale, exact[at] ?? 0])
      fromSampled.push([part * scale, sampled[at] ?? 0])
    })
  }
  await model.dispose()
  console.log(
    `  closed form from exact   ${spread(deviation(fromExact))}   ${games} measured batches of ${players}, every subset run`,
  )
  console.log(`  closed form from sampled ${spread(deviation(fromSampled))}   200 orders each`)
}

const llama = loadLlama(1, false)
const folder = mkdtempSync(join(tmpdir(), 'wattmill-attribution-'))
try {
  const starter = join(import.meta.dirname, '..', 'models', 'starter', 'starter.gguf')
  const made = join(folder, 'larger.gguf')
  const plans: [string, Omit<LoadPlan, 'seed'>][] = values.model
    ? [[values.model, { model: values.model, slots, seconds, prompt: 2000, output: 300 }]]
    : [
        ['starter, 1 M parameters', { model: starter, slots, seconds, prompt: 300, output: 200 }],
        [
          'made by chance, 51 M parameters',
          { model: writeLarger(starter, made), slots, seconds, prompt: 1500, output: 200 },
        ],
      ]
  console.log(
    `energy estimated: ${power.full} − ${power.idle} W over ${availableParallelism()} cores × CPU time of the engine's process`,
  )
  const good: boolean[] = []
  for (const [name, plan] of plans) good.push(await judge(name, plan))
  console.log(
    `\nresidual factor before scaling within ${bar.low} to ${bar.high}: ${good.every(Boolean) ? 'yes' : 'NO'}`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)
