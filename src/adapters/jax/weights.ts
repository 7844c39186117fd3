/** The trainer's arrays as plain weights under their GGUF names, and back. */
import { numpy as np } from '@jax-js/jax'
import type { Shape, Tensor, Weights } from '../../lines/models/train.ts'
import type { Params, State } from './model.ts'

type Matrix = np.Array

/** The parameters under their GGUF names, matrices turned to [outputs, inputs]. Consumes nothing. */
export async function exported(params: Params): Promise<Weights> {
  const weights: Record<string, Tensor> = {}
  const take = async (name: string, matrix: Matrix, transpose: boolean): Promise<void> => {
    const [inputs, outputs] = matrix.shape as [number, number | undefined]
    const data = (await matrix.ref.data()) as Float32Array
    weights[name] =
      transpose && outputs
        ? { shape: [outputs, inputs], data: transposed(data, inputs, outputs) }
        : { shape: matrix.shape, data }
  }
  await take('token_embd.weight', params.embedding, false)
  for (const [at, layer] of params.layers.entries()) {
    await take(`blk.${at}.attn_norm.weight`, layer.attentionNorm, false)
    await take(`blk.${at}.attn_q.weight`, layer.query, true)
    await take(`blk.${at}.attn_k.weight`, layer.key, true)
    await take(`blk.${at}.attn_v.weight`, layer.value, true)
    await take(`blk.${at}.attn_output.weight`, layer.out, true)
    await take(`blk.${at}.ffn_norm.weight`, layer.ffnNorm, false)
    await take(`blk.${at}.ffn_gate.weight`, layer.gate, true)
    await take(`blk.${at}.ffn_up.weight`, layer.up, true)
    await take(`blk.${at}.ffn_down.weight`, layer.down, true)
  }
  await take('output_norm.weight', params.norm, false)
  await take('output.weight', params.head, true)
  return weights
}

/** Params and Adam's state, for a checkpoint. */
export const exportedState = async ({ params, mean, square }: State) => ({
  params: await exported(params),
  mean: await exported(mean),
  square: await exported(square),
})

/** The reverse of `exportedState`. */
export const imported = (from: { params: Weights; mean: Weights; square: Weights }, shape: Shape): State => ({
  params: paramsFrom(from.params, shape),
  mean: paramsFrom(from.mean, shape),
  square: paramsFrom(from.square, shape),
})

function paramsFrom(weights: Weights, { layers }: Shape): Params {
  const take = (name: string, transpose: boolean): Matrix => {
    const tensor = weights[name]
    if (!tensor) throw new RangeError(`the checkpoint has no ${name}`)
    const [outputs, inputs] = tensor.shape as [number, number | undefined]
    if (!transpose || !inputs) return np.array(Float32Array.from(tensor.data)).reshape([...tensor.shape])
    return np.array(transposed(tensor.data, outputs, inputs)).reshape([inputs, outputs])
  }
  return {
    embedding: take('token_embd.weight', false),
    layers: Array.from({ length: layers }, (_, at) => ({
      attentionNorm: take(`blk.${at}.attn_norm.weight`, false),
      query: take(`blk.${at}.attn_q.weight`, true),
      key: take(`blk.${at}.attn_k.weight`, true),
      value: take(`blk.${at}.attn_v.weight`, true),
      out: take(`blk.${at}.attn_output.weight`, true),
      ffnNorm: take(`blk.${at}.ffn_norm.weight`, false),
      gate: take(`blk.${at}.ffn_gate.weight`, true),
      up: take(`blk.${at}.ffn_up.weight`, true),
      down: take(`blk.${at}.ffn_down.weight`, true),
    })),
    norm: take('output_norm.weight', false),
    head: take('output.weight', true),
  }
}

function transposed(data: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = data[row * columns + column] as number
  return turned
}
