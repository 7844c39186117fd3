import type { ItemStatus, Likelihood, OutputMessage, OutputRefusal, OutputText, ResponseEvent } from './wire.ts'

type Part =
  | { readonly type: 'output_text'; text: string; readonly logprobs: Likelihood[] }
  | { readonly type: 'refusal'; text: string }

/** A message under way: parts of text and of refusal, one after the other. */
export class MessageItem {
  readonly #index: number
  readonly #id: string
  readonly #parts: Part[] = []

  constructor(index: number, id: string) {
    this.#index = index
    this.#id = id
  }

  value(status: ItemStatus): OutputMessage {
    return { id: this.#id, type: 'message', status, role: 'assistant', content: this.#parts.map(written) }
  }

  opened(): ResponseEvent[] {
    return [{ type: 'response.output_item.added', output_index: this.#index, item: this.value('in_progress') }]
  }

  text(delta: string, logprobs: readonly Likelihood[]): ResponseEvent[] {
    const events = this.#begin('output_text')
    const part = this.#parts.at(-1)
    if (part?.type !== 'output_text') return events
    part.text += delta
    part.logprobs.push(...logprobs)
    return [...events, { type: 'response.output_text.delta', ...this.#here(), delta, logprobs }]
  }

  refusal(delta: string): ResponseEvent[] {
    const events = this.#begin('refusal')
    const part = this.#parts.at(-1)
    if (part) part.text += delta
    return [...events, { type: 'response.refusal.delta', ...this.#here(), delta }]
  }

  closed(status: ItemStatus): ResponseEvent[] {
    return [
      ...this.#partDone(),
      { type: 'response.output_item.done', output_index: this.#index, item: this.value(status) },
    ]
  }

  #begin(type: Part['type']): ResponseEvent[] {
    if (this.#parts.at(-1)?.type === type) return []
    const done = this.#partDone()
    const part: Part = type === 'output_text' ? { type, text: '', logprobs: [] } : { type, text: '' }
    this.#parts.push(part)
    return [...done, { type: 'response.content_part.added', ...this.#here(), part: written(part) }]
  }

  #partDone(): ResponseEvent[] {
    const part = this.#parts.at(-1)
    if (!part) return []
    const here = this.#here()
    const { text } = part
    return [
      part.type === 'output_text'
        ? { type: 'response.output_text.done', ...here, text, logprobs: part.logprobs }
        : { type: 'response.refusal.done', ...here, refusal: text },
      { type: 'response.content_part.done', ...here, part: written(part) },
    ]
  }

  #here() {
    return { item_id: this.#id, output_index: this.#index, content_index: this.#parts.length - 1 }
  }
}

const written = (part: Part): OutputText | OutputRefusal =>
  part.type === 'refusal'
    ? { type: 'refusal', refusal: part.text }
    : { type: 'output_text', text: part.text, annotations: [], logprobs: [...part.logprobs] }
