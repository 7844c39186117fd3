/** Safetensors: u64 length of a JSON header, the header padded with spaces to 8 bytes, then the tensors one after another. */
import type { Tensor, Weights } from './train.ts'

/** Writes float32 tensors in the order given. */
export function writeSafetensors(weights: Weights, metadata: Readonly<Record<string, string>>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let size = 0
  for (const [name, { shape, data }] of Object.entries(weights)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [size, size + data.byteLength] }
    size += data.byteLength
  }
  const json = JSON.stringify(header)
  const length = new TextEncoder().encode(json).length
  const text = new TextEncoder().encode(json + ' '.repeat((8 - (length % 8)) % 8))
  const file = new Uint8Array(8 + text.length + size)
  const view = new DataView(file.buffer)
  view.setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  let at = 8 + text.length
  for (const { data } of Object.values(weights)) {
    for (const value of data) {
      view.setFloat32(at, value, true)
      at += 4
    }
  }
  return file
}

/** Reads float32 tensors and the metadata; throws `RangeError` when the file is cut off or something else. */
export function readSafetensors(file: Uint8Array): {
  readonly weights: Weights
  readonly metadata: Readonly<Record<string, string>>
} {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const length = file.length < 8 ? Number.NaN : Number(view.getBigUint64(0, true))
  if (!(length <= file.length - 8)) throw new RangeError('the file ends within its header')
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<string, Entry>
  const { __metadata__: metadata = {}, ...entries } = header
  const weights: Record<string, Tensor> = {}
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const [from, to] = [data_offsets[0] + 8 + length, data_offsets[1] + 8 + length]
    if (dtype !== 'F32' || to > file.length) throw new RangeError(`the tensor ${name} is not whole`)
    const data = Float32Array.from({ length: (to - from) / 4 }, (_, at) => view.getFloat32(from + 4 * at, true))
    weights[name] = { shape, data }
  }
  return { weights, metadata: metadata as unknown as Readonly<Record<string, string>> }
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}
