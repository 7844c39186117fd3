/**
 * A prompt as the twin knows it: its length, and which beginnings it has in common with others. No text, no token ids.
 *
 * `pieces` names its content in pieces of `pieceTokens`, as far as it may be shared; the last one may be cut short by the
 * end of the prompt. A name stands for the piece *and all
 * before it*: two prompts with the same n-th name have their first n pieces in common. Names are small whole numbers.
 */
export interface Prompt {
  readonly tokens: number
  readonly pieces: ArrayLike<number>
  readonly pieceTokens: number
}

/** A prompt that has nothing in common with any other. */
export const unique = (tokens: number): Prompt => ({ tokens, pieces: [], pieceTokens: 16 })

/** Names for beginnings: the same content after the same beginning gets the same name. */
export class Beginnings {
  readonly #names = new Map<number, Map<string | number, number>>()
  #next = 0

  /** Names of a prompt's pieces, each given as what tells its content from another's. */
  name(contents: Iterable<string | number>): number[] {
    let before = -1
    const names: number[] = []
    for (const content of contents) {
      const after = this.#names.get(before) ?? new Map<string | number, number>()
      this.#names.set(before, after)
      before = after.get(content) ?? this.#next++
      after.set(content, before)
      names.push(before)
    }
    return names
  }
}
