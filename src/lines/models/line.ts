/**
 * The models line: labelled messages in, a judged model out.
 *
 *   curate → train → calibrate → evaluate → check → publish
 *
 * Told, not awaited: the world trains and checks, and answers by an event. This file joins the stages; none knows another.
 */
import { type Classifier, learnBaseline } from './baseline.ts'
import { curate, type Digest } from './curate.ts'
import type { Dataset, Labelled } from './dataset.ts'
import { type Answer, amongTop, answerTo, confidenceTexts, type Judged, rightAnswers } from './evaluate.ts'
import { reference } from './forward.ts'
import { packStarter, roundedWeights } from './starter.ts'
import { calibrationError, type Paired, paired, type Share, wilson } from './statistics.ts'
import { learnPieces, tokenizer, type Vocabulary, vocabulary } from './tokenizer.ts'
import {
  parameterCount,
  type Recipe,
  type Shape,
  STEP_EDGES,
  type TrainEvent,
  type TrainJob,
  type Weights,
} from './train.ts'

/** What to make. */
export interface Order {
  readonly shape: Omit<Shape, 'vocabulary'>
  /** Pieces of text in the vocabulary. */
  readonly pieces: number
  readonly recipe: Recipe
}

/** A model with what was found out about it. */
export interface Made {
  readonly shape: Shape
  readonly vocabulary: Vocabulary
  readonly weights: Weights
  readonly parameters: number
  /** The GGUF file. */
  readonly file: Uint8Array
  readonly seconds: number
  readonly cpuSeconds: number
  readonly dataset: Dataset
  readonly verdict: Verdict
}

/** The judgement on the test part, beside the baseline. */
export interface Verdict {
  readonly accuracy: Share
  readonly topThree: Share
  readonly baseline: Share
  readonly difference: Paired
  readonly validJson: Share
  /** ECE of the confidence in the text, and of the token's softmax probability. */
  readonly statedError: number
  readonly softmaxError: number
  /** Share right among answers that state at least `SURE`, and how many those are. */
  readonly sure: Share
}
export const SURE = 0.9

/** One answer to compare with the engine's. */
export interface Expected {
  readonly message: string
  readonly answer: string
}

/** What the engine said to the same messages. */
export interface Checked {
  readonly prompts: number
  readonly equal: number
  readonly cpuSecondsPerAnswer: number
}

/** What the line asks of the world. */
export interface World {
  train(job: TrainJob): void // → step*, epoch*, then trained | failed
  check(file: Uint8Array, expected: readonly Expected[]): void // → checked
  publish(made: Made, checked: Checked): void
  told(stage: string): void
  /** Messages judged so far of a stage. */
  judged(done: number, of: number): void
  /** Calls it soon, when whoever else waits has had a turn. */
  later(next: () => void): void
  fail(message: string): void
}

export type Event = { readonly kind: 'checked'; readonly checked: Checked } | TrainEvent

/** Test messages that the engine must answer as the reference does, before anything is published. */
const CHECKED_MESSAGES = 200

/**
 * The engine multiplies in half precision and the reference in single, so a near tie may fall the other way; a wrong
 * tokenizer, rotation or transposition would change nearly all answers.
 */
const LEAST_EQUAL = 0.98

/** Starts the line on labelled messages and returns the function that takes its events. */
export function modelsLine(
  order: Order,
  messages: readonly Labelled[],
  digest: Digest,
  world: World,
): (event: Event) => void {
  const dataset = curate(messages, digest)
  world.told(
    `curated: ${dataset.train.length} train, ${dataset.calibrate.length} calibrate, ${dataset.test.length} test`,
  )
  const draft = draftVocabulary(order, dataset)
  const shape = { ...order.shape, vocabulary: draft.tokens.length }
  world.train({ shape, vocabulary: draft, recipe: order.recipe, train: dataset.train, watch: dataset.calibrate })
  let made: Made | undefined

  /** Calibrate on one part, evaluate on the other. */
  const judge = (weights: Weights, done: (found: Judgement) => void): void => {
    const asDrafted: Judged = { vocabulary: draft, tokens: tokenizer(draft), reference: reference(shape, weights) }
    world.told('calibrating the stated confidence')
    inTurns(
      world,
      dataset.calibrate,
      ({ text }) => answerTo(asDrafted, text),
      (said) => {
        const judged = calibrated(asDrafted, said, dataset.calibrate)
        world.told('evaluating on the test part, beside the baseline')
        const asked = (message: Labelled) => ({
          answer: answerTo(judged, message.text),
          near: amongTop(judged, message, 3),
        })
        inTurns(world, dataset.test, asked, (found) => {
          const answers = found.map(({ answer }) => answer)
          const near = found.map(({ near }) => near)
          const baseline = learnBaseline(dataset.train, order.recipe.seed)
          done({ judged, answers, verdict: verdict(answers, near, baseline, dataset.test) })
        })
      },
    )
  }

  return (event) => {
    switch (event.kind) {
      case 'step':
      case 'epoch':
      case 'checkpoint':
        return
      case 'failed':
        return world.fail(`training ${event.fault}: ${event.message}`)
      case 'trained': {
        const weights = roundedWeights(stepsTied(event.weights, draft, shape))
        return judge(weights, ({ judged, verdict, answers }) => {
          made = {
            shape,
            vocabulary: judged.vocabulary,
            weights,
            parameters: parameterCount(weights),
            file: packStarter(shape, judged.vocabulary, weights),
            seconds: event.seconds,
            cpuSeconds: event.cpuSeconds,
            dataset,
            verdict,
          }
          const expected = answers.map(({ text }, at) => ({ message: dataset.test[at]?.text ?? '', answer: text }))
          world.told('checking against the engine')
          world.check(made.file, expected.slice(0, CHECKED_MESSAGES))
        })
      }
      case 'checked':
        if (!made) return world.fail('checked before anything was made')
        if (event.checked.equal < LEAST_EQUAL * event.checked.prompts)
          return world.fail(`the engine answers ${event.checked.prompts - event.checked.equal} messages differently`)
        return world.publish(made, event.checked)
    }
  }
}

