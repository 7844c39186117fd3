/**
 * `npm run train:starter [-- --data FILE --out FOLDER]`: makes the starter model anew, from the messages to its card.
 * Nothing appears in the output folder until the engine has answered as the reference does.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readCsv } from '../../adapters/files/csv.ts'
import { writeWhole } from '../../adapters/files/home.ts'
import { jaxTrainer } from '../../adapters/jax/trainer.ts'
import { greedyAnswers } from '../../adapters/llama/greedy.ts'
import { ANSWER_TOKENS } from '../../lines/models/evaluate.ts'
import type { Event, Expected, Made, Order, World } from '../../lines/models/line.ts'
import { modelsLine } from '../../lines/models/line.ts'
import { writeSafetensors } from '../../lines/models/safetensors.ts'
import type { TrainEvent } from '../../lines/models/train.ts'
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
/** The machine's power, as long as nobody measured it: a small server's share of two cores. */
const power = { idleWatts: 10, fullWatts: 40 }

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data/decisions/banking77_train.csv' },
    out: { type: 'string', default: 'models/starter' },
    epochs: { type: 'string', default: String(order.recipe.epochs) },
  },
})
if (!existsSync(values.data)) {
  console.error(`no such file: ${values.data}\nNext: npm run train:starter -- --data PATH/TO/banking77_train.csv`)
  process.exit(2)
}

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
const epochs = Number(values.epochs)
const chosen: Order = { ...order, recipe: { ...order.recipe, epochs } }
const source = readFileSync(values.data)
const rows = readCsv(source.toString('utf8')).slice(1)
const messages = rows.map(([text = '', label = '']) => ({ text, label }))
const began = performance.now()
const elapsed = (): number => (performance.now() - began) / 1000
const say = (text: string): void => console.error(`${elapsed().toFixed(0).padStart(5)} s  ${text}`)
const scratch = mkdtempSync(join(tmpdir(), 'wattmill-train-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.once('SIGINT', () => {
  console.error('stopped; nothing was written')
  process.exit(130)
})

let tell: (event: Event) => void = () => undefined
let made: Made | undefined
let trainingSeconds = 0

const progress = (event: TrainEvent): void => {
  if (event.kind === 'step' && event.step % 100 === 0) {
    const left = (elapsed() / event.step) * (event.steps - event.step)
    say(`step ${event.step}/${event.steps}, loss ${event.loss.toFixed(3)}, about ${Math.ceil(left / 60)} min left`)
  }
  if (event.kind === 'epoch')
    say(`epoch ${event.epoch}/${epochs}: ${(event.watched * 100).toFixed(1)} % of the calibration part`)
  if (event.kind === 'trained') trainingSeconds = elapsed()
}

async function check(file: Uint8Array, expected: readonly Expected[]): Promise<Event> {
  const path = join(scratch, 'starter.gguf')
  writeFileSync(path, file)
  const prompts = expected.map(({ message }) => `<|user|> ${message.trim()}<|answer|>`)
  const { answers, cpuSeconds } = await greedyAnswers(path, prompts, ANSWER_TOKENS)
  const equal = answers.filter((answer, at) => answer === expected[at]?.answer).length
  return {
    kind: 'checked',
    checked: { prompts: prompts.length, equal, cpuSecondsPerAnswer: cpuSeconds / prompts.length },
  }
}

const world: World = {
  told: say,
  train: (job) => {
    const training = jaxTrainer().train(job, (event) => {
      progress(event)
      setImmediate(() => tell(event))
    })
    process.once('exit', () => training.stop())
  },
  check: (file, expected) => {
    check(file, expected).then(tell, (cause: unknown) => world.fail(`the engine could not check it: ${String(cause)}`))
  },
  publish: (ready, checked) => {
    made = ready
    mkdirSync(values.out, { recursive: true })
    const facts = {
      order: chosen,
      command: `npm run train:starter -- --epochs ${epochs}`,
      dataSha256: sha256(source),
      fileSha256: sha256(ready.file),
      seconds: trainingSeconds,
      cores: cpus().length,
      ...power,
    }
    writeWhole(join(values.out, 'starter.gguf'), ready.file, 0o644)
    writeWhole(
      join(values.out, 'starter.safetensors'),
      writeSafetensors(ready.weights, { format: 'pt', name: 'wattmill-starter' }),
      0o644,
    )
    writeWhole(join(values.out, 'card.json'), `${JSON.stringify(card(ready, checked, facts), null, 2)}\n`, 0o644)
    say(
      `published in ${values.out}: ${(ready.verdict.accuracy.share * 100).toFixed(1)} % right, baseline ${(ready.verdict.baseline.share * 100).toFixed(1)} %`,
    )
    process.exitCode = 0
  },
  fail: (message) => {
    console.error(`${message}\nNothing was written.`)
    process.exit(1)
  },
}
process.exitCode = 1 // until it is published
tell = modelsLine(chosen, messages, sha256, world)
process.on('beforeExit', () => {
  if (!made) console.error('the line ended without a model')
})
