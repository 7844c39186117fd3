/** Test only: a tiny BERT of random numbers, with letters for a vocabulary: what embedding models are made of. */
import { writeFileSync } from 'node:fs'
import { dice, gguf, type Tensor, type Value } from './testing.ts'

const [WIDTH, INNER, BLOCKS] = [32, 64, 2]
export const DIMENSIONS = WIDTH

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789.,'
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']
/** WordPiece as llama.cpp keeps it: `▁` begins a word, a letter without it goes on. */
const TOKENS = [...SPECIAL, ...[...LETTERS].map((letter) => `\u2581${letter}`), ...LETTERS]

/** The token of a letter that begins a word. */
export const letterToken = (letter: string): number => SPECIAL.length + LETTERS.indexOf(letter)

export function writeTinyBert(path: string, context = 128): string {
  const normal = dice(3)
  const matrix = (rows: number, columns: number): Tensor => ({
    shape: [columns, rows],
    data: Float32Array.from({ length: rows * columns }, () => normal() / Math.sqrt(columns)),
  })
  const row = (size: number, value: number): Tensor => ({ shape: [size], data: new Float32Array(size).fill(value) })
  const norm = (name: string): [string, Tensor][] => [
    [`${name}.weight`, row(WIDTH, 1)],
    [`${name}.bias`, row(WIDTH, 0)],
  ]
  const linear = (name: string, outputs: number, inputs: number): [string, Tensor][] => [
    [`${name}.weight`, matrix(outputs, inputs)],
    [`${name}.bias`, row(outputs, 0)],
  ]
  const tensors: [string, Tensor][] = [
    ['token_embd.weight', matrix(TOKENS.length, WIDTH)],
    ['position_embd.weight', matrix(context, WIDTH)],
    ['token_types.weight', matrix(2, WIDTH)],
    ...norm('token_embd_norm'),
  ]
  for (let block = 0; block < BLOCKS; block++) {
    for (const part of ['attn_q', 'attn_k', 'attn_v', 'attn_output'])
      tensors.push(...linear(`blk.${block}.${part}`, WIDTH, WIDTH))
    tensors.push(...norm(`blk.${block}.attn_output_norm`), ...norm(`blk.${block}.layer_output_norm`))
    tensors.push(...linear(`blk.${block}.ffn_up`, INNER, WIDTH), ...linear(`blk.${block}.ffn_down`, WIDTH, INNER))
  }
  writeFileSync(path, gguf(metadata(context), tensors))
  return path
}

const count = (value: number): Value => ({ kind: 'count', value })

const metadata = (context: number): readonly (readonly [string, Value])[] => [
  ['general.architecture', { kind: 'text', value: 'bert' }],
  ['general.name', { kind: 'text', value: 'tiny bert' }],
  ['bert.context_length', count(context)],
  ['bert.embedding_length', count(WIDTH)],
  ['bert.block_count', count(BLOCKS)],
  ['bert.feed_forward_length', count(INNER)],
  ['bert.attention.head_count', count(2)],
  ['bert.attention.layer_norm_epsilon', { kind: 'real', value: 1e-12 }],
  ['bert.attention.causal', { kind: 'flag', value: false }],
  ['bert.pooling_type', count(1)], // the mean
  ['tokenizer.ggml.model', { kind: 'text', value: 'bert' }],
  ['tokenizer.ggml.token_type_count', count(2)],
  ['tokenizer.ggml.tokens', { kind: 'texts', value: TOKENS }],
  ['tokenizer.ggml.token_type', { kind: 'counts', value: TOKENS.map((_, at) => (at === 1 ? 2 : at < 4 ? 3 : 1)) }],
  ...Object.entries({ padding: 0, unknown: 1, bos: 2, cls: 2, eos: 3, seperator: 3, mask: 1 }).map(
    ([name, token]) => [`tokenizer.ggml.${name}_token_id`, count(token)] as const,
  ),
]
