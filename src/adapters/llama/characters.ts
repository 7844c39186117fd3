/**
 * Tokens to text, never sending half a character.
 *
 * A token may hold any bytes, so one character can come in up to four tokens; llama.cpp turns the bytes at hand into text
 * and shows what is not yet a character as U+FFFD. Text before a last U+FFFD cannot change any more, so it is shown at
 * once, and the token window is kept until it ends whole. A character that really is wrong is shown with the next token; one
 * that is still half when generation ends is dropped.
 */

export type Detokenise = (tokens: readonly number[], before: readonly number[]) => string

const HALF = '\ufffd'

/**
 * Longest window. Valid text never needs more than a few tokens; only endless wrong bytes fill it, and re-reading a longer
 * window at each token would cost more than the model.
 */
const LONGEST = 64

/** How many earlier tokens the detokenizer needs to decide on a leading space. */
const CONTEXT = 4

export class Characters {
  private readonly detokenise: Detokenise
  private before: readonly number[]
  private window: number[] = []
  private shown = 0

  /** `prompt`: a sentencepiece model drops the space of a first word, so it must know that there were words before. */
  constructor(detokenise: Detokenise, prompt: readonly number[]) {
    this.detokenise = detokenise
    this.before = prompt.slice(-CONTEXT)
  }

  /** Text that became certain with this token. */
  push(token: number): string {
    this.window.push(token)
    const text = this.detokenise(this.window, this.before)
    const whole = !text.endsWith(HALF) || this.window.length >= LONGEST
    const certain = whole ? text.length : text.length - 1
    const piece = text.slice(this.shown, certain)

    if (whole) {
      this.before = [...this.before, ...this.window].slice(-CONTEXT)
      this.window = []
      this.shown = 0
    } else this.shown = Math.max(this.shown, certain)
    return piece
  }
}
