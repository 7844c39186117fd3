/**
 * The Llama block in jax-js: RMSNorm, rotary attention, SwiGLU; forward, loss, and one AdamW step inside one `jit`.
 *
 * jax-js counts references by hand: an array passed to a function is consumed, `.ref` keeps it. Tokens are looked up
 * with `take`: the same as a one-hot product, and the whole step is two and a half times as fast.
 *
 * Nothing that a gradient flows through is split or sliced: in jax-js 0.1.25 the jitted gradient of `split` followed by
 * `reshape` is wrong without a word (the test compares ours with finite differences). Masks and products do the same.
 */
import { jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { dice, normal } from '../../lines/models/dice.ts'
import { MESSAGES_PER_STEP, NORM_EPSILON, type Recipe, type Shape, STEP_EDGES } from '../../lines/models/train.ts'

type Matrix = np.Array
type Layer = {
  attentionNorm: Matrix
  query: Matrix
  key: Matrix
  value: Matrix
  out: Matrix
  ffnNorm: Matrix
  gate: Matrix
  up: Matrix
  down: Matrix
}
export type Params = { embedding: Matrix; layers: Layer[]; norm: Matrix; head: Matrix }
/** A batch as arrays, with the constants of its length. */
export type Input = {
  tokens: Matrix // [rows × length] int32
  next: Matrix // [rows × length, 1] int32: the token that follows
  messageWeight: Matrix // [rows × length, 1]: 1 / count where the next token belongs to the message
  pick: Matrix // [rows, 3, length]: one-hot positions that predict intent, confidence and end
  intent: Matrix // [rows, 3 × vocabulary]: one-hot, the true intent at the first place
  step: Matrix // [steps, 3 × vocabulary]: one-hot, each step of confidence at the second place
  end: Matrix // [1, 3 × vocabulary]: one-hot, the end at the third place
  dropout: Matrix[] // 2 × layers + 1 times [rows, 1, width]: 0 or 1 / (1 - p)
  cos: Matrix // [length, head width]
  sin: Matrix
  turn: Matrix // [head width, head width]: (x0, x1) → (-x1, x0) for each pair
  mask: Matrix // [length, length]: 0 where a position may look, else -1e9
}

type Seen = Pick<Input, 'tokens' | 'dropout' | 'cos' | 'sin' | 'turn' | 'mask'>

export interface Plan {
  readonly shape: Shape
  readonly firstIntent: number
  readonly intents: number
}

function normed(hidden: Matrix, gain: Matrix): Matrix {
  const square = np.mean(np.square(hidden.ref), -1, { keepdims: true })
  return hidden.div(np.sqrt(square.add(NORM_EPSILON))).mul(gain)
}

/** Hidden states after the last norm: [rows × length, width]. */
function forward(params: Omit<Params, 'head'>, input: Seen, { shape }: Plan): Matrix {
  const { width, heads } = shape
  const [length] = input.mask.shape as [number]
  const rows = (input.tokens.shape[0] as number) / length
  // The mask takes the shape of the hidden state, not the reverse: a gradient that reaches `take` through a reshape fails
  // to compile ("routine primitive scatter input is not imm", jax-js 0.1.25).
  const silenced = (hidden: Matrix, at: number): Matrix => {
    const mask = input.dropout[at] as Matrix
    return hidden.mul(np.broadcastTo(mask, [rows, length, width]).reshape([rows * length, width]))
  }
  const perHead = (part: Matrix): Matrix =>
    np.transpose(part.reshape([rows, length, heads, width / heads]), [0, 2, 1, 3])
  const rotated = (part: Matrix): Matrix =>
    part.ref.mul(input.cos.ref).add(np.matmul(part, input.turn.ref).mul(input.sin.ref))

  let hidden = silenced(np.take(params.embedding, input.tokens, 0), 0)
  params.layers.forEach((layer, at) => {
    const seen = normed(hidden.ref, layer.attentionNorm)
    const query = rotated(perHead(np.matmul(seen.ref, layer.query)))
    const key = rotated(perHead(np.matmul(seen.ref, layer.key)))
    const value = perHead(np.matmul(seen, layer.value))
    const scores = np.matmul(query, np.transpose(key, [0, 1, 3, 2]))
    const looked = nn.softmax(scores.mul(1 / Math.sqrt(width / heads)).add(input.mask.ref), -1)
    const mixed = np.transpose(np.matmul(looked, value), [0, 2, 1, 3]).reshape([rows * length, width])
    hidden = hidden.add(silenced(np.matmul(mixed, layer.out), 2 * at + 1))
    const fed = normed(hidden.ref, layer.ffnNorm)
    const gated = nn.silu(np.matmul(fed.ref, layer.gate)).mul(np.matmul(fed, layer.up))
    hidden = hidden.add(silenced(np.matmul(gated, layer.down), 2 * at + 2))
  })
  tree.dispose([input.cos, input.sin, input.turn, input.mask])
  return normed(hidden, params.norm)
}

/** Logits at the three answer positions: [rows × 3, vocabulary]. */
function answers(hidden: Matrix, pick: Matrix, head: Matrix, { shape }: Plan): Matrix {
  const [rows, , length] = pick.shape as [number, number, number]
  const picked = np.matmul(pick, hidden.reshape([rows, length, shape.width]))
  return np.matmul(picked.reshape([rows * 3, shape.width]), head)
}

/**
 * Loss = intent + 0.3 · confidence + 0.1 · end + messageLoss · message, each a mean cross-entropy.
 *
 * The target of the confidence token is the step that holds the probability this very pass gives the true intent: the
 * model learns to say how sure it is, from nothing but itself.
 */
export function loss(params: Params, input: Input, plan: Plan, messageLoss: number): Matrix {
  const { head, ...body } = params
  const { next, messageWeight, pick, intent, step, end, ...seen } = input
  const rows = intent.shape[0] as number
  const hidden = forward(body, seen, plan)
  const logp = nn.logSoftmax(answers(hidden.ref, pick, head.ref, plan), -1).reshape([rows, 3 * plan.shape.vocabulary])
  const sure = np.exp(np.sum(lax.stopGradient(logp.ref).mul(intent.ref), -1, { keepdims: true }))
  const target = intent.add(np.matmul(stepOf(sure), step).mul(0.3)).add(end.mul(0.1))
  const answerLoss = np.sum(logp.mul(target)).mul(-1 / MESSAGES_PER_STEP)
  if (messageLoss === 0) {
    tree.dispose([next, messageWeight, hidden, head])
    return answerLoss
  }
  const message = nn.logSoftmax(np.matmul(hidden, head), -1)
  const follows = np.equal(next, np.arange(plan.shape.vocabulary).astype(np.int32)).astype(np.float32)
  return answerLoss.sub(np.sum(message.mul(follows.mul(messageWeight))).mul(messageLoss))
}

/** One-hot step of each probability: [rows, 1] → [rows, steps]. */
function stepOf(sure: Matrix): Matrix {
  const low = np.array([...STEP_EDGES]).reshape([1, STEP_EDGES.length])
  const high = np.array([...STEP_EDGES.slice(1), 2]).reshape([1, STEP_EDGES.length])
  return np.greaterEqual(sure.ref, low).astype(np.float32).mul(np.less(sure, high).astype(np.float32))
}

/** Adam's state and the parameters it moves. */
export type State = { params: Params; mean: Params; square: Params }

const BETA_1 = 0.9
const BETA_2 = 0.98
/** Gradients longer than this are shortened to it. */
const CLIP = 1

/**
 * One AdamW step (Loshchilov and Hutter 2019) with clipping; gains of norms do not decay.
 * `rates` = [learning rate, 1 - β1^t, 1 - β2^t].
 */
export function trainStep(plan: Plan, recipe: Recipe) {
  return jit((state: State, input: Input, rates: Matrix): [Matrix, State] => {
    const [value, gradient] = valueAndGrad((params: Params, batch: Input) =>
      loss(params, batch, plan, recipe.messageLoss),
    )(tree.ref(state.params), input) as unknown as [Matrix, Params]
    const squares = (tree.leaves(tree.ref(gradient)) as Matrix[]).map((leaf) => np.sum(np.square(leaf)))
    const length = np.sqrt(squares.reduce((sum, square) => sum.add(square)))
    const shorten = np.minimum(np.array(CLIP).div(length.add(1e-6)), 1)
    const clipped = tree.map((leaf: Matrix) => leaf.mul(shorten.ref), gradient) as Params
    shorten.dispose()
    const mean = tree.map(
      (old: Matrix, fresh: Matrix) => old.mul(BETA_1).add(fresh.mul(1 - BETA_1)),
      state.mean,
      tree.ref(clipped),
    ) as Params
    const square = tree.map(
      (old: Matrix, fresh: Matrix) => old.mul(BETA_2).add(np.square(fresh).mul(1 - BETA_2)),
      state.square,
      clipped,
    ) as Params
    const [rate, warm1, warm2] = np.split(rates, 3, 0).map((part) => part.reshape([])) as [Matrix, Matrix, Matrix]
    const params = tree.map(
      (old: Matrix, average: Matrix, power: Matrix) => {
        const decay = old.shape.length > 1 ? recipe.weightDecay : 0
        const direction = average.div(warm1.ref).div(np.sqrt(power.div(warm2.ref)).add(1e-8))
        return old.ref.sub(direction.add(old.mul(decay)).mul(rate.ref))
      },
      state.params,
      tree.ref(mean),
      tree.ref(square),
    ) as Params
    tree.dispose([rate, warm1, warm2])
    return [value, { params, mean, square }]
  })
}

/** The logits of the first answer token: [rows, 3, vocabulary], of which the caller reads place 0. */
export function classify(plan: Plan) {
  return jit((params: Params, input: Input): Matrix => {
    const { head, ...body } = params
    const { next, messageWeight, pick, intent, step, end, ...seen } = input
    tree.dispose([next, messageWeight, intent, step, end])
    return answers(forward(body, seen, plan), pick, head, plan)
  })
}

/** Weights from N(0, 0.02²), those that write to the residual stream scaled by 1 / √(2 · layers) (GPT-2). */
export function freshParams(shape: Shape, seed: number): Params {
  const next = dice(seed)
  const drawn = (inputs: number, outputs: number, spread: number): Matrix =>
    np.array(Float32Array.from({ length: inputs * outputs }, () => normal(next) * spread)).reshape([inputs, outputs])
  const { vocabulary, width, layers, feedForward } = shape
  const residual = 1 / Math.sqrt(2 * layers)
  return {
    embedding: drawn(vocabulary, width, 0.05),
    layers: Array.from({ length: layers }, () => ({
      attentionNorm: np.ones([width]),
      query: drawn(width, width, 1 / Math.sqrt(width)),
      key: drawn(width, width, 1 / Math.sqrt(width)),
      value: drawn(width, width, 1 / Math.sqrt(width)),
      out: drawn(width, width, residual / Math.sqrt(width)),
      ffnNorm: np.ones([width]),
      gate: drawn(width, feedForward, 1 / Math.sqrt(width)),
      up: drawn(width, feedForward, 1 / Math.sqrt(width)),
      down: drawn(feedForward, width, residual / Math.sqrt(feedForward)),
    })),
    norm: np.ones([width]),
    head: drawn(width, vocabulary, 0.05),
  }
}

export const zerosLike = (params: Params): Params => tree.map((leaf: Matrix) => np.zeros(leaf.shape), params) as Params
