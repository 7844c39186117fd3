/** Train: what a training job is, what its batches hold, and the port through which someone else does the work. */
import type { Labelled } from './dataset.ts'
import { type Dice, dice, shuffle } from './dice.ts'
import { ANSWER, END, type Tokenizer, tokenizer, type Vocabulary } from './tokenizer.ts'

/** The size of a Llama-architecture model. Head width = width / heads. */
export interface Shape {
  readonly vocabulary: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly feedForward: number
  /** Longest sequence the engine accepts, in tokens. */
  readonly context: number
}

/** RMSNorm's epsilon and RoPE's base frequency, the usual ones of Llama 2. */
export const NORM_EPSILON = 1e-5
export const ROPE_BASE = 10_000

/**
 * Where the steps of confidence begin, as the probability the model gives its intent. They are where a model is trained
 * to change its word; what a step *means* is measured afterwards, on the calibration part.
 */
export const STEP_EDGES = [0, 0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99] as const

/** Tensors by their GGUF name, row-major; a matrix is [outputs, inputs]. */
export type Weights = Readonly<Record<string, Tensor>>
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export const parameterCount = (weights: Weights): number =>
  Object.values(weights).reduce((sum, { data }) => sum + data.length, 0)

/** How to train. Every random choice follows from the seed. */
export interface Recipe {
  readonly seed: number
  readonly epochs: number
  /** AdamW with linear warm-up and cosine decay to zero. */
  readonly learningRate: number
  readonly weightDecay: number
  /** Weight of predicting the message itself, beside 1 for the answer: it regularises. */
  readonly messageLoss: number
  /** Chance that a word is left out of a message in an epoch. */
  readonly wordDropout: number
  /** Chance that a feature is silenced, the same for all positions of a message (Gal and Ghahramani 2016). */
  readonly dropout: number
}

/** A training job: plain data, so that it can cross a process boundary and be hashed. */
export interface TrainJob {
  readonly shape: Shape
  readonly vocabulary: Vocabulary
  readonly recipe: Recipe
  readonly train: readonly Labelled[]
  /** Accuracy on these is told after each epoch; they never move a weight. */
  readonly watch: readonly Labelled[]
  /** Goes on from here; undefined: from the beginning. */
  readonly from?: Checkpoint | undefined
}

/** Where a run stands: with it and its job it goes on as if it had never stopped, to the same weights bit for bit. */
export interface Checkpoint {
  /** Steps done; epochs done, and batches of the one under way. */
  readonly step: number
  readonly epoch: number
  readonly batch: number
  /** Numbers drawn for dropout. */
  readonly draws: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly params: Weights
  /** Adam's running means of the gradient and of its square. */
  readonly mean: Weights
  readonly square: Weights
}

/** What a trainer tells while it works. */
export type TrainEvent =
  | {
      readonly kind: 'step'
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly tokens: number
    }
  | { readonly kind: 'epoch'; readonly epoch: number; readonly watched: number }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'trained'; readonly weights: Weights; readonly seconds: number; readonly cpuSeconds: number }
  | { readonly kind: 'failed'; readonly fault: TrainFault; readonly message: string }

export type TrainFault = 'stopped' | 'diverged' | 'crashed'

/** Whoever can train. Tells events until exactly one `trained` or `failed`; `stop` leads to `failed: stopped`. */
export interface Trainer {
  train(job: TrainJob, tell: (event: TrainEvent) => void): { stop(): void }
}

/** Token rows of equal length, padded at the end, where causal attention never looks. */
export interface Batch {
  readonly rows: number
  readonly length: number
  readonly tokens: Int32Array
  /** For each row the position of `<|answer|>`; the intent is predicted there, confidence and end at the next two. */
  readonly answerAt: Int32Array
  /** For each row which of the messages it is. */
  readonly messages: Int32Array
}

/**
 * A row is padded to the first of these lengths that holds it, and cut to the last.
 *
 * Each length is compiled once, for two seconds. Rows × length is the same for all, because jax-js keeps freed memory
 * by size: with twelve lengths of 32 rows each a run passed the 4 GiB that WebAssembly can address.
 */
