import type { Usage } from '../../books/usage.ts'
import { inputTokens, usageFrom } from '../../books/usage.ts'
import { usageOf } from '../../lines/inference/wire-usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Tokens } from '../../units/quantity.ts'
import { inputsOf } from './embeddings-input.ts'
import type { Piece } from './engine.ts'
import type { ApiRequest } from './request.ts'
import type { Embedding, Embeddings } from './wire.ts'

/** What the engine host is asked for. */
export function embeddedInputs({ body }: ApiRequest): {
  readonly inputs: readonly (string | readonly number[])[]
  readonly dimensions?: number
} {
  const inputs = inputsOf(body.input) as readonly (string | readonly number[])[]
  return { inputs, ...(typeof body.dimensions === 'number' && { dimensions: body.dimensions }) }
}

/** What an upstream's vectors used: a text goes in and no token comes out. */
export function usageOfVectors(body: JsonObject, promptEstimate: Tokens): Usage {
  const told = usageOf(isObject(body.usage) ? { ...body.usage, completion_tokens: 0 } : undefined)
  if (told?.input_uncached) return told
  return usageFrom('estimated', { input_uncached: promptEstimate, output_visible: 0 })
}

/** Vectors of our own engine or an upstream's → one answer, each in the encoding that was asked for, whoever made it. */
export function embeddingsReply(request: ApiRequest, pieces: readonly Piece[], usage: Usage): Embeddings | JsonObject {
  const encode = request.body.encoding_format === 'base64' ? asBase64 : asFloats
  const foreign = pieces.find((piece) => piece.kind === 'whole')?.body
  const prompt_tokens = inputTokens(usage)
  const frame = {
    object: 'list',
    model: request.model,
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  } as const
  if (!foreign) return { ...frame, data: pieces.flatMap((piece) => vectorIn(piece, request)) }
  const data = (foreign.data as readonly unknown[]).map((one) =>
    isObject(one) ? { ...one, embedding: encode(one.embedding) } : one,
  )
  return { ...foreign, ...frame, data }
}

const vectorIn = (piece: Piece, { body }: ApiRequest): Embedding[] =>
  piece.kind === 'vector'
    ? [
        {
          object: 'embedding',
          index: piece.index,
          embedding: body.encoding_format === 'base64' ? piece.data : floatsOf(piece.data),
        },
      ]
    : []

const asFloats = (vector: unknown): unknown => (typeof vector === 'string' ? floatsOf(vector) : vector)

function floatsOf(vector: string): number[] {
  const bytes = Buffer.from(vector, 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readFloatLE(at * 4))
}

function asBase64(vector: unknown): unknown {
  if (!Array.isArray(vector)) return vector
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(Number(value), at * 4)
  return bytes.toString('base64')
}
