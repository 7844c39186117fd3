/** What a command asks of a model → what the batcher works on, or why this model cannot. */
import { randomBytes } from 'node:crypto'
import type { GenerateCommand } from './commands.ts'
import { promptOf } from './prompt.ts'
import type { EngineFailure } from './protocol.ts'
import { strangeBias } from './sampling.ts'
import type { EngineModel } from './sequence.ts'
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
