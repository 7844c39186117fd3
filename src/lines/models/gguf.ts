/**
 * GGUF v3: the file format of llama.cpp. All little-endian:
 *
 *   'GGUF' · version u32 · tensors u64 · pairs u64
 *   pairs:   key string · type u32 · value                       string = length u64 · UTF-8
 *   tensors: name string · dimensions u32 · u64 each · type u32 · offset u64
 *   padding to the alignment · tensor data, each tensor aligned
 *
 * Dimensions are written innermost first: a matrix [outputs, inputs] stands there as inputs, outputs.
 * Source: gguf.md in the ggml repository.
 */
import { fromHalf } from './half.ts'
import type { Tensor } from './train.ts'

/** What can be wrong with a file. `needs_more` says only that more of it must be read. */
export type GgufFault = 'not_gguf' | 'unsupported_version' | 'truncated' | 'malformed' | 'needs_more'

/** A file that is not, or not wholly, a GGUF model. */
export class GgufError extends Error {
  override readonly name = 'GgufError'
  readonly fault: GgufFault
  /** For `needs_more` and `truncated`: at least so many bytes from the start are needed to get further. */
  readonly atLeast: number | undefined

  constructor(fault: GgufFault, message: string, atLeast?: number) {
    super(message)
    this.fault = fault
    this.atLeast = atLeast
  }
}

/** A metadata value. A u64 beyond 2^53 stays a bigint. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

export interface GgufTensor {
  readonly name: string
  /** Innermost first, as in the file. */
  readonly dimensions: readonly number[]
  readonly type: number
  /** Such as `F16` or `Q4_K`; undefined for a type this reader does not know. */
  readonly typeName: string | undefined
  /** From the start of the tensor data. */
  readonly offset: number
  /** Undefined for an unknown type. */
  readonly bytes: number | undefined
}

export interface GgufHeader {
  readonly version: number
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensor[]
  readonly alignment: number
  /** Where the tensor data begin, from the start of the file. */
  readonly dataOffset: number
  /** The file is truncated when it is shorter than this. Tensors of unknown types count as empty. */
  readonly expectedBytes: number
  /** The sum over tensors of the product of their dimensions. */
  readonly parameters: number
}

/** ggml types: number → name, values per block, bytes per block. Numbers 4, 5, 31-33 and 36-38 were withdrawn. */
const TENSOR_TYPES: Readonly<Record<number, readonly [name: string, values: number, bytes: number]>> = {
  0: ['F32', 1, 4],
  1: ['F16', 1, 2],
  2: ['Q4_0', 32, 18],
  3: ['Q4_1', 32, 20],
  6: ['Q5_0', 32, 22],
  7: ['Q5_1', 32, 24],
  8: ['Q8_0', 32, 34],
  10: ['Q2_K', 256, 84],
  11: ['Q3_K', 256, 110],
  12: ['Q4_K', 256, 144],
  13: ['Q5_K', 256, 176],
  14: ['Q6_K', 256, 210],
  16: ['IQ2_XXS', 256, 66],
  17: ['IQ2_XS', 256, 74],
  18: ['IQ3_XXS', 256, 98],
  19: ['IQ1_S', 256, 50],
  20: ['IQ4_NL', 32, 18],
  21: ['IQ3_S', 256, 110],
  22: ['IQ2_S', 256, 82],
  23: ['IQ4_XS', 256, 136],
  24: ['I8', 1, 1],
  25: ['I16', 1, 2],
  26: ['I32', 1, 4],
  27: ['I64', 1, 8],
  28: ['F64', 1, 8],
  29: ['IQ1_M', 256, 56],
  30: ['BF16', 1, 2],
  34: ['TQ1_0', 256, 54],
  35: ['TQ2_0', 256, 66],
  39: ['MXFP4', 32, 17],
}

// Bounds: far above any real model, far below what garbage asks for.
const MOST_PAIRS = 1 << 16
const MOST_TENSORS = 1 << 17
const MOST_DIMENSIONS = 4 // GGML_MAX_DIMS
const MOST_ITEMS = 1 << 22 // 4 M: vocabularies have 0.3 M entries
const MOST_STRING = 1 << 24 // 16 MiB: chat templates have some 10 KB
const MOST_NESTING = 4
/** Where a file has no `general.alignment`. */
export const ALIGNMENT = 32
const HEAD_BYTES = 24

/**
 * Reads everything before the tensor data. Give the whole file, or its beginning with `fileBytes`, the length of the
 * whole: then a beginning that is too short is `needs_more` with `atLeast`, and only a file that really ends is
 * `truncated`.
 *
 * @example
 * const { metadata, expectedBytes } = readGgufHeader(firstMebibytes, sizeOnDisk)
 * const truncated = sizeOnDisk < expectedBytes
 */
