import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Word } from '../../lines/inference/peers.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'

const name = Type.String({ minLength: 1, maxLength: 400 })
const count = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** A word between processes: loads as rows, blocks as base64 of 32-bit numbers, at half the size and a tenth of the parsing. */
const WireWord = Type.Object({
  from: name,
  /** Replica, running, prefilling, decoding, held. */
  loads: Type.Array(Type.Tuple([name, count, count, count, count])),
  /** Replica, tokens in a block, blocks. */
  sent: Type.Array(Type.Tuple([name, count, Type.String()])),
})

export type WireWord = Type.Static<typeof WireWord>

const shape = Compile(WireWord)

export const wordOut = (from: string, { loads, sent }: Word): WireWord => ({
  from,
  loads: [...loads].map(([replica, of]) => [replica, of.running, of.prefilling, of.decoding, of.held]),
  sent: sent.map(({ replica, blocks, tokens }) => [replica, tokens, packed(blocks)]),
})

/** Undefined: it is no word of ours, or of another version. */
export function wordIn(value: unknown): { readonly from: string; readonly word: Word } | undefined {
  if (!shape.Check(value)) return undefined
  const loads = value.loads.map(
    ([replica, running, prefilling, decoding, held]) =>
      [id<ReplicaId>(replica), { running, prefilling, decoding, held }] as const,
  )
  const sent = value.sent.map(([replica, tokens, blocks]) => ({
    replica: id<ReplicaId>(replica),
    tokens,
    blocks: unpacked(blocks),
  }))
  return { from: value.from, word: { loads: new Map(loads), sent } }
}

const packed = (blocks: ArrayLike<number>): string => Buffer.from(Uint32Array.from(blocks).buffer).toString('base64')

function unpacked(text: string): Uint32Array {
  const bytes = Buffer.from(text, 'base64')
  return new Uint32Array(Uint8Array.from(bytes).buffer, 0, bytes.length >> 2)
}
