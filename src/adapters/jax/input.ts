/** A batch of token rows becomes the arrays that the jitted functions take. */
import { numpy as np } from '@jax-js/jax'
import { type Dice } from '../../lines/models/dice.ts'
import { type Batch, ROPE_BASE, type Shape } from '../../lines/models/train.ts'
import type { Input, Plan } from './model.ts'

/** `next` undefined means no dropout. Each call makes fresh arrays, which the jitted function consumes. */
export function inputOf(batch: Batch, plan: Plan, dropout: number, next: Dice | undefined): Input {
  const { rows, length, tokens, answerAt } = batch
  const follow = new Int32Array(rows * length)
  const messageWeight = new Float32Array(rows * length)
  const pick = new Float32Array(rows * 3 * length)
  const intent = new Float32Array(rows * plan.intents)
  const messageTokens = answerAt.reduce((sum, at) => sum + at - 1, 0)
  for (let row = 0; row < rows; row++) {
    const answer = answerAt[row] as number
    for (let at = 0; at + 1 < length; at++) follow[row * length + at] = tokens[row * length + at + 1] as number
    for (let at = 0; at + 1 < answer; at++) messageWeight[row * length + at] = 1 / messageTokens
    for (let place = 0; place < 3; place++) pick[(row * 3 + place) * length + answer + place] = 1
    intent[row * plan.intents + (tokens[row * length + answer + 1] as number) - plan.firstIntent] = 1
  }
  const { width, layers } = plan.shape
  const kept = Float32Array.from({ length: (2 * layers + 1) * rows * width }, () =>
    next === undefined ? 1 : next() < dropout ? 0 : 1 / (1 - dropout),
  )
  return {
    tokens: np.array(tokens),
    next: np.array(follow).reshape([rows, length, 1]),
    messageWeight: np.array(messageWeight).reshape([rows, length]),
    pick: np.array(pick).reshape([rows, 3, length]),
    intent: np.array(intent).reshape([rows, plan.intents]),
    dropout: np.array(kept).reshape([2 * layers + 1, rows, 1, width]),
    ...positions(length, plan.shape),
  }
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
  const mask = Float32Array.from({ length: length * length }, (_, at) => (at % length > Math.floor(at / length) ? -1e9 : 0))
  return {
    cos: np.array(Float32Array.from({ length: length * size }, (_, at) => Math.cos(angle(at)))).reshape([length, size]),
    sin: np.array(Float32Array.from({ length: length * size }, (_, at) => Math.sin(angle(at)))).reshape([length, size]),
    turn: np.array(turn).reshape([size, size]),
    mask: np.array(mask).reshape([length, length]),
  }
}
