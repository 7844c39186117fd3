import type { ItemStatus, OutputCall, ResponseEvent } from './wire.ts'

/** A call of a function under way: its arguments come in parts. */
export class CallItem {
  readonly #index: number
  readonly #id: string
  readonly #call: string
  readonly #name: string
  #arguments = ''

  constructor(index: number, id: string, call: string, name: string) {
    this.#index = index
    this.#id = id
    this.#call = call
    this.#name = name
  }

  value(status: ItemStatus): OutputCall {
    return {
      id: this.#id,
      type: 'function_call',
      status,
      call_id: this.#call,
      name: this.#name,
      arguments: this.#arguments,
    }
  }

  opened(): ResponseEvent[] {
    return [{ type: 'response.output_item.added', output_index: this.#index, item: this.value('in_progress') }]
  }

  text(delta: string): ResponseEvent[] {
    this.#arguments += delta
    return [{ type: 'response.function_call_arguments.delta', ...this.#here(), delta }]
  }

  closed(status: ItemStatus): ResponseEvent[] {
    return [
      {
        type: 'response.function_call_arguments.done',
        ...this.#here(),
        name: this.#name,
        arguments: this.#arguments,
      },
      { type: 'response.output_item.done', output_index: this.#index, item: this.value(status) },
    ]
  }

  #here() {
    return { item_id: this.#id, output_index: this.#index }
  }
}
