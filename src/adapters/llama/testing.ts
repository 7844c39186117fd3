/**
 * Test only: a tiny Llama GGUF made of numbers we chose, so that the engine's tests depend on no trained model.
 *
 * Two kinds. Without `next` the weights are random: text is noise, but every position depends on every earlier one, which
 * is what prefix reuse and batching must not disturb. With `next` the blocks add nothing and the output row of `next(t)` is
 * the embedding of `t`, so the model is a machine that always says `next(t)` after `t`: stop strings, split characters and
 * end-of-generation can be staged.
 */
import { writeFileSync } from 'node:fs'

/** Vocabulary: five special tokens, 256 bytes, and a space as llama.cpp's sentencepiece writes it. */
export const UNKNOWN = 0
export const BOS = 1
export const EOS = 2
export const IM_START = 3
export const IM_END = 4
const FIRST_BYTE = 5
const SPACE = FIRST_BYTE + 256
const VOCABULARY = SPACE + 1
/** The first of a model's own texts, if it has any. */
export const OWN = VOCABULARY

export const byteToken = (byte: number): number => (byte === 0x20 ? SPACE : FIRST_BYTE + byte)
/** The byte a token stands for; undefined for a special token. */
export const tokenByte = (token: number): number | undefined =>
  token === SPACE ? 0x20 : token >= FIRST_BYTE && token < SPACE ? token - FIRST_BYTE : undefined

export const CHATML =
  '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'

export interface TinyModel {
  readonly seed?: number
  readonly context?: number
  readonly next?: (token: number) => number
  readonly template?: string | undefined
  /** Texts that are one token each, from `OWN` on. */
  readonly own?: readonly string[]
}

/** Width, heads and blocks: small enough that a step costs microseconds. */
const WIDTH = 64
const HEADS = 4
const INNER = 96
const BLOCKS = 2

export function writeTinyModel(path: string, model: TinyModel = {}): string {
  const normal = dice(model.seed ?? 1)
  const random = (rows: number, columns: number, scale: number): Tensor => ({
    shape: [columns, rows],
    data: Float32Array.from({ length: rows * columns }, () => normal() * scale),
  })
  const ones: Tensor = { shape: [WIDTH], data: new Float32Array(WIDTH).fill(1) }
  const mixing = model.next ? 0 : 1.5 / Math.sqrt(WIDTH) // nothing flows out of a block of a `next` machine
  const vocabulary = VOCABULARY + (model.own?.length ?? 0)
  const embedding = random(vocabulary, WIDTH, 1)

  const tensors: [string, Tensor][] = [['token_embd.weight', embedding]]
  for (let block = 0; block < BLOCKS; block++) {
    tensors.push([`blk.${block}.attn_norm.weight`, ones], [`blk.${block}.ffn_norm.weight`, ones])
    for (const part of ['attn_q', 'attn_k', 'attn_v'])
      tensors.push([`blk.${block}.${part}.weight`, random(WIDTH, WIDTH, 2 / Math.sqrt(WIDTH))])
    tensors.push([`blk.${block}.attn_output.weight`, random(WIDTH, WIDTH, mixing)])
    tensors.push([`blk.${block}.ffn_gate.weight`, random(INNER, WIDTH, 1 / Math.sqrt(WIDTH))])
    tensors.push([`blk.${block}.ffn_up.weight`, random(INNER, WIDTH, 1 / Math.sqrt(WIDTH))])
    tensors.push([`blk.${block}.ffn_down.weight`, random(WIDTH, INNER, mixing)])
  }
  tensors.push(['output_norm.weight', ones])
  tensors.push(['output.weight', model.next ? follow(embedding, model.next) : random(vocabulary, WIDTH, 1)])
  writeFileSync(path, gguf(metadata(model), tensors))
  return path
}

