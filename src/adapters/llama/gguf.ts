/**
 * Is this file a GGUF whose header fits into it? Asked before node-llama-cpp reads it.
 *
 * Its reader takes what lies beyond the end of a file for zeros, so a damaged count makes it read for ever and the host
 * with it. This walk trusts no number: every length must lie within the file. Tensor data is checked by llama.cpp itself.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Far more than any model has; a count beyond is damage. */
const MOST_ENTRIES = 1_000_000

/** The longest lists are vocabularies and their merges, below a million. */
const MOST_TEXTS = 10_000_000

/** Bytes of each fixed-size GGUF value type; 8 is text, 9 an array. */
const SIZES = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
])
const TEXT = 8
const ARRAY = 9

/** Throws with the reason when it is not. */
export function checkGguf(path: string): void {
  const file = openSync(path, 'r')
  try {
    const at = new Cursor(file, fstatSync(file).size)
    if (at.bytes(4).toString('latin1') !== 'GGUF') throw new Error('not a GGUF file: it does not begin with "GGUF"')
    const version = at.u32()
    if (version !== 2 && version !== 3) throw new Error(`GGUF version ${version} is not one that llama.cpp reads`)

    const tensors = at.count('tensors')
    const entries = at.count('metadata entries')
    for (let entry = 0; entry < entries; entry++) {
      at.text()
      skipValue(at, at.u32())
    }
    for (let tensor = 0; tensor < tensors; tensor++) {
      at.text()
      at.skip(at.u32() * 8 + 4 + 8) // dimensions, type, offset
    }
  } finally {
    closeSync(file)
  }
}

function skipValue(at: Cursor, type: number): void {
  const size = SIZES.get(type)
  if (size !== undefined) return at.skip(size)
  if (type === TEXT) return at.text()
  if (type !== ARRAY) throw new Error(`the GGUF header is damaged: there is no value type ${type}`)

  const of = at.u32()
  const length = at.u64()
  const each = SIZES.get(of)
  if (each !== undefined) return at.skip(length * each)
  if (of !== TEXT) throw new Error(`the GGUF header is damaged: there is no array of type ${of}`)
  if (length > MOST_TEXTS) throw new Error(`the GGUF header is damaged: it says it has ${length} texts in a list`)
  for (let item = 0; item < length; item++) at.text()
}

/** A place in the file that never leaves it, read through a window of 1 MiB. */
class Cursor {
  private readonly file: number
  private readonly size: number
  private position = 0
  private window: Buffer = Buffer.alloc(0)
  private windowAt = 0

  constructor(file: number, size: number) {
    this.file = file
    this.size = size
  }

  bytes(length: number): Buffer {
    const from = this.position
    this.skip(length)
    if (from < this.windowAt || this.position > this.windowAt + this.window.length) {
      const window = Buffer.alloc(Math.min(1024 * 1024, this.size - from))
      this.window = window.subarray(0, readSync(this.file, window, 0, window.length, from))
      this.windowAt = from
    }
    return this.window.subarray(from - this.windowAt, this.position - this.windowAt)
  }

  u32(): number {
    return this.bytes(4).readUInt32LE()
  }

  u64(): number {
    return Number(this.bytes(8).readBigUInt64LE())
  }

  count(what: string): number {
    const count = this.u64()
    if (count > MOST_ENTRIES) throw new Error(`the GGUF header is damaged: it says it has ${count} ${what}`)
    return count
  }

  text(): void {
    this.skip(this.u64())
  }

  skip(length: number): void {
    if (this.position + length > this.size) throw new Error('the GGUF file is cut off, or its header is damaged')
    this.position += length
  }
}
