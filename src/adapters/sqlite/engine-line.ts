import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { EngineLogLine } from '../llama/protocol.ts'

/** The shape of an engine log's line. What does not have it is put aside, never guessed. */
const id = Type.String({ minLength: 1, maxLength: 400 })
const time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const model = Type.String({ minLength: 1, maxLength: 400 })
const tokens = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })

const shape = Compile(
  Type.Union([
    Type.Object({
      log: Type.Literal('step'),
      at_ms: time,
      took_us: Type.Number(),
      cpu_us: Type.Optional(Type.Number()),
      model: Type.Optional(model),
      made: Type.Array(Type.Union([Type.Tuple([id, tokens]), Type.Tuple([id, tokens, tokens, tokens])])),
    }),
    Type.Object({
      log: Type.Literal('begin'),
      at_ms: time,
      id,
      model,
      input_uncached: tokens,
      cache_read: tokens,
      prompt_in_steps: Type.Optional(Type.Literal(true)),
    }),
    Type.Object({
      log: Type.Literal('end'),
      at_ms: time,
      id,
      why: Type.Union(['stop', 'length', 'cancelled', 'fail'].map((why) => Type.Literal(why))),
      count: Type.Object({ input_uncached: tokens, cache_read: tokens, output: tokens }),
    }),
    Type.Object({ log: Type.Literal('host'), incarnation: id, pid: Type.Integer(), at_ms: time }),
    Type.Object({ log: Type.Literal('close'), at_ms: time }),
  ]),
)

export function parseEngineLine(text: string): EngineLogLine | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return shape.Check(value) ? (value as EngineLogLine) : undefined
  } catch {
    return undefined
  }
}