/** Pieces from the training part only; confidences are named after their step until they are measured. */
function draftVocabulary({ pieces }: Order, { train }: Dataset): Vocabulary {
  const intents = [...new Set(train.map(({ label }) => label))].sort()
  const learnt = learnPieces(
    train.map(({ text }) => text),
    pieces,
  )
  return vocabulary(learnt, intents, STEP_EDGES.map(String))
}

/**
 * Every step of confidence is read as the first one is: rows are trained with the first step in that place, since the
 * model itself chooses the step, so the others' embeddings as *input* were never seen and would lead anywhere.
 */
function stepsTied(weights: Weights, { firstIntent, intents, steps }: Vocabulary, { width }: Shape): Weights {
  const embedding = weights['token_embd.weight']
  if (!embedding) return weights
  const data = embedding.data.slice()
  const first = (firstIntent + intents.length) * width
  for (let step = 1; step < steps; step++) data.copyWithin(first + step * width, first, first + width)
  return { ...weights, 'token_embd.weight': { ...embedding, data } }
}

interface Judgement {
  readonly judged: Judged
  readonly answers: readonly Answer[]
  readonly verdict: Verdict
}

/** Does the work for each message, some at a time: it takes a minute, and the world has other things to attend to. */
function inTurns<Found>(
  world: World,
  messages: readonly Labelled[],
  work: (message: Labelled) => Found,
  done: (found: Found[]) => void,
): void {
  const found: Found[] = []
  const turn = (): void => {
    found.push(...messages.slice(found.length, found.length + 10).map(work))
    world.judged(found.length, messages.length)
    if (found.length < messages.length) world.later(turn)
    else done(found)
  }
  world.later(turn)
}

/** Writes into the vocabulary what each step of confidence turned out to mean on the calibration part. */
function calibrated(judged: Judged, answers: readonly Answer[], messages: readonly Labelled[]): Judged {
  const { tokens, firstPiece, firstIntent, intents } = judged.vocabulary
  const texts = confidenceTexts(STEP_EDGES, answers, rightAnswers(answers, messages))
  const final = vocabulary(tokens.slice(firstPiece, firstIntent), intents, texts)
  return { ...judged, vocabulary: final, tokens: tokenizer(final) }
}

function verdict(
  answers: readonly Answer[],
  near: readonly boolean[],
  baseline: Classifier,
  test: readonly Labelled[],
): Verdict {
  const right = rightAnswers(answers, test)
  const baselineRight = test.map(({ text, label }) => baseline(text) === label)
  const count = (flags: readonly boolean[]): Share => wilson(flags.filter(Boolean).length, flags.length)
  const sure = right.filter((_, at) => (answers[at]?.confidence ?? 0) >= SURE)
  const stated = (of: (answer: Answer) => number) =>
    calibrationError(answers.map((answer, at) => ({ confidence: of(answer), right: right[at] as boolean })))
  return {
    accuracy: count(right),
    topThree: count(near),
    baseline: count(baselineRight),
    difference: paired(right, baselineRight),
    validJson: count(answers.map(({ intent }) => intent !== undefined)),
    statedError: stated(({ confidence }) => confidence ?? 0),
    softmaxError: stated(({ probability }) => probability),
    sure: count(sure),
  }
}