const LENGTHS = [16, 24, 32, 48, 96] as const
const LONGEST_ROW = 96
const BATCH_TOKENS = 768
/** A message weighs 1 / this in the loss of a step, however many share its batch. */
export const MESSAGES_PER_STEP = 32

/** One answer as it is trained: the step of confidence is the trainer's to fill in, so the first one stands there. */
const answer = (vocabulary: Vocabulary, label: string): number[] => {
  const intent = vocabulary.intents.indexOf(label)
  if (intent < 0) throw new RangeError(`no such intent: ${label}`)
  return [vocabulary.firstIntent + intent, vocabulary.firstIntent + vocabulary.intents.length, END]
}

/** The batches of one epoch: words dropped, order shuffled, rows of like length together, full batches only. */
export function epochBatches(job: TrainJob, epoch: number): Batch[] {
  const { recipe, vocabulary } = job
  const next = dice(recipe.seed * 1_000_003 + epoch)
  const encoder = tokenizer(vocabulary)
  const rows = job.train.map(({ text, label }) =>
    row(encoder, vocabulary, varied(text, recipe.wordDropout, next), label),
  )
  return shuffle(batches(shuffle([...rows.entries()], next), false), next)
}

/** Every message as it is; a batch that is not full is filled up with its first row. */
export function plainBatches({ vocabulary }: TrainJob, messages: readonly Labelled[]): Batch[] {
  const encoder = tokenizer(vocabulary)
  return batches([...messages.map(({ text, label }) => row(encoder, vocabulary, text, label)).entries()], true)
}

type Row = readonly [message: number, tokens: readonly number[]]

function batches(rows: readonly Row[], fill: boolean): Batch[] {
  return LENGTHS.flatMap((length, at) => {
    const shorter = LENGTHS[at - 1] ?? 0
    const fitting = rows.filter(([, { length: size }]) => size - 1 > shorter && size - 1 <= length) // the end is only a target
    const perBatch = BATCH_TOKENS / length
    const chunks = Array.from({ length: Math.ceil(fitting.length / perBatch) }, (_, chunk) =>
      fitting.slice(chunk * perBatch, (chunk + 1) * perBatch),
    )
    const last = chunks.at(-1)
    while (fill && last && last.length < perBatch) last.push(last[0] as Row)
    return chunks.filter((chunk) => chunk.length === perBatch).map((chunk) => padded(chunk, length))
  })
}

function row({ prompt }: Tokenizer, vocabulary: Vocabulary, text: string, label: string): number[] {
  const asked = prompt(text).slice(0, -1)
  return [...asked.slice(0, LONGEST_ROW - 3), ANSWER, ...answer(vocabulary, label)]
}

function padded(rows: readonly Row[], length: number): Batch {
  const tokens = new Int32Array(BATCH_TOKENS).fill(END)
  rows.forEach(([, row], at) => {
    tokens.set(row.slice(0, -1), at * length)
  })
  return {
    rows: rows.length,
    length,
    tokens,
    answerAt: Int32Array.from(rows, ([, row]) => row.length - 4),
    messages: Int32Array.from(rows, ([message]) => message),
  }
}

/** A message with words left out; in three of ten also without case and punctuation, as many people write. */
function varied(text: string, wordDropout: number, next: Dice): string {
  const words = text.split(/\s+/).filter(() => next() >= wordDropout)
  const kept = words.length > 1 ? words.join(' ') : text
  return next() < 0.3 ? kept.toLowerCase().replace(/[.,!?'"]/g, '') : kept
}

/** Linear warm-up over 3 % of the steps, then half a cosine down to zero. */
export function learningRate(recipe: Recipe, step: number, steps: number): number {
  const warmUp = Math.max(1, Math.round(steps * 0.03))
  if (step < warmUp) return (recipe.learningRate * (step + 1)) / warmUp
  return recipe.learningRate * 0.5 * (1 + Math.cos((Math.PI * (step - warmUp)) / Math.max(1, steps - warmUp)))
}
