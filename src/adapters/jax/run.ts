/** One training run, from job to weights. Called in the child process; tests call it too. */
import { init, numpy as np, tree } from '@jax-js/jax'
import { dice } from '../../lines/models/dice.ts'
import { epochBatches, learningRate, plainBatches, type TrainEvent, type TrainJob } from '../../lines/models/train.ts'
import { inputOf } from './input.ts'
import { classify, exported, freshParams, type Params, type Plan, type State, trainStep, zerosLike } from './model.ts'

export async function run(job: TrainJob, tell: (event: TrainEvent) => void): Promise<void> {
  await init('wasm') // probing for WebGPU throws where there is no `navigator`
  const plan: Plan = {
    shape: job.shape,
    firstIntent: job.vocabulary.firstIntent,
    intents: job.vocabulary.intents.length,
  }
  const { recipe } = job
  const step = trainStep(plan, recipe)
  const judge = classify(plan)
  const chance = dice(recipe.seed + 1)
  const params = freshParams(job.shape, recipe.seed)
  let state: State = { params, mean: zerosLike(params), square: zerosLike(params) }
  const perEpoch = epochBatches(job, 0).length // an estimate: dropped words move messages between lengths
  const steps = perEpoch * recipe.epochs
  let done = 0
  for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    for (const batch of epochBatches(job, epoch)) {
      const rates = [
        learningRate(recipe, Math.min(done, steps - 1), steps),
        1 - 0.9 ** (done + 1),
        1 - 0.98 ** (done + 1),
      ]
      const [value, moved] = step(state, inputOf(batch, plan, recipe.dropout, chance), np.array(rates))
      state = moved
      const loss = (await value.data())[0] as number
      done++
      if (!Number.isFinite(loss))
        return tell({ kind: 'failed', fault: 'diverged', message: `loss ${loss} at step ${done}` })
      tell({ kind: 'step', step: done, steps, loss, tokens: batch.tokens.length })
    }
    if (job.watch.length > 0)
      tell({ kind: 'epoch', epoch: epoch + 1, watched: await watched(job, plan, judge, state.params) })
  }
  const weights = await exported(state.params)
  tree.dispose(state)
  const used = process.cpuUsage()
  tell({ kind: 'trained', weights, cpuSeconds: (used.user + used.system) / 1e6 })
}

/** Share of watched messages whose intent is the most probable one. */
async function watched(job: TrainJob, plan: Plan, judge: ReturnType<typeof classify>, params: Params): Promise<number> {
  const right = new Set<number>()
  for (const batch of plainBatches(job, job.watch)) {
    const logits = await judge(tree.ref(params), inputOf(batch, plan, 0, undefined)).data()
    for (let row = 0; row < batch.rows; row++) {
      const from = row * 3 * plan.shape.vocabulary + plan.firstIntent
      const scores = logits.subarray(from, from + plan.intents) as Float32Array
      const message = batch.messages[row] as number
      if (job.vocabulary.intents[scores.indexOf(Math.max(...scores))] === job.watch[message]?.label) right.add(message)
    }
  }
  return right.size / job.watch.length
}
