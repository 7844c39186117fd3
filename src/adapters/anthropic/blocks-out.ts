/** Steps → content blocks, as events of a stream or whole. */
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Step } from './steps.ts'

/** An id for a call whose engine gave it none. */
export type NewId = (call: number) => string

const textBlock = (text: string) => ({ type: 'text', text, citations: null }) as const
/** Only Anthropic's own thoughts are signed. */
const thinkingBlock = (thinking: string) => ({ type: 'thinking', thinking, signature: '' }) as const
const toolUse = (id: string, name: string, input: unknown) =>
  ({ type: 'tool_use', id, name, input, caller: { type: 'direct' } }) as const

export type Block = ReturnType<typeof textBlock> | ReturnType<typeof thinkingBlock> | ReturnType<typeof toolUse>

type Delta =
  | { readonly type: 'text_delta'; readonly text: string }
  | { readonly type: 'thinking_delta'; readonly thinking: string }
  | { readonly type: 'input_json_delta'; readonly partial_json: string }

/** What of a stream is about its blocks. */
export type BlockEvent =
  | { readonly type: 'content_block_start'; readonly index: number; readonly content_block: Block }
  | { readonly type: 'content_block_delta'; readonly index: number; readonly delta: Delta }
  | { readonly type: 'content_block_stop'; readonly index: number }

/** A stream's blocks, one open at a time. */
export class BlockEvents {
  readonly #newId: NewId
  #open: { readonly index: number; readonly kind: string } | undefined
  #next = 0
  readonly #calls = new Map<number, number>()

  constructor(newId: NewId) {
    this.#newId = newId
  }

  of(step: Step): readonly BlockEvent[] {
    switch (step.kind) {
      case 'stop':
        return this.close()
      case 'text':
        return [...this.#enter('text', textBlock('')), this.#delta({ type: 'text_delta', text: step.text })]
      case 'thinking':
        return [
          ...this.#enter('thinking', thinkingBlock('')),
          this.#delta({ type: 'thinking_delta', thinking: step.text }),
        ]
      case 'call':
        return this.#call(step)
    }
  }

  close(): readonly BlockEvent[] {
    const open = this.#open
    this.#open = undefined
    return open ? [{ type: 'content_block_stop', index: open.index }] : []
  }

  #enter(kind: string, block: Block): readonly BlockEvent[] {
    if (this.#open?.kind === kind) return []
    const closed = this.close()
    this.#open = { index: this.#next++, kind }
    return [...closed, { type: 'content_block_start', index: this.#open.index, content_block: block }]
  }

  /** Calls come one after the other. A part that comes late still goes to its own block: the index says which. */
  #call({ call, id, name, json }: Step & { kind: 'call' }): readonly BlockEvent[] {
    const delta = { type: 'input_json_delta', partial_json: json } as const
    const before = this.#calls.get(call)
    if (before !== undefined) return json === '' ? [] : [{ type: 'content_block_delta', index: before, delta }]
    const begun = this.#enter(`call ${call}`, toolUse(id || this.#newId(call), name, {}))
    this.#calls.set(call, this.#next - 1)
    return json === '' ? begun : [...begun, this.#delta(delta)]
  }

  #delta(delta: Delta): BlockEvent {
    return { type: 'content_block_delta', index: this.#open?.index ?? 0, delta }
  }
}

/** All steps of an answer → its blocks. */
export function wholeBlocks(steps: readonly Step[], newId: NewId): readonly Block[] {
  const blocks: { kind: string; text: string; id: string; name: string }[] = []
  for (const step of steps) {
    if (step.kind === 'stop') continue
    const kind = step.kind === 'call' ? `call ${step.call}` : step.kind
    const text = step.kind === 'call' ? step.json : step.text
    const same = step.kind === 'call' ? blocks.find((block) => block.kind === kind) : blocks.at(-1)
    if (same?.kind === kind) same.text += text
    else if (step.kind === 'call') blocks.push({ kind, text, id: step.id || newId(step.call), name: step.name })
    else blocks.push({ kind, text, id: '', name: '' })
  }
  return blocks.map(({ kind, text, id, name }) => {
    if (kind === 'text') return textBlock(text)
    return kind === 'thinking' ? thinkingBlock(text) : toolUse(id, name, inputOf(text))
  })
}

/** A call that was cut short, or written badly, is no JSON: its text stays readable. */
function inputOf(json: string): JsonObject {
  if (json.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : { unparsed: json }
  } catch {
    return { unparsed: json }
  }
}
