/** Writes GGUF v3 files; the format is told in gguf.ts. */
import { ALIGNMENT, aligned, VALUE_TYPE } from './gguf.ts'
import { toHalf } from './half.ts'
import type { Weights } from './train.ts'

/** A typed metadata pair to write; integers are u32, numbers f32. */
export type GgufPair =
  | readonly [key: string, type: 'string', value: string]
  | readonly [key: string, type: 'u32' | 'f32', value: number]
  | readonly [key: string, type: 'bool', value: boolean]
  | readonly [key: string, type: 'strings', value: readonly string[]]
  | readonly [key: string, type: 'f32s' | 'i32s', value: readonly number[]]

/** Writes a model: matrices as F16, vectors (gains of norms) as F32, because the engine multiplies those in F32. */
export function writeGguf(pairs: readonly GgufPair[], weights: Weights): Uint8Array {
  const out = new Writer()
  out.raw(new TextEncoder().encode('GGUF'))
  out.u32(3)
  out.u64(Object.keys(weights).length)
  out.u64(pairs.length)
  for (const pair of pairs) writePair(out, pair)
  let offset = 0
  for (const [name, { shape, data }] of Object.entries(weights)) {
    out.string(name)
    out.u32(shape.length)
    for (const size of [...shape].reverse()) out.u64(size)
    out.u32(shape.length > 1 ? 1 : 0)
    out.u64(offset)
    offset = aligned(offset + data.length * (shape.length > 1 ? 2 : 4), ALIGNMENT)
  }
  out.align(ALIGNMENT)
  for (const { shape, data } of Object.values(weights)) {
    for (const value of data) shape.length > 1 ? out.u16(toHalf(value)) : out.f32(value)
    out.align(ALIGNMENT)
  }
  return out.done()
}

function writePair(out: Writer, [key, type, value]: GgufPair): void {
  out.string(key)
  const array = (item: number, length: number): void => {
    out.u32(VALUE_TYPE.array)
    out.u32(item)
    out.u64(length)
  }
  switch (type) {
    case 'string':
      out.u32(VALUE_TYPE.string)
      return out.string(value)
    case 'u32':
      out.u32(VALUE_TYPE.u32)
      return out.u32(value)
    case 'f32':
      out.u32(VALUE_TYPE.f32)
      return out.f32(value)
    case 'bool':
      out.u32(VALUE_TYPE.bool)
      return out.raw(Uint8Array.of(value ? 1 : 0))
    case 'strings':
      array(VALUE_TYPE.string, value.length)
      return value.forEach((item) => {
        out.string(item)
      })
    case 'f32s':
      array(VALUE_TYPE.f32, value.length)
      return value.forEach((item) => {
        out.f32(item)
      })
    case 'i32s':
      array(5, value.length)
      return value.forEach((item) => {
        out.u32(item)
      })
  }
}

/** Bytes that grow. */
class Writer {
  private bytes = new Uint8Array(1 << 16)
  private view = new DataView(this.bytes.buffer)
  private at = 0

  private room(size: number): number {
    if (this.at + size > this.bytes.length) {
      const larger = new Uint8Array(2 * (this.at + size))
      larger.set(this.bytes)
      this.bytes = larger
      this.view = new DataView(larger.buffer)
    }
    this.at += size
    return this.at - size
  }
  raw(bytes: Uint8Array): void {
    const at = this.room(bytes.length)
    this.bytes.set(bytes, at)
  }
  u16(value: number): void {
    const at = this.room(2)
    this.view.setUint16(at, value, true)
  }
  u32(value: number): void {
    const at = this.room(4)
    this.view.setUint32(at, value, true)
  }
  u64(value: number): void {
    const at = this.room(8)
    this.view.setBigUint64(at, BigInt(value), true)
  }
  f32(value: number): void {
    const at = this.room(4)
    this.view.setFloat32(at, value, true)
  }
  string(text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.u64(bytes.length)
    this.raw(bytes)
  }
  align(alignment: number): void {
    this.room(aligned(this.at, alignment) - this.at)
  }
  done(): Uint8Array {
    return this.bytes.slice(0, this.at)
  }
}
