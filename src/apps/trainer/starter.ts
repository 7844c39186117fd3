/**
 * Makes the starter model anew, from the messages to its card. It goes on from its last checkpoint when it was stopped, and
 * nothing of the model appears in the output folder until the engine has answered as the reference does.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCsv } from '../../adapters/files/csv.ts'
import { writeWhole } from '../../adapters/files/home.ts'
import { jaxTrainer } from '../../adapters/jax/trainer.ts'
import { greedyAnswers } from '../../adapters/llama/greedy.ts'
import { jobName, packCheckpoint, unpackCheckpoint } from '../../lines/models/checkpoint.ts'
import { ANSWER_TOKENS } from '../../lines/models/evaluate.ts'
import type { Event, Expected, Made, Order, World } from '../../lines/models/line.ts'
import { modelsLine } from '../../lines/models/line.ts'
import { writeSafetensors } from '../../lines/models/safetensors.ts'
import type { Checkpoint, TrainEvent, TrainJob } from '../../lines/models/train.ts'
import { card } from './card.ts'

const order: Order = {
  shape: { width: 128, layers: 4, heads: 4, feedForward: 344, context: 256 },
  pieces: 670,
  recipe: {
    seed: 1,
    epochs: 9,
    learningRate: 3e-3,
    weightDecay: 0.1,
    messageLoss: 0.2,
    wordDropout: 0.1,
    dropout: 0.1,
  },
}
export const usualEpochs = order.recipe.epochs

/** The machine's power, as long as nobody measured it: a small server's share of two cores. */
const power = { idleWatts: 10, fullWatts: 40 }

export interface Training {
  /** Banking77's training part: `text,category` a line, with a head. */
  readonly data: string
  readonly out: string
  readonly epochs: number
  /** Throw a checkpoint away that is there. */
  readonly restart: boolean
  readonly signal: AbortSignal
  /** Stages of the line, and what there is to say about a checkpoint. */
  say(text: string): void
  progress(event: Progressed): void
}

/** How far it is: steps and epochs of the training, then messages judged. */
export type Progressed =
  | (TrainEvent & { kind: 'step' | 'epoch' })
  | { readonly kind: 'judged'; readonly done: number; readonly of: number }

export type StarterCard = ReturnType<typeof card>

/** Where a run that was stopped stands. */
export const checkpointPath = (out: string): string => join(out, 'checkpoint.safetensors')

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** Resolves with the card when all is published; rejects with the reason, or with the signal's. */
export function trainStarter(training: Training): Promise<StarterCard> {
  const { data, out, epochs, signal } = training
  const source = readFileSync(data)
  const messages = readCsv(source.toString('utf8'))
    .slice(1)
    .map(([text = '', label = '']) => ({ text, label }))
  const chosen: Order = { ...order, recipe: { ...order.recipe, epochs } }
  mkdirSync(out, { recursive: true, mode: 0o700 })
  return new Promise((resolve, reject) => {
    let tell: (event: Event) => void = () => undefined
    const later = (next: () => void): void => {
      setImmediate(() => {
        if (signal.aborted) return
        try {
          next()
        } catch (cause) {
          reject(cause)
        }
      })
    }
    const world: World = {
      told: (stage) => training.say(stage),
      judged: (done, of) => training.progress({ kind: 'judged', done, of }),
      later,
      fail: (message) => reject(new Error(message)),
      train: (job) => {
        const run = startOrGoOn(training, job, (event) => later(() => tell(event)))
        signal.addEventListener('abort', () => {
          run.stop()
          reject(signal.reason)
        })
      },
      check: (file, expected) => {
        check(file, expected).then(tell, (cause: unknown) =>
          world.fail(`the engine could not check it: ${String(cause)}`),
        )
      },
      publish: (ready, checked) => {
        const facts = {
          order: chosen,
          command: `wattmill models train starter --epochs ${epochs}`,
          dataSha256: sha256(source),
          fileSha256: sha256(ready.file),
          seconds: ready.seconds,
          cores: cpus().length,
          ...power,
        }
        const made = card(ready, checked, facts)
        publish(out, ready, made)
        resolve(made)
      },
    }
    tell = modelsLine(chosen, messages, sha256, world)
  })
}

/** Trains in a child process, keeps its checkpoints, and tells the line the rest. */
function startOrGoOn(training: Training, job: TrainJob, tell: (event: TrainEvent) => void): { stop(): void } {
  const path = checkpointPath(training.out)
  const name = jobName(job, sha256)
  if (training.restart) rmSync(path, { force: true })
  const from = checkpointOf(path, name, training.say)
  if (from) training.say(`goes on from step ${from.step}, after ${Math.round(from.seconds)} s of training`)
  return jaxTrainer().train({ ...job, from }, (event) => {
    if (event.kind === 'checkpoint') return writeWhole(path, packCheckpoint(event.checkpoint, name))
    if (event.kind === 'step' || event.kind === 'epoch') training.progress(event)
    tell(event)
  })
}

/** Of another job, or broken: from the beginning, and it is said why. */
function checkpointOf(path: string, name: string, say: (text: string) => void): Checkpoint | undefined {
  if (!existsSync(path)) return undefined
  try {
    const from = unpackCheckpoint(readFileSync(path), name)
    if (!from) say('the checkpoint that is here is of other messages or another recipe: training begins anew')
    return from
  } catch (cause) {
    say(`the checkpoint that is here cannot be read (${String(cause)}): training begins anew`)
    return undefined
  }
}

async function check(file: Uint8Array, expected: readonly Expected[]): Promise<Event> {
  const scratch = mkdtempSync(join(tmpdir(), 'wattmill-train-'))
  try {
    const path = join(scratch, 'starter.gguf')
    writeFileSync(path, file)
    const prompts = expected.map(({ message }) => `<|user|> ${message.trim()}<|answer|>`)
    const { answers, cpuSeconds } = await greedyAnswers(path, prompts, ANSWER_TOKENS)
    const equal = answers.filter((answer, at) => answer === expected[at]?.answer).length
    const checked = { prompts: prompts.length, equal, cpuSecondsPerAnswer: cpuSeconds / prompts.length }
    return { kind: 'checked', checked }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function publish(out: string, { file, weights }: Made, made: StarterCard): void {
  const metadata = { format: 'pt', name: 'wattmill-starter' }
  writeWhole(join(out, 'starter.gguf'), file, 0o644)
  writeWhole(join(out, 'starter.safetensors'), writeSafetensors(weights, metadata), 0o644)
  writeWhole(join(out, 'card.json'), `${JSON.stringify(made, null, 2)}\n`, 0o644)
  rmSync(checkpointPath(out), { force: true })
}
