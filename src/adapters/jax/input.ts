/** A batch of token rows becomes the arrays that the jitted functions take. */
import { numpy as np } from '@jax-js/jax'
import type { Dice } from '../../lines/models/dice.ts'
import { END } from '../../lines/models/tokenizer.ts'
import { type Batch, ROPE_BASE, type Shape, STEP_EDGES } from '../../lines/models/train.ts'
import type { Input, Plan } from './model.ts'

/** `next` undefined means no dropout. Each call makes fresh arrays, which the jitted function consumes. */
export function inputOf(batch: Batch, plan: Plan, dropout: number, next: Dice | undefined): Input {
  const { rows, length, tokens, answerAt } = batch
  const follow = new Int32Array(rows * length)
  const messageWeight = new Float32Array(rows * length)
  const pick = new Float32Array(rows * 3 * length)
  const vocabulary = plan.shape.vocabulary
  const intent = new Float32Array(rows * 3 * vocabulary)
  const messageTokens = answerAt.reduce((sum, at) => sum + at - 1, 0)
  for (let row = 0; row < rows; row++) {
    const answer = answerAt[row] as number
    for (let at = 0; at + 1 < length; at++) follow[row * length + at] = tokens[row * length + at + 1] as number
    for (let at = 0; at + 1 < answer; at++) messageWeight[row * length + at] = 1 / messageTokens
    for (let place = 0; place < 3; place++) pick[(row * 3 + place) * length + answer + place] = 1
    intent[row * 3 * vocabulary + (tokens[row * length + answer + 1] as number)] = 1
  }
  const { width, layers } = plan.shape
  const kept = (): np.Array =>
    np
      .array(Float32Array.from({ length: rows * width }, () => (next ? (next() < dropout ? 0 : 1 / (1 - dropout)) : 1)))
      .reshape([rows, 1, width])
  return {
    tokens: np.array(Int32Array.from(tokens)),
    next: np.array(follow).reshape([rows * length, 1]),
    messageWeight: np.array(messageWeight).reshape([rows * length, 1]),
    pick: np.array(pick).reshape([rows, 3, length]),
    intent: np.array(intent).reshape([rows, 3 * vocabulary]),
    ...places(plan),
    dropout: Array.from({ length: 2 * layers + 1 }, kept),
    ...positions(length, plan.shape),
  }
}

/** Where the steps of confidence and the end stand among 3 × vocabulary. */
function places({ shape, firstIntent, intents }: Plan): Pick<Input, 'step' | 'end'> {
  const across = 3 * shape.vocabulary
  const step = new Float32Array(STEP_EDGES.length * across)
  for (let at = 0; at < STEP_EDGES.length; at++) step[at * across + shape.vocabulary + firstIntent + intents + at] = 1
  const end = new Float32Array(across)
  end[2 * shape.vocabulary + END] = 1
  return { step: np.array(step).reshape([STEP_EDGES.length, across]), end: np.array(end).reshape([1, across]) }
}

/** Rotary angles for adjacent pairs (the order llama.cpp uses for `llama`), and the causal mask. */
function positions(length: number, shape: Shape): Pick<Input, 'cos' | 'sin' | 'turn' | 'mask'> {
  const size = shape.width / shape.heads
  const angle = (at: number): number => Math.floor(at / size) * ROPE_BASE ** ((-2 * Math.floor((at % size) / 2)) / size)
  const turn = new Float32Array(size * size)
  for (let pair = 0; pair < size; pair += 2) {
    turn[(pair + 1) * size + pair] = -1
    turn[pair * size + pair + 1] = 1
  }
  const mask = Float32Array.from({ length: length * length }, (_, at) =>
    at % length > Math.floor(at / length) ? -1e9 : 0,
  )
  return {
    cos: np.array(Float32Array.from({ length: length * size }, (_, at) => Math.cos(angle(at)))).reshape([length, size]),
    sin: np.array(Float32Array.from({ length: length * size }, (_, at) => Math.sin(angle(at)))).reshape([length, size]),
    turn: np.array(turn).reshape([size, size]),
    mask: np.array(mask).reshape([length, length]),
  }
}