export interface Tensor {
  /** Fastest-running dimension first, as GGUF counts. */
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Output row v = sum of the embeddings of all tokens that v follows: each token looks most like itself. */
function follow(embedding: Tensor, next: (token: number) => number): Tensor {
  const [, vocabulary = 0] = embedding.shape
  const data = new Float32Array(vocabulary * WIDTH)
  for (let token = 0; token < vocabulary; token++)
    for (let i = 0; i < WIDTH; i++) {
      const at = next(token) * WIDTH + i
      data[at] = (data[at] ?? 0) + (embedding.data[token * WIDTH + i] ?? 0)
    }
  return { shape: [WIDTH, vocabulary], data }
}

function metadata(model: TinyModel): readonly (readonly [string, Value])[] {
  const special = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>']
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const template = 'template' in model ? model.template : CHATML
  const own = model.own ?? []
  const vocabulary = VOCABULARY + own.length
  return [
    ['general.architecture', { kind: 'text', value: 'llama' }],
    ['general.name', { kind: 'text', value: 'tiny' }],
    ['llama.context_length', { kind: 'count', value: model.context ?? 512 }],
    ['llama.embedding_length', { kind: 'count', value: WIDTH }],
    ['llama.block_count', { kind: 'count', value: BLOCKS }],
    ['llama.feed_forward_length', { kind: 'count', value: INNER }],
    ['llama.attention.head_count', { kind: 'count', value: HEADS }],
    ['llama.attention.layer_norm_rms_epsilon', { kind: 'real', value: 1e-5 }],
    ['llama.rope.dimension_count', { kind: 'count', value: WIDTH / HEADS }],
    ['tokenizer.ggml.model', { kind: 'text', value: 'llama' }],
    ['tokenizer.ggml.tokens', { kind: 'texts', value: [...special, ...bytes, '\u2581', ...own] }],
    ['tokenizer.ggml.scores', { kind: 'reals', value: new Array<number>(vocabulary).fill(0) }],
    // 1 normal, 2 unknown, 3 control, 4 user defined, 6 byte
    [
      'tokenizer.ggml.token_type',
      { kind: 'counts', value: [2, 3, 3, 3, 3, ...bytes.map(() => 6), 1, ...own.map(() => 4)] },
    ],
    ['tokenizer.ggml.bos_token_id', { kind: 'count', value: BOS }],
    ['tokenizer.ggml.eos_token_id', { kind: 'count', value: EOS }],
    ['tokenizer.ggml.add_space_prefix', { kind: 'flag', value: false }],
    ...(template === undefined ? [] : [['tokenizer.chat_template', { kind: 'text', value: template }] as const]),
  ]
}

export type Value =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'count'; readonly value: number }
  | { readonly kind: 'real'; readonly value: number }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'texts'; readonly value: readonly string[] }
  | { readonly kind: 'reals'; readonly value: readonly number[] }
  | { readonly kind: 'counts'; readonly value: readonly number[] }

/** GGUF v3: header, metadata, tensor list, then the numbers at multiples of 32. */
export function gguf(
  values: readonly (readonly [string, Value])[],
  tensors: readonly (readonly [string, Tensor])[],
): Buffer {
  const head: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(values.length)]
  for (const [key, value] of values) head.push(text(key), encode(value))
  let offset = 0
  for (const [name, tensor] of tensors) {
    head.push(text(name), u32(tensor.shape.length), ...tensor.shape.map(u64), u32(0), u64(offset))
    offset += padded(tensor.data.byteLength)
  }
  const header = Buffer.concat(head)
  const body = tensors.map(([, { data }]) =>
    Buffer.concat([Buffer.from(data.buffer, data.byteOffset, data.byteLength)], padded(data.byteLength)),
  )
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length), ...body])
}

function encode(value: Value): Buffer {
  switch (value.kind) {
    case 'text':
      return Buffer.concat([u32(8), text(value.value)])
    case 'count':
      return Buffer.concat([u32(4), u32(value.value)])
    case 'real':
      return Buffer.concat([u32(6), f32(value.value)])
    case 'flag':
      return Buffer.concat([u32(7), Buffer.from([value.value ? 1 : 0])])
    case 'texts':
      return Buffer.concat([u32(9), u32(8), u64(value.value.length), ...value.value.map(text)])
    case 'reals':
      return Buffer.concat([u32(9), u32(6), u64(value.value.length), ...value.value.map(f32)])
    case 'counts':
      return Buffer.concat([u32(9), u32(5), u64(value.value.length), ...value.value.map(u32)])
  }
}

const padded = (bytes: number): number => Math.ceil(bytes / 32) * 32

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

function f32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeFloatLE(value)
  return buffer
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

/** Normal numbers from a seed (mulberry32, Box-Muller). */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
