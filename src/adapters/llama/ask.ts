/** What a command asks of a model → what the batcher works on, or why this model cannot. */
import { randomBytes } from 'node:crypto'
import type { EmbedCommand, GenerateCommand } from './commands.ts'
import { LONGEST_TOKEN, promptOf } from './prompt.ts'
import type { EngineFailure } from './protocol.ts'
import { strangeBias } from './sampling.ts'
import type { EmbeddingModel, EngineModel } from './sequence.ts'
import type { Ask, Calling } from './stream.ts'
import type { RenderChat } from './template.ts'
import { ToolCalls } from './tools/calls.ts'
import { callGrammar, type ToolFormat, toolFormat } from './tools/format.ts'

export interface Refused {
  readonly kind: 'refused'
  readonly fault: EngineFailure
  readonly message: string
}

const refused = (fault: EngineFailure, message: string): Refused => ({ kind: 'refused', fault, message })

export function askOf(
  model: EngineModel,
  render: RenderChat,
  command: GenerateCommand,
): Refused | { readonly kind: 'ask'; readonly ask: Ask } {
  const strange = strangeBias(model, command.sampling)
  if (strange) return refused('bad_request', strange)
  const calling = callingOf(model, command)
  if (calling.kind === 'refused') return calling
  const prompt = promptOf(model, render, command)
  if (prompt.kind === 'refused') return prompt

  const left = model.contextLength - prompt.tokens.length
  return {
    kind: 'ask',
    ask: {
      id: command.id,
      model: command.model,
      prompt: prompt.tokens,
      choosing: {
        sampling: command.sampling,
        grammar: calling.whole ?? command.grammar,
        alternatives: command.alternatives,
      },
      stops: command.stop ?? [],
      calling: calling.calling,
      most: Math.min(command.max_tokens ?? left, left),
    },
  }
}

/** All that one answer may hold: what a gateway keeps of an answer in one piece. */
const MOST_BYTES = 32 * 1024 * 1024

/** OpenAI's own bound: what is tokenised at once keeps the engine's other work waiting. */
const MOST_TOKENS = 300_000

/** The texts to make vectors of, as tokens; or why they cannot be made. */
export function embeddingOf(
  model: EmbeddingModel,
  { inputs, dimensions }: EmbedCommand,
): Refused | { readonly kind: 'inputs'; readonly inputs: readonly (readonly number[])[] } {
  if (dimensions !== undefined && dimensions !== model.dimensions)
    return refused('unsupported', `this model makes vectors of ${model.dimensions} dimensions, not of ${dimensions}`)
  if (inputs.length * model.dimensions * 4 > MOST_BYTES)
    return refused('bad_request', `so many vectors of ${model.dimensions} dimensions are more than ${MOST_BYTES} bytes`)
  const tokens: (readonly number[])[] = []
  let all = 0
  for (const [index, input] of inputs.entries()) {
    if (typeof input === 'string' && input.length / LONGEST_TOKEN > model.contextLength)
      return refused('context_length', `input ${index} is far too long; ${holds(model)}`)
    const list = typeof input === 'string' ? model.tokenise(input) : input
    const strange = list.find((token) => token >= model.vocabulary)
    if (strange !== undefined) return refused('bad_request', `input ${index}: the model has no token ${strange}`)
    const size = model.size(list)
    if (size > model.contextLength)
      return refused('context_length', `input ${index} has ${size} tokens; ${holds(model)}`)
    tokens.push(list)
    all += size
    if (all > MOST_TOKENS) return refused('bad_request', `more than ${MOST_TOKENS} tokens in one request`)
  }
  return { kind: 'inputs', inputs: tokens }
}

const holds = ({ contextLength }: EmbeddingModel): string => `the model takes ${contextLength} of a text`

interface Found {
  readonly kind: 'calling'
  readonly calling: Calling | undefined
  /** The whole answer is calls, and keeps to this. */
  readonly whole: string | undefined
}

function callingOf({ template }: EngineModel, { messages = [], tools, grammar }: GenerateCommand): Refused | Found {
  const spoken = messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls !== undefined)
  if (spoken && !/\btool/.test(template ?? ''))
    return refused('unsupported', "this model's chat template has no messages of tools")
  if (!tools) return { kind: 'calling', calling: undefined, whole: undefined }
  const format = toolFormat(template)
  if (!format)
    return refused('unsupported', "this model's chat template has no tools, or has them in a way that is not read here")
  if (grammar !== undefined)
    return refused('unsupported', 'tools together with a response format are not supported by the embedded engine')
  const { specs, choice, parallel } = tools
  const parser = new ToolCalls(format, new Set(specs.map(({ name }) => name)), () => newId(format))
  if (choice !== 'auto') {
    const named = choice === 'required' ? specs : specs.filter(({ name }) => name === choice.name)
    const many = parallel && choice === 'required'
    const whole = callGrammar(format, named, { after: 'nothing', many })
    return { kind: 'calling', calling: { parser, grammar: undefined, parallel }, whole }
  }
  if (format.open === '' && specs.some(({ strict }) => strict))
    return refused(
      'unsupported',
      '"strict" of a function is not supported by this model unless "tool_choice" is required',
    )
  const within = format.open === '' ? undefined : callGrammar(format, specs, { after: 'open', many: parallel })
  return { kind: 'calling', calling: { parser, grammar: within, parallel }, whole: undefined }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

const newId = ({ id }: ToolFormat): string =>
  id.prefix + [...randomBytes(id.length)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
