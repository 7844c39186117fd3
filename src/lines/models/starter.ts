/** The starter model as a GGUF file: vocabulary, chat template and weights joined, and taken apart again. */
import { type GgufHeader, type GgufValue, readGgufHeader, readTensorData } from './gguf.ts'
import { type GgufPair, writeGguf } from './gguf-writer.ts'
import { fromHalf, toHalf } from './half.ts'
import { END, TOKEN_KIND, UNKNOWN, USER, type Vocabulary } from './tokenizer.ts'
import { NORM_EPSILON, ROPE_BASE, type Shape, type Tensor, type Weights } from './train.ts'

export const STARTER_NAME = 'wattmill-starter'

/** The last user message, alone, in the form it was trained in. Content may be a text or a list of text parts. */
export const CHAT_TEMPLATE = [
  "{%- set last = namespace(text='') -%}",
  "{%- for message in messages -%}{%- if message['role'] == 'user' -%}",
  "{%- if message['content'] is string -%}{%- set last.text = message['content'] -%}",
  "{%- else -%}{%- set last.text = '' -%}{%- for part in message['content'] -%}",
  "{%- if part['type'] == 'text' -%}{%- set last.text = last.text + part['text'] -%}{%- endif -%}",
  '{%- endfor -%}{%- endif -%}{%- endif -%}{%- endfor -%}',
  "{{- '<|user|> ' + (last.text | trim) + '<|answer|>' -}}",
].join('\n')

/** Writes the file the engine loads. */
export function packStarter(shape: Shape, vocabulary: Vocabulary, weights: Weights): Uint8Array {
  return writeGguf([...modelPairs(shape), ...tokenizerPairs(vocabulary)], weights)
}

const modelPairs = (shape: Shape): GgufPair[] => [
  ['general.architecture', 'string', 'llama'],
  ['general.type', 'string', 'model'],
  ['general.name', 'string', STARTER_NAME],
  ['general.description', 'string', 'A specialist: one customer message to a bank in, one of 77 intents out, as JSON.'],
  ['general.license', 'string', 'apache-2.0'],
  ['general.file_type', 'u32', 1], // mostly F16
  ['llama.vocab_size', 'u32', shape.vocabulary],
  ['llama.context_length', 'u32', shape.context],
  ['llama.embedding_length', 'u32', shape.width],
  ['llama.block_count', 'u32', shape.layers],
  ['llama.feed_forward_length', 'u32', shape.feedForward],
  ['llama.attention.head_count', 'u32', shape.heads],
  ['llama.attention.head_count_kv', 'u32', shape.heads],
  ['llama.attention.layer_norm_rms_epsilon', 'f32', NORM_EPSILON],
  ['llama.rope.dimension_count', 'u32', shape.width / shape.heads],
  ['llama.rope.freq_base', 'f32', ROPE_BASE],
]

const tokenizerPairs = (vocabulary: Vocabulary): GgufPair[] => [
  ['tokenizer.ggml.model', 'string', 'llama'],
  ['tokenizer.ggml.pre', 'string', 'default'],
  ['tokenizer.ggml.tokens', 'strings', vocabulary.tokens],
  ['tokenizer.ggml.scores', 'f32s', vocabulary.scores],
  ['tokenizer.ggml.token_type', 'i32s', vocabulary.kinds],
  ['tokenizer.ggml.bos_token_id', 'u32', USER],
  ['tokenizer.ggml.eos_token_id', 'u32', END],
  ['tokenizer.ggml.unknown_token_id', 'u32', UNKNOWN],
  ['tokenizer.ggml.padding_token_id', 'u32', END],
  // The template writes <|user|> itself; a space prefix would come on top of the one it writes.
  ['tokenizer.ggml.add_bos_token', 'bool', false],
  ['tokenizer.ggml.add_eos_token', 'bool', false],
  ['tokenizer.ggml.add_space_prefix', 'bool', false],
  ['tokenizer.chat_template', 'string', CHAT_TEMPLATE],
]

/** What the file says, ready for the reference forward pass. */
export interface Starter {
  readonly header: GgufHeader
  readonly shape: Shape
  readonly vocabulary: Vocabulary
  readonly weights: Weights
}

/** Reads a file that `packStarter` wrote. */
export function unpackStarter(file: Uint8Array): Starter {
  const header = readGgufHeader(file)
  const value = (key: string): GgufValue => {
    const found = header.metadata.get(key)
    if (found === undefined) throw new RangeError(`the file lacks ${key}`)
    return found
  }
  const number = (key: string): number => value(key) as number
  const tokens = value('tokenizer.ggml.tokens') as readonly string[]
  const kinds = value('tokenizer.ggml.token_type') as readonly number[]
  const intents = tokens.filter((token, id) => isAnswer(token, kinds[id], '{"intent":')).map(intentOf)
  const weights = Object.fromEntries(
    header.tensors.map((tensor) => [tensor.name, readTensorData(file, header, tensor)]),
  )
  return {
    header,
    weights,
    shape: {
      vocabulary: number('llama.vocab_size'),
      width: number('llama.embedding_length'),
      layers: number('llama.block_count'),
      heads: number('llama.attention.head_count'),
      feedForward: number('llama.feed_forward_length'),
      context: number('llama.context_length'),
    },
    vocabulary: {
      tokens,
      scores: value('tokenizer.ggml.scores') as readonly number[],
      kinds,
      firstPiece: kinds.indexOf(TOKEN_KIND.normal),
      firstIntent: tokens.findIndex((token, id) => isAnswer(token, kinds[id], '{"intent":')),
      intents,
      steps: tokens.filter((token, id) => isAnswer(token, kinds[id], ',"confidence":')).length,
    },
  }
}

const isAnswer = (token: string, kind: number | undefined, start: string): boolean =>
  kind === TOKEN_KIND.normal && token.startsWith(start)
const intentOf = (token: string): string => (JSON.parse(`${token}}`) as { intent: string }).intent

/** Weights as the file holds them: matrices rounded to half precision, so that what is judged is what is shipped. */
export function roundedWeights(weights: Weights): Weights {
  const rounded = ({ shape, data }: Tensor): Tensor =>
    shape.length > 1 ? { shape, data: data.map((value) => fromHalf(toHalf(value))) } : { shape, data }
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, rounded(tensor)]))
}
