import { readFileSync, writeFileSync } from 'node:fs'
import { packStarter, unpackStarter } from '../../src/lines/models/starter.ts'
import type { Weights } from '../../src/lines/models/train.ts'
import { dice } from '../dice.ts'

/**
 * A model of 51 M parameters (102 MB) with the starter's vocabulary and weights by chance: it says nothing, at the cost of one
 * that does. The starter fits a core's cache; here every step streams the weights from memory, as large models do.
 */
export function writeLarger(starter: string, path: string): string {
  const { vocabulary, shape } = unpackStarter(readFileSync(starter))
  const larger = { ...shape, width: 640, layers: 10, heads: 10, feedForward: 1728, context: 2048 }
  const { width, feedForward } = larger
  const chance = dice(1)
  const noise = (...size: readonly number[]) => {
    const scale = 2 / Math.sqrt(size.at(-1) ?? 1)
    const data = Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => (chance.next() - 0.5) * scale)
    return { shape: size, data }
  }
  const ones = () => ({ shape: [width], data: new Float32Array(width).fill(1) })
  const weights: Record<string, Weights[string]> = { 'token_embd.weight': noise(shape.vocabulary, width) }
  for (let block = 0; block < larger.layers; block++) {
    const name = (part: string): string => `blk.${block}.${part}.weight`
    for (const part of ['attn_norm', 'ffn_norm']) weights[name(part)] = ones()
    for (const part of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) weights[name(part)] = noise(width, width)
    for (const part of ['ffn_gate', 'ffn_up']) weights[name(part)] = noise(feedForward, width)
    weights[name('ffn_down')] = noise(width, feedForward)
  }
  weights['output_norm.weight'] = ones()
  weights['output.weight'] = noise(shape.vocabulary, width)
  writeFileSync(path, packStarter(larger, vocabulary, weights))
  return path
}