export function readGgufHeader(bytes: Uint8Array, fileBytes: number = bytes.length): GgufHeader {
  const cursor = new Cursor(bytes, fileBytes)
  readMagic(cursor, bytes)
  const version = cursor.u32()
  if (version !== 2 && version !== 3)
    throw new GgufError('unsupported_version', `GGUF version ${version >>> 0}, not 2 or 3`)
  const tensorCount = cursor.count(MOST_TENSORS, 'tensors')
  const pairCount = cursor.count(MOST_PAIRS, 'metadata pairs')
  const metadata = new Map<string, GgufValue>()
  for (let at = 0; at < pairCount; at++) {
    const key = cursor.string()
    if (metadata.has(key)) throw new GgufError('malformed', `the key ${JSON.stringify(key.slice(0, 80))} stands twice`)
    metadata.set(key, readValue(cursor, cursor.u32(), 0))
  }
  const alignment = metadata.get('general.alignment') ?? ALIGNMENT
  if (typeof alignment !== 'number' || alignment < 8 || alignment > 65_536 || alignment % 8 !== 0)
    throw new GgufError('malformed', `an alignment of ${String(alignment).slice(0, 40)}`)
  const tensors = Array.from({ length: tensorCount }, () => readTensor(cursor, alignment))
  const dataOffset = aligned(cursor.at, alignment)
  return {
    version,
    metadata,
    tensors,
    alignment,
    dataOffset,
    expectedBytes: tensors.reduce(
      (end, tensor) => Math.max(end, dataOffset + tensor.offset + (tensor.bytes ?? 0)),
      cursor.at,
    ),
    parameters: tensors.reduce(
      (sum, { dimensions }) => sum + dimensions.reduce((product, size) => product * size, 1),
      0,
    ),
  }
}

/**
 * What stands in the first bytes of a file: as many pairs of its metadata as are whole in them. Refuses what is no GGUF;
 * that there is more to come is no fault here.
 */
export function readGgufBeginning(bytes: Uint8Array): ReadonlyMap<string, GgufValue> {
  const metadata = new Map<string, GgufValue>()
  const cursor = new Cursor(bytes, Number.MAX_SAFE_INTEGER)
  try {
    readMagic(cursor, bytes)
    cursor.u32()
    cursor.count(MOST_TENSORS, 'tensors')
    for (let left = cursor.count(MOST_PAIRS, 'metadata pairs'); left > 0; left--) {
      const key = cursor.string()
      metadata.set(key, readValue(cursor, cursor.u32(), 0))
    }
  } catch (error) {
    if (!(error instanceof GgufError) || error.fault !== 'needs_more') throw error
  }
  return metadata
}

/** Too short to hold a magic is judged by what is there: an empty download is `truncated`, not some other format. */
function readMagic(cursor: Cursor, bytes: Uint8Array): void {
  const magic = [...'GGUF'].map((sign) => sign.charCodeAt(0))
  if (bytes.subarray(0, 4).some((byte, at) => byte !== magic[at]))
    throw new GgufError('not_gguf', 'no GGUF magic at its start')
  cursor.need(HEAD_BYTES)
  cursor.at = 4
}

function readTensor(cursor: Cursor, alignment: number): GgufTensor {
  const name = cursor.string()
  const rank = cursor.u32()
  if (rank > MOST_DIMENSIONS) throw new GgufError('malformed', `a tensor of ${rank} dimensions`)
  const dimensions = Array.from({ length: rank }, () => cursor.safe64())
  if (dimensions.includes(0)) throw new GgufError('malformed', `tensor ${name.slice(0, 80)} is empty in a dimension`)
  const type = cursor.u32()
  const offset = cursor.safe64()
  const values = dimensions.reduce((product, size) => product * size, 1)
  const [typeName, perBlock, blockBytes] = TENSOR_TYPES[type] ?? [undefined, 1, 0]
  const bytes = typeName === undefined ? undefined : (values / perBlock) * blockBytes
  if (offset % alignment !== 0) throw new GgufError('malformed', `tensor ${name.slice(0, 80)} is not aligned`)
  if (!Number.isSafeInteger(values))
    throw new GgufError('malformed', `tensor ${name.slice(0, 80)} has ${values} values`)
  if (bytes !== undefined && (!Number.isSafeInteger(bytes + offset) || (dimensions[0] ?? 1) % perBlock !== 0))
    throw new GgufError('malformed', `tensor ${name.slice(0, 80)} does not fill its blocks`)
  return { name, dimensions, type, typeName, offset, bytes }
}

