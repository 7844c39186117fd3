/**
 * A request to prompt tokens, so that text in messages cannot become a special token.
 *
 * The rendered template must be read with special tokens parsed: that is what `<|im_start|>` in it is for. If a message has
 * the text of none, the whole is tokenised at once, exactly as the model was trained. If one has, the template is rendered
 * again with a placeholder for every message, and cut there: the template's parts are parsed for special tokens, the messages
 * are tokenised as plain text. Then a token may differ at a border, and a template that trims a message does not; only prompts
 * that look like an attack pay that. (A message that *is changed* by its template into a special text, by `upper` say, is
 * not caught: no template does that.) Roles are words, see `commands.ts`.
 *
 * `text` is the raw prompt of somebody who writes the template himself: there special tokens are parsed everywhere.
 */
import type { ChatMessage, Tools } from './protocol.ts'
import type { EngineModel } from './sequence.ts'
import type { RenderChat } from './template.ts'

/** Messages of a chat with its tools, or raw text. */
export interface Prompting {
  readonly messages?: readonly ChatMessage[]
  readonly tools?: Tools
  readonly text?: string
  readonly thinking?: false
}

export type Prompt =
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] }
  | { readonly kind: 'refused'; readonly fault: 'bad_request' | 'context_length'; readonly message: string }

/** Hardly any token is longer: text of more bytes than this per token cannot fit and is not worth a second of tokenising. */
export const LONGEST_TOKEN = 256

export function promptOf(model: EngineModel, render: RenderChat, command: Prompting): Prompt {
  const messages = command.messages ?? []
  const tools = command.tools?.specs
  const rendered =
    command.text === undefined
      ? render(messages, tools, command.thinking)
      : ({ kind: 'text', text: command.text } as const)
  if (rendered.kind === 'refused') return { kind: 'refused', fault: 'bad_request', message: rendered.message }

  const least = Math.ceil(rendered.text.length / LONGEST_TOKEN)
  if (least >= model.contextLength) return tooLong(`at least ${least}`, model)

  const special = (text: string): boolean => model.specialTexts.some((one) => text.includes(one))
  if (messages.some((message) => special(callTexts(message))) || special(JSON.stringify(tools ?? '')))
    return {
      kind: 'refused',
      fault: 'bad_request',
      message: 'tools and tool calls may not hold texts that are special to the model, such as its end of a turn',
    }
  const body = messages.some(({ content }) => special(content))
    ? apart(model, render, command)
    : model.tokenise(rendered.text, 'whole')
  const tokens = model.begin === undefined || body[0] === model.begin ? body : [model.begin, ...body]

  if (tokens.length === 0) return { kind: 'refused', fault: 'bad_request', message: 'the prompt is empty' }
  if (tokens.length >= model.contextLength) return tooLong(String(tokens.length), model)
  return { kind: 'tokens', tokens }
}

/** Template and messages tokenised apart. The private-use marks survive trimming and never meet a message: none is rendered. */
function apart(model: EngineModel, render: RenderChat, command: Prompting): readonly number[] {
  const { messages = [], tools, thinking } = command
  const marks = messages.map((message, at) => ({ ...message, content: `\ue000${at}\ue001` }))
  const marked = render(marks, tools?.specs, thinking)
  if (marked.kind === 'refused') return []
  return marked.text.split(/\ue000(\d+)\ue001/).flatMap((part, at) => {
    if (at % 2 === 0) return model.tokenise(part, at === 0 ? 'whole' : 'special')
    return model.tokenise(messages[Number(part)]?.content ?? '', 'plain')
  })
}

/** What a message holds beside its content. */
const callTexts = ({ tool_calls = [], tool_call_id = '', name = '' }: ChatMessage): string =>
  [...tool_calls.flatMap((call) => [call.id, call.name, call.arguments]), tool_call_id, name].join('\n')

const tooLong = (tokens: string, model: EngineModel): Prompt => ({
  kind: 'refused',
  fault: 'context_length',
  message: `the prompt has ${tokens} tokens; the context holds ${model.contextLength}, at least one of them for the answer`,
})
