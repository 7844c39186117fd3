/** One line from a gateway, parsed once: after this the host holds a command that makes sense, or words for why not. */
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { EngineCommand } from './protocol.ts'

export type GenerateCommand = Extract<EngineCommand, { do: 'generate' }>
export type CountCommand = Extract<EngineCommand, { do: 'count' }>
export type EmbedCommand = Extract<EngineCommand, { do: 'embed' }>

export type Parsed =
  | { readonly kind: 'command'; readonly command: EngineCommand }
  /** `id` is the attempt's, when the line named one; else empty. */
  | { readonly kind: 'refused'; readonly id: string; readonly message: string }

/** A schema of 5000 parts makes less; llama.cpp keeps all of it in memory for each stream. */
const LONGEST_GRAMMAR = 2 * 1024 * 1024

/** Ids and names go into every log line and report. */
const Name = Type.String({ minLength: 1, maxLength: 256 })

/** Bounds are what llama.cpp takes without turning it into something else, plus room for what SDKs send (`top_k: -1` = off). */
const Sampling = Type.Object({
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  top_k: Type.Optional(Type.Integer({ minimum: -1, maximum: 1_000_000 })),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  seed: Type.Optional(Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })),
  presence_penalty: Type.Optional(Type.Number({ minimum: -100, maximum: 100 })),
  frequency_penalty: Type.Optional(Type.Number({ minimum: -100, maximum: 100 })),
  // As many as OpenAI's documentation shows at most; each is looked at in every step.
  logit_bias: Type.Optional(
    Type.Record(Type.String({ pattern: '^[0-9]{1,9}$' }), Type.Number({ minimum: -100, maximum: 100 }), {
      maxProperties: 1024,
    }),
  ),
})

/** Template code may put a role beside its special tokens, so a role is a word and nothing else. */
const Message = Type.Object({
  role: Type.String({ pattern: '^[A-Za-z_]{1,32}$' }),
  content: Type.String(),
  tool_calls: Type.Optional(
    Type.Array(Type.Object({ id: Type.String(), name: Type.String(), arguments: Type.String() }), { maxItems: 128 }),
  ),
  tool_call_id: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
})

const Messages = Type.Array(Message, { minItems: 1, maxItems: 10_000 })

const ToolName = Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,128}$' })
const Tools = Type.Object({
  specs: Type.Array(
    Type.Object({
      name: ToolName,
      description: Type.Optional(Type.String()),
      parameters: Type.Optional(Type.Unknown()),
      strict: Type.Optional(Type.Boolean()),
    }),
    { minItems: 1, maxItems: 128 },
  ),
  choice: Type.Union([Type.Literal('auto'), Type.Literal('required'), Type.Object({ name: ToolName })]),
  parallel: Type.Boolean(),
})

const Command = Type.Union([
  Type.Object({
    do: Type.Literal('generate'),
    id: Name,
    model: Name,
    messages: Type.Optional(Messages),
    text: Type.Optional(Type.String()),
    max_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
    // Every shown character is compared with every stop string: 16 of 512 characters cost nothing beside a step.
    stop: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 16 })),
    sampling: Sampling,
    tools: Type.Optional(Tools),
    grammar: Type.Optional(Type.String({ maxLength: LONGEST_GRAMMAR })),
    alternatives: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })),
    thinking: Type.Optional(Type.Literal(false)),
  }),
  Type.Object({
    do: Type.Literal('embed'),
    id: Name,
    model: Name,
    inputs: Type.Array(Type.Union([Type.String(), Type.Array(Type.Integer({ minimum: 0 }))]), {
      minItems: 1,
      maxItems: 2048, // OpenAI's own bound
    }),
    dimensions: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  Type.Object({
    do: Type.Literal('count'),
    id: Name,
    model: Name,
    messages: Messages,
    tools: Type.Optional(Tools),
    thinking: Type.Optional(Type.Literal(false)),
  }),
  Type.Object({ do: Type.Literal('cancel'), id: Name }),
  Type.Object({
    do: Type.Literal('load'),
    model: Name,
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
  }),
  Type.Object({ do: Type.Literal('unload'), model: Name }),
  Type.Object({ do: Type.Literal('remove'), model: Name }),
  Type.Object({ do: Type.Literal('status') }),
])

/** One schema per word, so that an error speaks of the command that was meant and not of five that were not. */
const checks = new Map(Command.anyOf.map((schema) => [schema.properties.do.const as string, Compile(schema)]))

export function parseCommand(line: string): Parsed {
  const value = json(line)
  if (value === undefined) return { kind: 'refused', id: '', message: 'not a JSON object' }

  const id = typeof value.id === 'string' ? value.id.slice(0, 256) : ''
  const check = typeof value.do === 'string' ? checks.get(value.do) : undefined
  if (!check) return { kind: 'refused', id, message: `unknown "do": ${String(value.do).slice(0, 40)}` }

  const [wrong] = check.Check(value) ? [] : check.Errors(value)
  if (wrong) return { kind: 'refused', id, message: `${wrong.instancePath || 'command'} ${wrong.message}` }

  const command: Static<typeof Command> = value as Static<typeof Command>
  if (command.do === 'generate' && (command.messages === undefined) === (command.text === undefined))
    return { kind: 'refused', id, message: 'give exactly one of "messages" and "text"' }
  return { kind: 'command', command: command as EngineCommand }
}

function json(line: string): { readonly [key: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
