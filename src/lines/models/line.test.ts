import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { dice } from './dice.ts'
import { type Event, type Expected, type Made, modelsLine, type Order, type World } from './line.ts'
import type { Tensor, TrainJob, Weights } from './train.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const words = ['my', 'card', 'is', 'lost', 'rate', 'of', 'exchange', 'where', 'why', 'pay']
const messages = Array.from({ length: 400 }, (_, at) => ({
  text: `${words[at % 10]} ${words[Math.floor(at / 10) % 10]} ${words[Math.floor(at / 40)]} ${at}`,
  label: at % 2 ? 'card' : 'rate',
}))
const order: Order = {
  shape: { width: 8, layers: 1, heads: 2, feedForward: 12, context: 128 },
  pieces: 40,
  recipe: {
    seed: 1,
    epochs: 1,
    learningRate: 1e-2,
    weightDecay: 0,
    messageLoss: 0,
    wordDropout: 0,
    dropout: 0,
  },
}

test('nobody waits long for the line: judging is done in turns, and what the engine must answer comes after them', () => {
  const { world, told, turns, tell, checks, published } = started()
  tell({ kind: 'trained', weights: anyWeights(world.job()), seconds: 1, cpuSeconds: 2 })
  assert.equal(checks.length, 0, 'nothing is judged within the call')
  let most = 0
  while (turns.length > 0) {
    turns.shift()?.()
    most = Math.max(most, turns.length)
  }
  assert.equal(most, 1)
  const parts = world.ends()
  assert.equal(parts.length, 2)
  assert.deepEqual(told.slice(1), [
    'calibrating the stated confidence',
    'evaluating on the test part, beside the baseline',
    'checking against the engine',
  ])
  assert.equal(checks.length, 1)
  assert.equal(checks[0]?.length, Math.min(200, parts[1] ?? 0))

  tell({ kind: 'checked', checked: { prompts: 50, equal: 50, cpuSecondsPerAnswer: 1 } })
  const made = published[0]
  assert.equal(made?.dataset.test.length, parts[1])
  assert.equal(made?.dataset.calibrate.length, parts[0])
  assert.equal(made?.cpuSeconds, 2)
})

test('a model that the engine reads otherwise is not published', () => {
  const { world, turns, tell, published, failures } = started()
  tell({ kind: 'trained', weights: anyWeights(world.job()), seconds: 1, cpuSeconds: 2 })
  while (turns.length > 0) turns.shift()?.()
  tell({ kind: 'checked', checked: { prompts: 50, equal: 48, cpuSecondsPerAnswer: 1 } })
  assert.deepEqual(failures, ['the engine answers 2 messages differently'])
  assert.equal(published.length, 0)
})

function started() {
  const told: string[] = []
  const turns: (() => void)[] = []
  const checks: (readonly Expected[])[] = []
  const published: Made[] = []
  const failures: string[] = []
  const judged: { done: number; of: number }[] = []
  let job: TrainJob | undefined
  const world: World = {
    train: (given) => {
      job = given
    },
    check: (_, expected) => checks.push(expected),
    publish: (made) => published.push(made),
    told: (stage) => told.push(stage),
    judged: (done, of) => judged.push({ done, of }),
    later: (next) => turns.push(next),
    fail: (message) => failures.push(message),
  }
  const tell: (event: Event) => void = modelsLine(order, messages, sha256, world)
  return {
    world: {
      job(): TrainJob {
        assert(job)
        return job
      },
      /** How many messages each part had, once all of it was judged. */
      ends: () => judged.flatMap(({ done, of }) => (done === of ? [of] : [])),
    },
    told,
    turns,
    tell,
    checks,
    published,
    failures,
  }
}

function anyWeights({ shape: { vocabulary, width, feedForward } }: TrainJob): Weights {
  const draw = dice(5)
  const tensor = (...shape: number[]): Tensor => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => draw() - 0.5),
  })
  return {
    'token_embd.weight': tensor(vocabulary, width),
    'blk.0.attn_norm.weight': tensor(width),
    'blk.0.attn_q.weight': tensor(width, width),
    'blk.0.attn_k.weight': tensor(width, width),
    'blk.0.attn_v.weight': tensor(width, width),
    'blk.0.attn_output.weight': tensor(width, width),
    'blk.0.ffn_norm.weight': tensor(width),
    'blk.0.ffn_gate.weight': tensor(feedForward, width),
    'blk.0.ffn_up.weight': tensor(feedForward, width),
    'blk.0.ffn_down.weight': tensor(width, feedForward),
    'output_norm.weight': tensor(width),
    'output.weight': tensor(vocabulary, width),
  }
}
