/** The bytes of single tokens: what `logprobs` tells beside the text, since a character may come in several tokens. */

/** Token types of GGUF. */
const [CONTROL, USER_DEFINED, BYTE] = [3, 4, 6]

export interface Vocabulary {
  /** `tokenizer.ggml.model`: llama (sentencepiece), gpt2 (byte-level BPE) and others. */
  readonly model: string
  readonly tokens: readonly string[]
  readonly types: readonly number[]
}

export function tokenBytes({ model, tokens, types }: Vocabulary, token: number): Uint8Array {
  const text = tokens[token] ?? ''
  const type = types[token]
  if (type === BYTE) return Uint8Array.of(Number.parseInt(text.slice(3, 5), 16)) // <0x0A>
  if (type === CONTROL || type === USER_DEFINED) return Buffer.from(text)
  if (model === 'gpt2') return Uint8Array.from(text, (letter) => byteOf.get(letter) ?? 0x3f)
  return Buffer.from(text.replaceAll('\u2581', ' '))
}

/**
 * Byte-level BPE writes each byte as a letter: printable ones of Latin-1 as themselves, the other 68 as the letters from
 * U+0100 on, in their order (Radford et al., GPT-2).
 */
const byteOf = new Map<string, number>()
for (let byte = 0, others = 0; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  byteOf.set(String.fromCharCode(printable ? byte : 0x100 + others++), byte)
}
