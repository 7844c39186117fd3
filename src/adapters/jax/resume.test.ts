import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { jobName, packCheckpoint, unpackCheckpoint } from '../../lines/models/checkpoint.ts'
import { dice, diceAfter } from '../../lines/models/dice.ts'
import { readSafetensors } from '../../lines/models/safetensors.ts'
import { learnPieces, vocabulary } from '../../lines/models/tokenizer.ts'
import { type Checkpoint, STEP_EDGES, type TrainEvent, type TrainJob, type Weights } from '../../lines/models/train.ts'
import { run } from './run.ts'

const intents = ['card', 'rate']
const words = ['my', 'card', 'is', 'lost', 'rate', 'of', 'exchange', 'where', 'why', 'pay', 'top', 'up', 'the', 'a']
const messages = Array.from({ length: 130 }, (_, at) => ({
  text: Array.from({ length: 3 + (at % 9) }, (_, word) => words[(at * 7 + word * 3 + (at % 5)) % words.length]).join(
    ' ',
  ),
  label: intents[at % 2] ?? '',
}))
const pieces = vocabulary(learnPieces(words, 30), intents, STEP_EDGES.map(String))
const job: TrainJob = {
  shape: { vocabulary: pieces.tokens.length, width: 16, layers: 1, heads: 2, feedForward: 24, context: 64 },
  vocabulary: pieces,
  recipe: {
    seed: 3,
    epochs: 3,
    learningRate: 1e-2,
    weightDecay: 0.1,
    messageLoss: 0.2,
    wordDropout: 0.1,
    dropout: 0.2,
  },
  train: messages,
  watch: [],
}

/** Runs a job, with a checkpoint at every step. */
async function trained(of: TrainJob): Promise<{ weights: Weights; checkpoints: Checkpoint[]; steps: number[] }> {
  const events: TrainEvent[] = []
  let writing = false
  const tell = async (event: TrainEvent): Promise<void> => {
    assert(!writing, 'an event is told before the one before it is written')
    writing = true
    await setImmediate()
    writing = false
    events.push(event)
  }
  await run(of, tell, 0)
  const last = events.at(-1)
  assert(last?.kind === 'trained')
  return {
    weights: last.weights,
    checkpoints: events.flatMap((event) => (event.kind === 'checkpoint' ? [event.checkpoint] : [])),
    steps: events.flatMap((event) => (event.kind === 'step' ? [event.step] : [])),
  }
}

test('a run that is stopped anywhere and gone on with ends at the same weights, bit for bit', async () => {
  const whole = await trained(job)
  assert(whole.steps.length > 5, `${whole.steps.length} steps`)
  const name = jobName(job, (text) => `${text.length}`)
  for (const at of [1, Math.floor(whole.checkpoints.length / 2), whole.checkpoints.length - 1]) {
    const taken = whole.checkpoints[at] as Checkpoint
    const from = unpackCheckpoint(packCheckpoint(taken, name), name)
    assert(from)
    const rest = await trained({ ...job, from })
    assert.deepEqual(rest.steps, whole.steps.slice(taken.step))
    for (const [tensor, { data }] of Object.entries(whole.weights))
      assert.deepEqual(rest.weights[tensor]?.data, data, `${tensor} from checkpoint ${at}`)
  }
})

test('a checkpoint belongs to its job, and a file that is cut off is none', () => {
  const tensor = { shape: [2], data: Float32Array.of(1, Math.PI) }
  const one = { w: tensor }
  const stands = {
    step: 5,
    epoch: 1,
    batch: 2,
    draws: 2 ** 33,
    seconds: 1.5,
    cpuSeconds: 2,
    params: one,
    mean: one,
    square: one,
  }
  const file = packCheckpoint(stands, 'job')
  assert.deepEqual(unpackCheckpoint(file, 'job'), stands)
  assert.equal(unpackCheckpoint(file, 'another'), undefined)
  for (const length of [0, 4, 100, file.length - 1]) assert.throws(() => readSafetensors(file.subarray(0, length)))
  const digest = (text: string): string => text
  assert.equal(jobName(job, digest), jobName({ ...job, from: stands }, digest))
  assert.notEqual(jobName(job, digest), jobName({ ...job, train: messages.slice(1) }, digest))
})

test('dice stand where they would after so many draws', () => {
  for (const draws of [0, 1, 1000, 70_000]) {
    const thrown = dice(11)
    for (let at = 0; at < draws; at++) thrown()
    assert.equal(diceAfter(11, draws)(), thrown())
  }
  assert.equal(diceAfter(11, 2 ** 33)(), dice(11)(), 'the state has 32 bits')
})
