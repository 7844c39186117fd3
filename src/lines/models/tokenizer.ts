/**
 * A small vocabulary, and the encoder that llama.cpp runs on it.
 *
 * `tokenizer.ggml.model = "llama"` (SentencePiece merges by score) was chosen over byte-level BPE ("gpt2"), because the
 * latter first cuts the text with a Unicode regular expression whose tables differ between engines; this one has none.
 * A space is U+2581, no space is added in front, and a character outside the vocabulary becomes its UTF-8 bytes.
 */

export const UNKNOWN = 0
export const USER = 1
export const ANSWER = 2
export const END = 3
const SPECIALS = ['<unk>', '<|user|>', '<|answer|>', '<|end|>'] as const
const FIRST_BYTE = SPECIALS.length
const FIRST_PIECE = FIRST_BYTE + 256

/** The same kinds and numbers as `llama_token_type`. */
export const TOKEN_KIND = { normal: 1, unknown: 2, control: 3, byte: 6 } as const

/** What the engine writes for a space. A message that holds this very sign decodes to a space, here as in llama.cpp. */
const SPACE = '\u2581'
/** No piece is longer: a vocabulary must not memorise messages. */
export const LONGEST_PIECE = 16

/**
 * The vocabulary, in this order: specials, 256 bytes, pieces of text, then the answer tokens: `{"intent":"…"` for each
 * intent and `,"confidence":…}` for each step. An answer token is one token so that the probability of an intent is the
 * probability of a token. No message can produce one: two entries never concatenate to it (checked in `vocabulary`).
 */
export interface Vocabulary {
  readonly tokens: readonly string[]
  readonly scores: readonly number[]
  readonly kinds: readonly number[]
  readonly firstPiece: number
  readonly firstIntent: number
  readonly intents: readonly string[]
  readonly steps: number
}

export const intentToken = (intent: string): string => `{"intent":${JSON.stringify(intent)}`
export const confidenceToken = (confidence: string): string => `,"confidence":${confidence}}`

/** Joins learnt pieces (best first) and answers to a vocabulary. `confidences` are the texts of the steps, low to high. */
export function vocabulary(
  pieces: readonly string[],
  intents: readonly string[],
  confidences: readonly string[],
): Vocabulary {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const answers = [...intents.map(intentToken), ...confidences.map(confidenceToken)]
  const tokens = [...SPECIALS, ...bytes, ...pieces, ...answers]
  const scores = tokens.map((_, id) => (id < FIRST_PIECE ? 0 : FIRST_PIECE - id - 1))
  const kinds = tokens.map((_, id) => {
    if (id === UNKNOWN) return TOKEN_KIND.unknown
    if (id < FIRST_BYTE) return TOKEN_KIND.control
    return id < FIRST_PIECE ? TOKEN_KIND.byte : TOKEN_KIND.normal
  })
  const known = new Set(tokens)
  if (known.size !== tokens.length) throw new RangeError('two vocabulary entries have the same text')
  for (const answer of answers) {
    if (splits(answer).some(([left, right]) => known.has(left) && known.has(right)))
      throw new RangeError(`a message could spell the answer ${answer}`)
  }
  return {
    tokens,
    scores,
    kinds,
    firstPiece: FIRST_PIECE,
    firstIntent: FIRST_PIECE + pieces.length,
    intents,
    steps: confidences.length,
  }
}

/** Turns text into ids and back, exactly as the engine does. */
export interface Tokenizer {
  readonly encode: (text: string) => number[]
  readonly decode: (ids: readonly number[]) => string
  /** The chat template applied to one user message. */
  readonly prompt: (message: string) => number[]
}

