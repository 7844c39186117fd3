import { isObject } from '../../units/json.ts'
import { countIn, WorkloadError } from './lines.ts'
import type { Prompt } from './prompt.ts'

/** What a trace says of one request. */
export interface Traced {
  readonly at_ns: number
  readonly prompt: Prompt
  readonly answer: number
}

/** Tokens that one hash of the trace stands for. */
const pieceTokens = 512

/**
 * Traces as Mooncake published them (FAST'25): a JSON object a line with `timestamp` (ms), `input_length`, `output_length` and
 * `hash_ids`, one for each 512 tokens of the prompt; equal ids mean the same tokens after the same beginning.
 */
export function* mooncakeTrace(lines: Iterable<string>): Generator<Traced> {
  let number = 0
  const pieces = new Pieces()
  for (const text of lines) {
    number++
    if (text.trim() === '') continue
    const row = objectIn(text, number)
    const tokens = countIn(row.input_length, 'input_length', number, 1)
    const hashes = row.hash_ids
    if (!Array.isArray(hashes) || hashes.length !== Math.ceil(tokens / pieceTokens))
      throw new WorkloadError(number, `hash_ids must be ${Math.ceil(tokens / pieceTokens)} ids for ${tokens} tokens`)
    yield {
      at_ns: Math.round(countIn(row.timestamp, 'timestamp', number) * 1e6),
      prompt: { tokens, pieces: pieces.named(hashes, number), pieceTokens },
      answer: Math.max(1, countIn(row.output_length, 'output_length', number)),
    }
  }
}

export function objectIn(text: string, line: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // told below
  }
  throw new WorkloadError(line, 'is not a JSON object')
}

/** Ids of a trace → small names, whatever numbers or texts they are. */
class Pieces {
  readonly #names = new Map<unknown, number>()

  named(hashes: readonly unknown[], line: number): Int32Array {
    const names = new Int32Array(hashes.length)
    for (let at = 0; at < hashes.length; at++) {
      const hash = hashes[at]
      if (typeof hash !== 'number' && typeof hash !== 'string') throw new WorkloadError(line, 'hash_ids holds no ids')
      const name = this.#names.get(hash) ?? this.#names.size
      if (name === this.#names.size) this.#names.set(hash, name)
      names[at] = name
    }
    return names
  }
}
