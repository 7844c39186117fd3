import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Row } from '../../books/row.ts'
import { outcomes } from '../../books/row.ts'

/**
 * The shape of a journal row. A row whose hash is right was written by a gateway of ours, but perhaps of another version:
 * what does not have this shape is shown and not booked, since guessing would make wrong numbers.
 */
const name = Type.String({ minLength: 1, maxLength: 400 })
const time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** No request makes a billion tokens; with the highest price a charge stays far below 2^63. */
const count = Type.Union([
  Type.Null(),
  Type.Object({
    tokens: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
    source: Type.Union([
      Type.Literal('engine'),
      Type.Literal('provider'),
      Type.Literal('counted'),
      Type.Literal('estimated'),
    ]),
  }),
])
const asked = {
  id: name,
  tenant: name,
  application: name,
  key: name,
  model: name,
  price_version: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  snapshot: time,
  at_ms: time,
}
const usage = Type.Object({
  input_uncached: count,
  cache_read: count,
  cache_write: count,
  output_visible: count,
  reasoning: count,
})
/** What was expected, not what is booked: whole nano-dollars. */
const expected = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000_000 })
const costParts = Type.Object({
  prefill: expected,
  decode: expected,
  eviction: expected,
  waiting: expected,
  behind: expected,
  late: expected,
})
const choice = Type.Object({
  of: Type.Integer({ minimum: 2 }),
  nano_usd: costParts,
  next: Type.Object({ replica: name, nano_usd: costParts }),
})
const attempt = Type.Object({
  number: Type.Integer({ minimum: 1, maximum: 1000 }),
  replica: name,
  site: Type.Optional(name),
  usage,
  unbilled: Type.Optional(usage),
  hedge: Type.Optional(Type.Object({ after_ms: time, expected_ms: time })),
  choice: Type.Optional(choice),
  lost: Type.Optional(Type.Literal(true)),
})

const shape = Compile(
  Type.Union([
    Type.Object({ ...asked, kind: Type.Literal('open'), reserved_tokens: Type.Number({ minimum: 0 }) }),
    Type.Object({
      ...asked,
      kind: Type.Literal('close'),
      closed_ms: time,
      queued_ms: Type.Number(),
      ttft_ms: Type.Union([Type.Number(), Type.Null()]),
      stream: Type.Boolean(),
      outcome: Type.Union(outcomes.map((outcome) => Type.Literal(outcome))),
      attempts: Type.Array(attempt, { maxItems: 1000 }),
      cached: Type.Optional(Type.Object({ from: name, site: Type.Optional(name), usage })),
    }),
  ]),
)

/** `undefined` when the text is no row of this version. */
export function parseRow(body: string): Row | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return shape.Check(value) ? (value as unknown as Row) : undefined
  } catch {
    return undefined
  }
}
