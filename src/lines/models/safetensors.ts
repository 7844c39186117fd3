/** Safetensors: u64 length of a JSON header, the header padded with spaces to 8 bytes, then the tensors one after another. */
import type { Weights } from './train.ts'

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
