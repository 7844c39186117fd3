import type { ItemStatus, OutputReasoning, ResponseEvent } from './wire.ts'

/**
 * Reasoning under way. Models whose weights are open tell it as it is, and so do we: as `reasoning_text`. A client that
 * asks for a summary reads summaries only; nobody makes one here, so it gets the same text in that place.
 */
export class ReasoningItem {
  readonly #index: number
  readonly #id: string
  readonly #asSummary: boolean
  #text = ''

  constructor(index: number, id: string, asSummary: boolean) {
    this.#index = index
    this.#id = id
    this.#asSummary = asSummary
  }

  value(status: ItemStatus): OutputReasoning {
    const text = this.#text
    const told = text !== ''
    return {
      id: this.#id,
      type: 'reasoning',
      status,
      summary: told && this.#asSummary ? [{ type: 'summary_text', text }] : [],
      content: told && !this.#asSummary ? [{ type: 'reasoning_text', text }] : [],
    }
  }

  opened(): ResponseEvent[] {
    const added: ResponseEvent = {
      type: 'response.output_item.added',
      output_index: this.#index,
      item: this.value('in_progress'),
    }
    if (this.#asSummary)
      return [
        added,
        {
          type: 'response.reasoning_summary_part.added',
          ...this.#summary(),
          part: { type: 'summary_text', text: '' },
        },
      ]
    return [
      added,
      { type: 'response.content_part.added', ...this.#content(), part: { type: 'reasoning_text', text: '' } },
    ]
  }

  text(delta: string): ResponseEvent[] {
    this.#text += delta
    return [
      this.#asSummary
        ? { type: 'response.reasoning_summary_text.delta', ...this.#summary(), delta }
        : { type: 'response.reasoning_text.delta', ...this.#content(), delta },
    ]
  }

  closed(status: ItemStatus): ResponseEvent[] {
    const done: ResponseEvent = {
      type: 'response.output_item.done',
      output_index: this.#index,
      item: this.value(status),
    }
    const text = this.#text
    if (this.#asSummary)
      return [
        { type: 'response.reasoning_summary_text.done', ...this.#summary(), text },
        { type: 'response.reasoning_summary_part.done', ...this.#summary(), part: { type: 'summary_text', text } },
        done,
      ]
    return [
      { type: 'response.reasoning_text.done', ...this.#content(), text },
      { type: 'response.content_part.done', ...this.#content(), part: { type: 'reasoning_text', text } },
      done,
    ]
  }

  #content() {
    return { item_id: this.#id, output_index: this.#index, content_index: 0 }
  }

  #summary() {
    return { item_id: this.#id, output_index: this.#index, summary_index: 0 }
  }
}
