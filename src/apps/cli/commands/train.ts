import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { home as homeAt } from '../../../adapters/files/home.ts'
import { canTrain } from '../../../adapters/jax/trainer.ts'
import { ControlError } from '../../operator/errors.ts'
import { checkpointPath, type Progressed, type StarterCard, trainStarter, usualEpochs } from '../../trainer/starter.ts'
import { exitCodes } from '../exit.ts'
import { fields } from '../print.ts'
import { type Progress, progress } from '../progress.ts'
import { type Common, guarded, show } from '../run.ts'
import { talk } from '../talk.ts'
import { duration } from '../transfer.ts'
import { whole } from '../values.ts'

interface Train {
  readonly data: string
  readonly out?: string
  readonly epochs: number
  readonly restart?: boolean
}

/** In a clone of this repository the data that it was made from lie beside it. */
const usualData = '../shared/data/decisions/banking77_train.csv'

export function trainCommands(models: Command): void {
  const train = models.command('train').description('make a model; what was stopped goes on from its last checkpoint')
  const starter = train
    .command('starter')
    .description('make the starter model anew: about ten minutes on two cores')
    .option('--data <file>', "Banking77's train.csv: one message and its intent a line", usualData)
    .option('--out <dir>', 'where model, card and checkpoint go (default: training/starter in the home)')
    .option('--epochs <n>', 'times through the messages', whole, usualEpochs)
    .option('--restart', 'begin anew though there is a checkpoint')
  starter.action(() => guarded(() => starterModel(starter.optsWithGlobals<Train & Common>())))
}

async function starterModel({ data, epochs, restart = false, ...options }: Train & Common): Promise<number> {
  const out = resolve(options.out ?? join(homeAt(options.home).root, 'training', 'starter'))
  needed(data, epochs)
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGINT', onSignal)
  const bar = stepBar()
  try {
    const say = (text: string): void => {
      bar.end()
      talk(text)
    }
    const card = await trainStarter({ data, out, epochs, restart, signal: stop.signal, say, progress: bar.tell })
    bar.end()
    show(card, options, cardView)
    talk(`Written to ${out}. Next: wattmill models add ${join(out, 'starter.gguf')} --name my-starter`)
    talk(
      `What it drew, into its cost per token: wattmill costs set training my-starter --card ${join(out, 'card.json')} --usd-per-kwh USD --over-tokens N`,
    )
    return 0
  } catch (cause) {
    bar.end()
    if (!stop.signal.aborted) throw failed(cause)
    const kept = existsSync(checkpointPath(out))
    talk(kept ? 'Stopped. The same command goes on from the last checkpoint.' : 'Stopped; nothing was written.')
    return exitCodes.interrupted.code
  } finally {
    process.off('SIGINT', onSignal)
  }
}

function needed(data: string, epochs: number): void {
  if (epochs < 1 || epochs > 1000)
    throw new ControlError('invalid_value', '--epochs is from 1 to 1000', { param: 'epochs' })
  if (!existsSync(data))
    throw new ControlError('not_found', `there is no file ${data}`, {
      param: 'data',
      next: "Give Banking77's training part with --data FILE: banking_data/train.csv of PolyAI-LDN/task-specific-datasets (CC-BY-4.0)",
    })
  if (!canTrain())
    throw new ControlError(
      'trainer_missing',
      'the trainer, @jax-js/jax, is not installed: who only serves does without it',
      {
        next: 'npm install --save-dev --save-exact @jax-js/jax@0.1.25   (a clone has it after npm ci)',
      },
    )
}

const failed = (cause: unknown): unknown =>
  cause instanceof Error && cause.constructor === Error
    ? new ControlError('training_failed', cause.message, { cause })
    : cause

/** Steps of the training, with its loss and how long it still takes by the steps of this run; then messages judged. */
function stepBar() {
  let bar: Progress | undefined
  let first: { readonly step: number; readonly at: number } | undefined
  const end = (): void => {
    bar?.end()
    bar = undefined
  }
  return {
    end,
    tell(event: Progressed): void {
      if (event.kind === 'epoch') {
        end()
        talk(`epoch ${event.epoch}: ${(event.watched * 100).toFixed(1)} % of the calibration part`)
        return
      }
      if (event.kind === 'judged') {
        bar ??= progress('judging, message')
        bar.to(event.done, event.of)
        return
      }
      first ??= { step: event.step - 1, at: performance.now() }
      const seconds = (performance.now() - first.at) / 1000
      const rate = (event.step - first.step) / seconds
      // The first steps are slow, for each length of message is compiled once.
      const known = seconds > 10 && event.step < event.steps
      const left = known ? `, about ${duration((event.steps - event.step) / rate)} left` : ''
      bar ??= progress('training, step')
      bar.to(event.step, event.steps, `loss ${event.loss.toFixed(3)}${left}`)
    },
  }
}

/** What people look for in a card; -o json has all of it. */
function cardView({ name, what, architecture, file, data, training, evaluation, engine }: StarterCard): string[] {
  const share = ({ percent, low, high }: { percent: number; low: number; high: number }): string =>
    `${percent} % (${low} to ${high})`
  return fields({
    name,
    what,
    parameters: architecture.parameters,
    file: `${file.name}, ${file.bytes} bytes, sha256 ${file.sha256}`,
    data: `${data.name}, ${data.licence}: ${data.train} to train, ${data.calibrate} to calibrate, ${data.test} to test`,
    accuracy: share(evaluation.accuracy),
    baseline: share(evaluation.baseline),
    top_three: share(evaluation.top_three),
    calibration_error: evaluation.calibration_error.stated,
    engine_parity: `${engine.parity.equal} of ${engine.parity.prompts} answers equal`,
    training: `${training.seconds.value} s (${training.seconds.grade}), ${training.joules.value} J (${training.joules.grade})`,
    per_answer: `${engine.joules_per_answer.value} J (${engine.joules_per_answer.grade})`,
  })
}
