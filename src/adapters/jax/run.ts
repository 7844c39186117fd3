/** One training run, from job to weights. Called in the child process; tests call it too. */
import { init, numpy as np, tree } from '@jax-js/jax'
import { diceAfter } from '../../lines/models/dice.ts'
import {
  type Batch,
  type Checkpoint,
  epochBatches,
  learningRate,
  plainBatches,
  type TrainEvent,
  type TrainJob,
} from '../../lines/models/train.ts'
import { inputOf } from './input.ts'
import { classify, freshParams, type Params, type Plan, type State, trainStep, zerosLike } from './model.ts'
import { exported, exportedState, imported } from './weights.ts'

/** Between checkpoints: what a stop may cost at most. */
const usualEvery_ms = 30_000

/** `tell` is waited for: wasm's steps never leave the event loop a turn of their own, so a big event would not go out. */
export async function run(
  job: TrainJob,
  tell: (event: TrainEvent) => Promise<void> | void,
  checkpointEvery_ms = usualEvery_ms,
): Promise<void> {
  await init('wasm') // probing for WebGPU throws where there is no `navigator`
  const plan: Plan = {
    shape: job.shape,
    firstIntent: job.vocabulary.firstIntent,
    intents: job.vocabulary.intents.length,
  }
  const { recipe, from } = job
  const step = trainStep(plan, recipe)
  const judge = classify(plan)
  const clock = startClock(from)
  let draws = from?.draws ?? 0
  const dropped = diceAfter(recipe.seed + 1, draws)
  const chance = (): number => {
    draws++
    return dropped()
  }
  let state = from ? imported(from, job.shape) : fresh(job)
  const perEpoch = epochBatches(job, 0).length // an estimate: dropped words move messages between lengths
  const steps = perEpoch * recipe.epochs
  let done = from?.step ?? 0
  let kept = performance.now()
  const keep = async (epoch: number, batch: number): Promise<void> => {
    const stands = { step: done, epoch, batch, draws, ...clock() }
    await tell({ kind: 'checkpoint', checkpoint: { ...stands, ...(await exportedState(state)) } })
    kept = performance.now()
  }
  for (let epoch = from?.epoch ?? 0; epoch < recipe.epochs; epoch++) {
    const batches = epochBatches(job, epoch)
    for (let at = epoch === from?.epoch ? from.batch : 0; at < batches.length; at++) {
      const batch = batches[at] as Batch
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
      await tell({ kind: 'step', step: done, steps, loss, tokens: batch.tokens.length })
      if (performance.now() - kept >= checkpointEvery_ms) await keep(epoch, at + 1)
    }
    await keep(epoch + 1, 0)
    if (job.watch.length > 0)
      await tell({ kind: 'epoch', epoch: epoch + 1, watched: await watched(job, plan, judge, state.params) })
  }
  const weights = await exported(state.params)
  tree.dispose(state)
  await tell({ kind: 'trained', weights, ...clock() })
}

function fresh({ shape, recipe }: TrainJob): State {
  const params = freshParams(shape, recipe.seed)
  return { params, mean: zerosLike(params), square: zerosLike(params) }
}

/** Time and CPU time of the run, that of earlier parts included. */
function startClock(from: Checkpoint | undefined): () => { readonly seconds: number; readonly cpuSeconds: number } {
  const start = performance.now()
  return () => {
    const { user, system } = process.cpuUsage()
    return {
      seconds: (from?.seconds ?? 0) + (performance.now() - start) / 1000,
      cpuSeconds: (from?.cpuSeconds ?? 0) + (user + system) / 1e6,
    }
  }
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
