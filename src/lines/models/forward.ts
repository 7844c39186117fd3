/**
 * The forward pass of a Llama-architecture model in plain TypeScript: what the engine must agree with, token for token.
 * Slow (about a thousand tokens a second for a million parameters) and free of any library.
 */
import { NORM_EPSILON, ROPE_BASE, type Shape, type Tensor, type Weights } from './train.ts'

/** Keys and values seen so far, per layer: [position × width]. */
interface Memory {
  length: number
  readonly keys: readonly Float32Array[]
  readonly values: readonly Float32Array[]
}

export interface Reference {
  /** Logits over the vocabulary after the last token, for a sequence from its beginning. */
  readonly logits: (tokens: readonly number[]) => Float32Array
  /** Takes the most probable token again and again, at most `most` times; the lowest id wins a tie. Includes `end`. */
  readonly greedy: (tokens: readonly number[], most: number, end: number) => Chosen[]
}

/** A token and the probability the model gave it. */
export interface Chosen {
  readonly token: number
  readonly probability: number
}

export function reference(shape: Shape, weights: Weights): Reference {
  const named = (name: string): Tensor => {
    const tensor = weights[name]
    if (!tensor) throw new RangeError(`the model lacks ${name}`)
    return tensor
  }
  const embedding = named('token_embd.weight')
  const layers = Array.from({ length: shape.layers }, (_, at) => layerOf((name) => named(`blk.${at}.${name}.weight`)))
  const head = named('output.weight')
  const norm = named('output_norm.weight')

  const fresh = (): Memory => {
    const room = () => Array.from(layers, () => new Float32Array(shape.context * shape.width))
    return { length: 0, keys: room(), values: room() }
  }
  const push = (memory: Memory, token: number): Float32Array => {
    if (memory.length >= shape.context) throw new RangeError(`more than ${shape.context} tokens`)
    const hidden = embedding.data.slice(token * shape.width, (token + 1) * shape.width)
    layers.forEach((layer, at) => {
      add(hidden, attention(layer, shape, memory, at, normed(hidden, layer.attentionNorm)))
      add(hidden, feedForward(layer, normed(hidden, layer.ffnNorm)))
    })
    memory.length++
    return hidden
  }
  const start = (tokens: readonly number[]): { memory: Memory; hidden: Float32Array } => {
    const memory = fresh()
    let hidden = new Float32Array(shape.width)
    for (const token of tokens) hidden = push(memory, token) as Float32Array<ArrayBuffer>
    return { memory, hidden }
  }
  const scored = (hidden: Float32Array): Float32Array => product(head, normed(hidden, norm))
  const greedy = (tokens: readonly number[], most: number, end: number): Chosen[] => {
    const chosen: Chosen[] = []
    let { memory, hidden } = start(tokens)
    while (chosen.length < most) {
      const next = mostProbable(scored(hidden))
      chosen.push(next)
      if (next.token === end) break
      hidden = push(memory, next.token)
    }
    return chosen
  }
  return { logits: (tokens) => scored(start(tokens).hidden), greedy }
}

interface Layer {
  readonly attentionNorm: Tensor
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
  readonly out: Tensor
  readonly ffnNorm: Tensor
  readonly gate: Tensor
  readonly up: Tensor
  readonly down: Tensor
}

const layerOf = (named: (name: string) => Tensor): Layer => ({
  attentionNorm: named('attn_norm'),
  query: named('attn_q'),
  key: named('attn_k'),
  value: named('attn_v'),
  out: named('attn_output'),
  ffnNorm: named('ffn_norm'),
  gate: named('ffn_gate'),
  up: named('ffn_up'),
  down: named('ffn_down'),
})

/** softmax(q · k / √size) · v per head, over all positions up to this one. */
function attention(layer: Layer, shape: Shape, memory: Memory, at: number, input: Float32Array): Float32Array {
  const { width, heads } = shape
  const size = width / heads
  const position = memory.length
  const [keys, values] = [memory.keys[at] as Float32Array, memory.values[at] as Float32Array]
  const query = rotated(product(layer.query, input), size, position)
  keys.set(rotated(product(layer.key, input), size, position), position * width)
  values.set(product(layer.value, input), position * width)
  const mixed = new Float32Array(width)
  for (let head = 0; head < heads; head++) {
    const scores = new Float32Array(position + 1)
    for (let past = 0; past <= position; past++) {
      let dot = 0
      for (let i = head * size; i < (head + 1) * size; i++)
        dot += (query[i] as number) * (keys[past * width + i] as number)
      scores[past] = dot / Math.sqrt(size)
    }
    softmax(scores).forEach((share, past) => {
      for (let i = head * size; i < (head + 1) * size; i++)
        mixed[i] = (mixed[i] as number) + share * (values[past * width + i] as number)
    })
  }
  return product(layer.out, mixed)
}

/** down · (silu(gate · x) ⊙ (up · x)). */
function feedForward(layer: Layer, input: Float32Array): Float32Array {
  const up = product(layer.up, input)
  const gated = product(layer.gate, input).map((value, at) => (value / (1 + Math.exp(-value))) * (up[at] as number))
  return product(layer.down, gated)
}

/** Adjacent pairs turn by position · base^(-2i / size): the order llama.cpp uses for the architecture `llama`. */
function rotated(vector: Float32Array, size: number, position: number): Float32Array {
  for (let at = 0; at < vector.length; at += 2) {
    const angle = position * ROPE_BASE ** (-(at % size) / size)
    const [x, y] = [vector[at] as number, vector[at + 1] as number]
    vector[at] = x * Math.cos(angle) - y * Math.sin(angle)
    vector[at + 1] = x * Math.sin(angle) + y * Math.cos(angle)
  }
  return vector
}

/** x / √(mean x² + ε) ⊙ gain. */
function normed(vector: Float32Array, gain: Tensor): Float32Array {
  const square = vector.reduce((sum, value) => sum + value * value, 0) / vector.length
  const scale = 1 / Math.sqrt(square + NORM_EPSILON)
  return vector.map((value, at) => value * scale * (gain.data[at] as number))
}

function product({ shape, data }: Tensor, vector: Float32Array): Float32Array {
  const [outputs, inputs] = shape as readonly [number, number]
  const result = new Float32Array(outputs)
  for (let row = 0; row < outputs; row++) {
    let sum = 0
    const from = row * inputs
    for (let at = 0; at < inputs; at++) sum += (data[from + at] as number) * (vector[at] as number)
    result[row] = sum
  }
  return result
}

function add(into: Float32Array, other: Float32Array): void {
  for (let at = 0; at < into.length; at++) into[at] = (into[at] as number) + (other[at] as number)
}

export function softmax(scores: Float32Array): Float32Array {
  const highest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
  const powers = scores.map((score) => Math.exp(score - highest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

function mostProbable(logits: Float32Array): Chosen {
  const chances = softmax(logits)
  let token = 0
  for (let at = 1; at < logits.length; at++) if ((logits[at] as number) > (logits[token] as number)) token = at
  return { token, probability: chances[token] as number }
}
