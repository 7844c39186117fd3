import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import { CallItem } from './call-item.ts'
import { MessageItem } from './message-item.ts'
import { ReasoningItem } from './reasoning-item.ts'
import type { ItemStatus, Likelihood, OutputItem, ResponseEvent, WireResponse } from './wire.ts'

type Item = MessageItem | ReasoningItem | CallItem

export interface OutputOptions {
  /** Stands in the ids of its items: `msg_<key>_<n>`. */
  readonly key: string
  /** The client asked for a summary of the reasoning. */
  readonly asSummary: boolean
}

/** How an answer ended, in the words of Responses. */
export type OutputEnd = Pick<WireResponse, 'incomplete_details'> & {
  readonly status: 'completed' | 'incomplete'
  readonly events: readonly ResponseEvent[]
}

/**
 * The chunks of a chat answer → the items of a response and the events that tell of them. A whole answer is one large
 * chunk, so that streamed or not the items are the same.
 *
 * Text and reasoning take turns: when one begins, the other's item is done. Calls may come interleaved, and stay open to
 * the end.
 */
export class ResponseOutput {
  readonly #options: OutputOptions
  readonly #items: Item[] = []
  readonly #calls = new Map<number, CallItem>()
  readonly #done = new Map<Item, ItemStatus>()
  #talking: MessageItem | ReasoningItem | undefined
  #finish: unknown
  /** Characters that are held until the end. */
  size = 0

  constructor(options: OutputOptions) {
    this.#options = options
  }

  /** The items as they are now; `open`: what those are that are not done. */
  items(open: ItemStatus = 'in_progress'): OutputItem[] {
    return this.#items.map((item) => item.value(this.#done.get(item) ?? open))
  }

  take(chunk: JsonObject): ResponseEvent[] {
    const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isObject) : []
    return choices.filter(({ index }) => (index ?? 0) === 0).flatMap((choice) => this.#choice(choice))
  }

  /** All that is open is done; what was cut short says so. */
  end(): OutputEnd {
    const incomplete_details = cutShort(this.#finish)
    const status = incomplete_details ? 'incomplete' : 'completed'
    const open = this.#items.filter((item) => !this.#done.has(item))
    const events = open.flatMap((item) => this.#close(item, item === this.#items.at(-1) ? status : 'completed'))
    return { status, incomplete_details, events }
  }

  #choice({ delta, message, logprobs, finish_reason }: JsonObject): ResponseEvent[] {
    this.#finish = finish_reason ?? this.#finish
    const told = isObject(delta) ? delta : message
    if (!isObject(told)) return []
    const [thought, said] = [reasoningIn(told), textIn(told.content)]
    const refusal = typeof told.refusal === 'string' ? told.refusal : ''
    const likelihoods = likelihoodsIn(logprobs)
    this.size += thought.length + said.length + refusal.length + likelihoods.length * likelihoodBytes
    return [
      ...(thought === '' ? [] : this.#reasoning((item) => item.text(thought))),
      ...(said === '' && likelihoods.length === 0 ? [] : this.#message((item) => item.text(said, likelihoods))),
      ...(refusal === '' ? [] : this.#message((item) => item.refusal(refusal))),
      ...callsIn(told.tool_calls).flatMap((call) => this.#call(call)),
    ]
  }

  #reasoning(tell: (item: ReasoningItem) => ResponseEvent[]): ResponseEvent[] {
    if (this.#talking instanceof ReasoningItem) return tell(this.#talking)
    const { asSummary } = this.#options
    const item = new ReasoningItem(this.#items.length, this.#id('rs'), asSummary)
    return [...this.#next(item), ...tell(item)]
  }

  #message(tell: (item: MessageItem) => ResponseEvent[]): ResponseEvent[] {
    if (this.#talking instanceof MessageItem) return tell(this.#talking)
    const item = new MessageItem(this.#items.length, this.#id('msg'))
    return [...this.#next(item), ...tell(item)]
  }

  /** Nothing is said after it without a new item. */
  #next(item: MessageItem | ReasoningItem): ResponseEvent[] {
    const silenced = this.#silence()
    this.#talking = item
    this.#items.push(item)
    return [...silenced, ...item.opened()]
  }

  #silence(): ResponseEvent[] {
    const item = this.#talking
    if (!item) return []
    this.#talking = undefined
    return this.#close(item, 'completed')
  }

  #close(item: Item, status: ItemStatus): ResponseEvent[] {
    this.#done.set(item, status)
    return item.closed(status)
  }

  #call({ index, id, name, text }: Call): ResponseEvent[] {
    this.size += text.length
    const known = this.#calls.get(index)
    if (known) return text === '' ? [] : known.text(text)
    const silenced = this.#silence()
    const call = id === '' ? this.#id('call') : id
    const item = new CallItem(this.#items.length, this.#id('fc'), call, name)
    this.#calls.set(index, item)
    this.#items.push(item)
    return [...silenced, ...item.opened(), ...(text === '' ? [] : item.text(text))]
  }

  #id(of: string): string {
    return `${of}_${this.#options.key}_${this.#items.length}`
  }
}

/** A token with twenty alternatives. */
const likelihoodBytes = 2048

function cutShort(finish: unknown): WireResponse['incomplete_details'] {
  if (finish === 'length') return { reason: 'max_output_tokens' }
  return finish === 'content_filter' ? { reason: 'content_filter' } : null
}

/** DeepSeek's name and the one of OpenRouter, Groq and newer vLLM; an engine that says both says the same twice. */
function reasoningIn({ reasoning_content, reasoning }: JsonObject): string {
  if (typeof reasoning_content === 'string') return reasoning_content
  return typeof reasoning === 'string' ? reasoning : ''
}

/** Some engines write parts where others write a string. */
function textIn(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('')
}

function likelihoodsIn(logprobs: unknown): Likelihood[] {
  const content = isObject(logprobs) && Array.isArray(logprobs.content) ? logprobs.content : []
  return content.filter(isObject).map((one) => ({
    ...likelihood(one),
    top_logprobs: (Array.isArray(one.top_logprobs) ? one.top_logprobs : []).filter(isObject).map(likelihood),
  }))
}

const likelihood = ({ token, bytes, logprob }: JsonObject) => ({
  token: typeof token === 'string' ? token : '',
  bytes: Array.isArray(bytes) ? (bytes as readonly number[]) : [],
  logprob: typeof logprob === 'number' ? logprob : 0,
})

interface Call {
  readonly index: number
  readonly id: string
  readonly name: string
  readonly text: string
}

/** In a whole answer calls have no index: it is their place. */
function callsIn(calls: unknown): Call[] {
  return (Array.isArray(calls) ? calls.filter(isObject) : []).map((call, place) => {
    const called: JsonObject = isObject(call.function) ? call.function : {}
    const text = (value: unknown): string => (typeof value === 'string' ? value : '')
    return {
      index: typeof call.index === 'number' ? call.index : place,
      id: text(call.id),
      name: text(called.name),
      text: text(called.arguments),
    }
  })
}
