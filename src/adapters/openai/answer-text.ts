import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Piece } from './engine.ts'

/** Of a block: words of the protocol, and bytes that are none. */
const noText = new Set(['type', 'id', 'signature', 'data'])

/** Empty where a stream begins a block whose input is still to come. */
const inputText = (input: unknown): string =>
  isObject(input) && Object.keys(input).length === 0 ? '' : JSON.stringify(input ?? '')

/**
 * The texts of an answer, put together from its pieces however they were cut: for each choice its content, its reasoning
 * and the arguments of its calls, each a text of its own.
 */
export class AnswerText {
  readonly #texts = new Map<string, string>()
  readonly #open = new Set<string>()
  /** Characters in all. */
  size = 0

  add(piece: Piece): void {
    if (piece.kind === 'text') this.#say('0', 'content', piece.text)
    if (piece.kind === 'calls')
      for (const { index, name, arguments: said } of piece.calls) {
        this.#say('0', `call ${index} name`, name ?? '')
        this.#say('0', `call ${index}`, said ?? '')
      }
    if (piece.kind === 'chunk') this.#choices(piece.chunk)
    if (piece.kind === 'whole') this.#choices(piece.body)
    if (piece.kind === 'event') this.#event(piece.event)
    if (piece.kind === 'message') this.#blocks(piece.body)
  }

  get texts(): readonly string[] {
    return [...this.#texts.values()]
  }

  /** What each choice answered: its content. */
  get contents(): readonly string[] {
    return [...this.#open].map((choice) => this.#texts.get(`${choice} content`) ?? '')
  }

  /** Anthropic's blocks: all text is one content, as in a chat; every other field is a text of its block. */
  #event({ type, index, content_block, delta }: JsonObject): void {
    const told = type === 'content_block_start' ? content_block : type === 'content_block_delta' ? delta : undefined
    if (isObject(told)) this.#block(String(index), told)
  }

  #blocks({ content }: JsonObject): void {
    this.#open.add('0')
    if (!Array.isArray(content)) return
    for (const [index, block] of content.entries()) if (isObject(block)) this.#block(String(index), block)
  }

  #block(index: string, block: JsonObject): void {
    this.#open.add('0')
    for (const [field, value] of Object.entries(block)) {
      if (noText.has(field)) continue
      const name = field === 'text' ? 'content' : `block ${index} ${field}`
      if (typeof value === 'string') this.#say('0', name, value)
      // In a stream the input of a tool comes as JSON: whole it is searched as the same.
      else if (field === 'input') this.#say('0', `block ${index} partial_json`, inputText(value))
      else if (isObject(value) || Array.isArray(value)) this.#within('0', name, value)
    }
  }

  #choices({ choices }: JsonObject): void {
    if (!Array.isArray(choices)) return
    for (const [place, choice] of choices.entries()) {
      if (!isObject(choice)) continue
      const of = String(choice.index ?? place)
      this.#open.add(of)
      if (typeof choice.text === 'string') this.#say(of, 'content', choice.text)
      const said = choice.delta ?? choice.message
      if (isObject(said)) this.#message(of, said)
    }
  }

  /** Fields that we do not know are texts too: an engine may call its reasoning what it likes. */
  #message(choice: string, message: JsonObject): void {
    for (const [field, value] of Object.entries(message)) {
      if (field === 'role') continue
      if (typeof value === 'string') this.#say(choice, field, value)
      else if (isObject(value) || Array.isArray(value)) this.#within(choice, field, value)
    }
  }

  #within(choice: string, at: string, value: JsonObject | readonly unknown[]): void {
    for (const [name, one] of Object.entries(value)) {
      // A call's own index says which it goes on with; its place in the list does not.
      const key = isObject(one) && typeof one.index === 'number' ? one.index : name
      if (typeof one === 'string' && name !== 'type' && name !== 'id') this.#say(choice, `${at} ${key}`, one)
      else if (isObject(one) || Array.isArray(one)) this.#within(choice, `${at} ${key}`, one)
    }
  }

  #say(choice: string, name: string, text: string): void {
    this.#open.add(choice)
    this.#texts.set(`${choice} ${name}`, (this.#texts.get(`${choice} ${name}`) ?? '') + text)
    this.size += text.length
  }
}