export const aligned = (at: number, alignment: number): number => Math.ceil(at / alignment) * alignment

/** Value types of metadata; a string is 8, an array 9. */
export const VALUE_TYPE = { u32: 4, f32: 6, bool: 7, string: 8, array: 9 } as const
/** Fewest bytes one item of each value type takes: bounds an array before it is read. */
const LEAST_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8] as const

function readValue(cursor: Cursor, type: number, nesting: number): GgufValue {
  switch (type) {
    case 0:
      return cursor.take(1).getUint8(0)
    case 1:
      return cursor.take(1).getInt8(0)
    case 2:
      return cursor.take(2).getUint16(0, true)
    case 3:
      return cursor.take(2).getInt16(0, true)
    case 4:
      return cursor.u32()
    case 5:
      return cursor.take(4).getInt32(0, true)
    case 6:
      return cursor.take(4).getFloat32(0, true)
    case 7:
      return readBoolean(cursor)
    case 8:
      return cursor.string()
    case 9:
      return readArray(cursor, nesting)
    case 10:
      return small(cursor.take(8).getBigUint64(0, true))
    case 11:
      return small(cursor.take(8).getBigInt64(0, true))
    case 12:
      return cursor.take(8).getFloat64(0, true)
    default:
      throw new GgufError('malformed', `metadata of the unknown type ${type}`)
  }
}

function readBoolean(cursor: Cursor): boolean {
  const byte = cursor.take(1).getUint8(0)
  if (byte > 1) throw new GgufError('malformed', `a truth value of ${byte}`)
  return byte === 1
}

function readArray(cursor: Cursor, nesting: number): GgufValue[] {
  if (nesting >= MOST_NESTING) throw new GgufError('malformed', `arrays nested more than ${MOST_NESTING} deep`)
  const type = cursor.u32()
  const least = LEAST_BYTES[type]
  if (least === undefined) throw new GgufError('malformed', `an array of the unknown type ${type}`)
  const length = cursor.count(MOST_ITEMS, 'array items')
  cursor.need(length * least)
  const items: GgufValue[] = []
  for (let at = 0; at < length; at++) items.push(readValue(cursor, type, nesting + 1))
  return items
}

const small = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

/** A place in the file that never passes its end. */
class Cursor {
  at = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly fileBytes: number

  constructor(bytes: Uint8Array, fileBytes: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.fileBytes = fileBytes
  }

  /** Throws unless so many bytes follow. */
  need(size: number): void {
    const end = this.at + size
    if (end <= this.bytes.length) return
    if (end > this.fileBytes)
      throw new GgufError('truncated', `ends after ${this.fileBytes} of at least ${end} bytes`, end)
    throw new GgufError('needs_more', `the header goes on: read at least ${end} bytes`, end)
  }

  take(size: number): DataView {
    this.need(size)
    this.at += size
    return new DataView(this.view.buffer, this.view.byteOffset + this.at - size, size)
  }

  u32(): number {
    return this.take(4).getUint32(0, true)
  }

  safe64(): number {
    const value = this.take(8).getBigUint64(0, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufError('malformed', `the length ${value}`)
    return Number(value)
  }

  count(most: number, what: string): number {
    const value = this.safe64()
    if (value > most) throw new GgufError('malformed', `${value} ${what}, more than ${most}`)
    return value
  }

  string(): string {
    const length = this.count(MOST_STRING, 'bytes in one string')
    this.need(length)
    this.at += length
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes.subarray(this.at - length, this.at))
  }
}

/** The values of one tensor, for types F32 and F16. `file` is the whole file. */
export function readTensorData(file: Uint8Array, header: GgufHeader, tensor: GgufTensor): Tensor {
  const values = tensor.dimensions.reduce((product, size) => product * size, 1)
  const from = header.dataOffset + tensor.offset
  if (tensor.bytes === undefined || tensor.type > 1)
    throw new RangeError(`cannot read tensors of type ${tensor.typeName}`)
  if (from + tensor.bytes > file.length)
    throw new GgufError(
      'truncated',
      `ends after ${file.length} bytes, inside tensor ${tensor.name}`,
      from + tensor.bytes,
    )
  const view = new DataView(file.buffer, file.byteOffset + from, tensor.bytes)
  const read =
    tensor.type === 0
      ? (at: number) => view.getFloat32(4 * at, true)
      : (at: number) => fromHalf(view.getUint16(2 * at, true))
  return { shape: [...tensor.dimensions].reverse(), data: Float32Array.from({ length: values }, (_, at) => read(at)) }
}
