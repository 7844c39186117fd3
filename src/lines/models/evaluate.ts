/** Evaluate: a model's answers on messages it never saw, as JSON that somebody else would read. */
import type { Labelled } from './dataset.ts'
import { type Reference, softmax } from './forward.ts'
import { END, type Tokenizer, type Vocabulary } from './tokenizer.ts'

/** An answer takes an intent, a confidence and an end: three tokens. */
export const ANSWER_TOKENS = 3

/** What a model said to one message. */
export interface Answer {
  readonly text: string
  /** Undefined where the text is not the JSON it should be. */
  readonly intent: string | undefined
  readonly confidence: number | undefined
  /** Softmax probability of the intent's token. */
  readonly probability: number
  /** Which step of confidence; -1 where none was given. */
  readonly step: number
}

/** A model that can be judged: a tokenizer and a forward pass of the shipped weights. */
export interface Judged {
  readonly vocabulary: Vocabulary
  readonly tokens: Tokenizer
  readonly reference: Reference
}

/** The greedy answer to one message. */
export function answerTo({ vocabulary, tokens, reference }: Judged, message: string): Answer {
  const chosen = reference.greedy(tokens.prompt(message), ANSWER_TOKENS, END)
  const text = tokens.decode(chosen.map(({ token }) => token))
  const step = (chosen[1]?.token ?? -1) - vocabulary.firstIntent - vocabulary.intents.length
  return {
    text,
    ...parsed(text),
    probability: chosen[0]?.probability ?? 0,
    step: step >= 0 && step < vocabulary.steps ? step : -1,
  }
}

function parsed(text: string): Pick<Answer, 'intent' | 'confidence'> {
  const found = /^\{"intent":"([^"]+)","confidence":(0\.\d+)\}$/.exec(text)
  return { intent: found?.[1], confidence: found ? Number(found[2]) : undefined }
}

/** The probability of every intent, highest first. */
export function intentProbabilities(judged: Judged, message: string): { intent: string; probability: number }[] {
  const chances = softmax(judged.reference.logits(judged.tokens.prompt(message)))
  return judged.vocabulary.intents
    .map((intent, at) => ({ intent, probability: chances[judged.vocabulary.firstIntent + at] as number }))
    .sort((one, other) => other.probability - one.probability)
}

/** Whether the true intent is among the `most` most probable ones. */
export const amongTop = (judged: Judged, { text, label }: Labelled, most: number): boolean =>
  intentProbabilities(judged, text)
    .slice(0, most)
    .some(({ intent }) => intent === label)

/** Which answers are right. */
export const rightAnswers = (answers: readonly Answer[], messages: readonly Labelled[]): boolean[] =>
  answers.map(({ intent }, at) => intent === messages[at]?.label)

/**
 * What each step of confidence means: the share of right answers among calibration messages that got it, pulled towards
 * the middle of the step's own range as if by `PRIOR` further messages, rising from step to step, in hundredths.
 */
export function confidenceTexts(
  edges: readonly number[],
  answers: readonly Answer[],
  right: readonly boolean[],
): string[] {
  const shares = edges.map((low, step) => {
    const at = answers.flatMap((answer, item) => (answer.step === step ? [right[item] as boolean] : []))
    const middle = (low + (edges[step + 1] ?? 1)) / 2
    return (at.filter(Boolean).length + PRIOR * middle) / (at.length + PRIOR)
  })
  const hundredths: number[] = []
  for (const [step, share] of rising(shares).entries()) {
    const room = 99 - (edges.length - 1 - step) // leaves a hundredth for each step above
    hundredths.push(Math.min(room, Math.max((hundredths.at(-1) ?? 0) + 1, Math.round(share * 100))))
  }
  return hundredths.map((value) => (value / 100).toFixed(2))
}

const PRIOR = 4

/** Pool adjacent violators: the nearest sequence that never falls. */
function rising(values: readonly number[]): number[] {
  const pools: { sum: number; count: number }[] = []
  for (const value of values) {
    pools.push({ sum: value, count: 1 })
    for (let last = pools.length - 1; last > 0; last--) {
      const [low, high] = [pools[last - 1], pools[last]]
      if (!low || !high || low.sum / low.count <= high.sum / high.count) break
      pools.splice(last - 1, 2, { sum: low.sum + high.sum, count: low.count + high.count })
    }
  }
  return pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count))
}