/** Builds the encoder. The merge table holds every pair of entries whose joined text is an entry. */
export function tokenizer({ tokens, scores, kinds }: Vocabulary): Tokenizer {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const merges = new Map<number, number>()
  for (let id = FIRST_PIECE; id < tokens.length; id++) {
    for (const [left, right] of splits(tokens[id] as string)) {
      const pair = [ids.get(left), ids.get(right)]
      if (pair[0] !== undefined && pair[1] !== undefined) merges.set(pair[0] * tokens.length + pair[1], id)
    }
  }
  const utf8 = new TextEncoder()
  const encode = (text: string): number[] => {
    const symbols: number[] = []
    for (const sign of text.toWellFormed().replaceAll(' ', SPACE)) {
      const id = ids.get(sign)
      if (id !== undefined) symbols.push(id)
      else for (const byte of utf8.encode(sign)) symbols.push(FIRST_BYTE + byte)
    }
    return mergeAll(symbols, merges, scores, tokens.length)
  }
  const decode = (tokenIds: readonly number[]): string => {
    const bytes: number[] = []
    for (const id of tokenIds) {
      if (kinds[id] === TOKEN_KIND.byte) bytes.push(id - FIRST_BYTE)
      if (kinds[id] === TOKEN_KIND.normal) bytes.push(...utf8.encode(tokens[id]?.replaceAll(SPACE, ' ')))
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
  }
  return { encode, decode, prompt: (message) => [USER, ...encode(` ${message.trim()}`), ANSWER] }
}

/**
 * Joins the adjacent pair with the best score, leftmost first, until none is left (`llm_tokenizer_spm` in llama.cpp).
 * Quadratic in the length of the text, and meant so: messages are short, and the context bounds the rest.
 */
function mergeAll(
  symbols: number[],
  merges: ReadonlyMap<number, number>,
  scores: readonly number[],
  size: number,
): number[] {
  const joined = (at: number): number => merges.get((symbols[at] as number) * size + (symbols[at + 1] as number)) ?? -1
  const candidates = symbols.slice(1).map((_, at) => joined(at))
  for (;;) {
    let best = -1
    let bestScore = Number.NEGATIVE_INFINITY
    for (let at = 0; at < candidates.length; at++) {
      const id = candidates[at] as number
      if (id >= 0 && (scores[id] as number) > bestScore) {
        best = at
        bestScore = scores[id] as number
      }
    }
    if (best < 0) return symbols
    symbols.splice(best, 2, candidates[best] as number)
    candidates.splice(best, 1)
    if (best > 0) candidates[best - 1] = joined(best - 1)
    if (best < candidates.length) candidates[best] = joined(best)
  }
}

function splits(text: string): [string, string][] {
  const signs = [...text]
  return signs.slice(1).map((_, at) => [signs.slice(0, at + 1).join(''), signs.slice(at + 1).join('')])
}

/**
 * Learns pieces by byte-pair encoding over words (Sennrich et al. 2016): single signs first, then again and again the
 * most frequent adjacent pair. A piece never spans two words, digits stay single, and a pair must be seen often
 * enough (`MINIMUM_COUNT`) that it cannot come from one message.
 */
export function learnPieces(texts: Iterable<string>, count: number): string[] {
  const words = countWords(texts)
  const alphabet = new Set([SPACE, ...Array.from({ length: 94 }, (_, code) => String.fromCharCode(33 + code))])
  const pieces = [...alphabet]
  const spelled = [...words].map(([word, times]) => ({ symbols: [...word], times }))
  while (pieces.length < count) {
    const [pair, times] = mostFrequentPair(spelled, alphabet)
    if (times < MINIMUM_COUNT) break
    const [left, right] = pair
    pieces.push(left + right)
    for (const { symbols } of spelled) {
      for (let at = 0; at + 1 < symbols.length; at++) {
        if (symbols[at] === left && symbols[at + 1] === right) symbols.splice(at, 2, left + right)
      }
    }
  }
  return pieces
}

const MINIMUM_COUNT = 8

function countWords(texts: Iterable<string>): Map<string, number> {
  const words = new Map<string, number>()
  for (const text of texts) {
    const spaced = ` ${text.trim()}`.replaceAll(' ', SPACE)
    for (const word of spaced.match(/\u2581?\p{L}+|\u2581?'\p{L}+|\u2581?[^\u2581\p{L}]/gu) ?? [])
      words.set(word, (words.get(word) ?? 0) + 1)
  }
  return words
}

function mostFrequentPair(
  spelled: readonly { symbols: string[]; times: number }[],
  alphabet: ReadonlySet<string>,
): [[string, string], number] {
  const counts = new Map<string, { pair: [string, string]; times: number }>()
  for (const { symbols, times } of spelled) {
    for (let at = 0; at + 1 < symbols.length; at++) {
      const [left, right] = [symbols[at] as string, symbols[at + 1] as string]
      if ([...left, ...right].some((sign) => !alphabet.has(sign)) || left.length + right.length > LONGEST_PIECE)
        continue
      const entry = counts.get(`${left} ${right}`) ?? { pair: [left, right], times: 0 }
      entry.times += times
      counts.set(`${left} ${right}`, entry)
    }
  }
  let best: [[string, string], number] = [['', ''], 0]
  for (const { pair, times } of counts.values()) if (times > best[1]) best = [pair, times]
  return best
}
