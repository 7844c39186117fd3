import { assert } from '../../units/assert.ts'
import type { Prompt } from '../workload/prompt.ts'
import { goesOn, tell } from './leap.ts'
import { Queue } from './queue.ts'
import type { Sequence } from './sequence.ts'
import type { Heard, Scheduler, Step } from './step.ts'

/** Set-points of an engine with fixed slots. */
export interface SlotConfig {
  readonly slots: number
  /** Tokens in one step, at most. */
  readonly batch: number
  /** Tokens that each slot holds. */
  readonly contextTokens: number
}

/** A place for one sequence, and what its cache holds of the one that was last in it. */
interface Slot {
  holder: Sequence | undefined
  held: Prompt
  heldTokens: number
}

/**
 * Fixed slots as llama.cpp has them and as our embedded engine runs them: a request waits for a free slot, takes the one
 * whose cache has the longest beginning in common with it, and keeps it to its end. A step holds one token for each that
 * decodes, then prompt tokens of the others in order of coming. Nothing is preempted.
 */
export class SlotScheduler implements Scheduler {
  readonly config: SlotConfig
  readonly running: Sequence[] = []
  readonly #waiting = new Queue('fcfs')
  /** Free ones in the order in which they became free. */
  #slots: Slot[]
  #version = 0

  constructor(config: SlotConfig) {
    this.config = config
    this.#slots = emptySlots(config)
  }

  get load(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#waiting.length, running: this.running.length }
  }

  accepts({ prompt }: Sequence): boolean {
    return prompt.tokens < this.config.contextTokens
  }

  queue(sequence: Sequence, now_ns: number): void {
    sequence.state = 'waiting'
    sequence.queued_ns = now_ns
    sequence.limit(this.config.contextTokens - sequence.prompt.tokens)
    this.#waiting.add(sequence)
  }

  abort(sequence: Sequence): void {
    if (sequence.state === 'running') this.#leave(sequence)
    else this.#waiting.remove(sequence)
    sequence.state = 'over'
  }

  compose(step: Step, now_ns: number, heard: Heard): boolean {
    this.#admit(now_ns, heard)
    for (const sequence of this.running) if (isDecoding(sequence)) step.add(sequence, 1, true)
    let room = this.config.batch - step.size
    for (const sequence of this.running) {
      const lacking = sequence.prompt.tokens - sequence.computed
      const tokens = Math.min(lacking, room)
      if (tokens <= 0) continue
      step.add(sequence, tokens, tokens === lacking)
      room -= tokens
    }
    for (let at = 0; at < step.size; at++) {
      const sequence = step.sequences[at] as Sequence
      sequence.computed += step.tokens[at] ?? 0
      if (step.samples[at]) sequence.pending++
    }
    step.version = this.#version
    return step.size > 0
  }

  apply(step: Step, now_ns: number, heard: Heard): void {
    for (let at = 0; at < step.size; at++) {
      const sequence = step.sequences[at] as Sequence
      if (!step.samples[at] || sequence.isOver) continue
      sequence.out++
      sequence.pending--
      if (sequence.first_ns < 0) sequence.first_ns = now_ns
      const ended = sequence.out >= sequence.length
      if (sequence.out === 1 || ended || sequence.out >= sequence.hearAt) tell(sequence, heard)
      if (!ended) continue
      sequence.last_ns = now_ns
      this.#leave(sequence)
      sequence.state = 'over'
      heard.ended(sequence)
    }
  }

  steady(under: readonly Step[]): number {
    let steps = Number.POSITIVE_INFINITY
    for (const step of under)
      if (step.version !== this.#version || step.prefill > 0 || step.decodes !== this.running.length) return 0
    if (this.#waiting.length > 0 && this.#slots.some(({ holder }) => !holder)) return 0
    for (const one of this.running) steps = Math.min(steps, goesOn(one, under.length, this.config.contextTokens + 1))
    return this.running.length > 0 && steps >= 1 ? steps : 0
  }

  leap(steps: number): void {
    for (const sequence of this.running) {
      sequence.out += steps
      sequence.computed += steps
    }
  }

  crash(): Sequence[] {
    const lost = [...this.running, ...this.#waiting.items()]
    for (const sequence of lost) sequence.state = 'over'
    this.running.length = 0
    this.#waiting.clear()
    this.#slots = emptySlots(this.config)
    this.#version++
    return lost
  }

  audit(): void {
    const held = this.#slots.filter(({ holder }) => holder)
    assert(held.length === this.running.length, 'every sequence that runs holds a slot')
    for (const { holder } of held) {
      assert(holder?.state === 'running', 'a slot is held by what runs')
      assert(holder.computed <= this.config.contextTokens, 'a sequence fits into its slot')
    }
  }

  #admit(now_ns: number, heard: Heard): void {
    for (let sequence = this.#waiting.first; sequence; sequence = this.#waiting.first) {
      const choice = this.#choose(sequence.prompt)
      if (!choice) return
      this.#waiting.shift()
      choice.slot.holder = sequence
      sequence.state = 'running'
      sequence.scheduled_ns = now_ns
      sequence.computed = sequence.hit = choice.keep
      this.running.push(sequence)
      this.#version++
      heard.begun(sequence)
    }
  }

  /** The free slot with the longest beginning in common; among equals the one that holds least. */
  #choose(prompt: Prompt): { readonly slot: Slot; readonly keep: number } | undefined {
    let best: { slot: Slot; keep: number } | undefined
    for (const slot of this.#slots) {
      if (slot.holder) continue
      const keep = Math.min(common(slot, prompt), prompt.tokens - 1)
      if (!best || keep > best.keep || (keep === best.keep && slot.heldTokens < best.slot.heldTokens))
        best = { slot, keep }
    }
    return best
  }

  #leave(sequence: Sequence): void {
    this.running.splice(this.running.indexOf(sequence), 1)
    this.#version++
    const slot = this.#slots.find(({ holder }) => holder === sequence)
    assert(slot, 'what runs has a slot')
    // Among equals the one that has been free longest is taken.
    this.#slots.splice(this.#slots.indexOf(slot), 1)
    this.#slots.push(slot)
    slot.holder = undefined
    slot.held = sequence.prompt
    slot.heldTokens = sequence.computed
  }
}

const isDecoding = ({ prompt, computed }: Sequence): boolean => computed >= prompt.tokens

const nothing: Prompt = { tokens: 0, pieces: [], pieceTokens: 1 }
const emptySlots = ({ slots }: SlotConfig): Slot[] =>
  Array.from({ length: slots }, () => ({ holder: undefined, held: nothing, heldTokens: 0 }))

/** Tokens that a slot's cache and a prompt are known to have in common from the start. */
function common({ held, heldTokens }: Slot, prompt: Prompt): number {
  if (held.pieceTokens !== prompt.pieceTokens) return 0
  const most = Math.min(held.pieces.length, prompt.pieces.length)
  let pieces = 0
  while (pieces < most && held.pieces[pieces] === prompt.pieces[pieces]) pieces++
  return Math.min(pieces * prompt.pieceTokens, heldTokens, prompt.tokens)
}
