/** One sequence of llama.cpp as the batcher uses it. */
import {
  type LlamaContextSequence,
  LlamaGrammarEvaluationState,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
  TokenBias,
} from 'node-llama-cpp'
import { dice } from '../../lines/models/dice.ts'
import { draw } from './draw.ts'
import { likelihoodOf } from './likelihood.ts'
import { evaluateOptions, PENALTY_WINDOW, seedOf } from './sampling.ts'
import type { Choosing, Sampled, Sequence } from './sequence.ts'

/** A generation under way: samples the next token, evaluating the one before. */
interface Generation {
  next(): Promise<Sampled>
  stop(): Promise<void>
}

export function lane(model: LlamaModel, sequence: LlamaContextSequence): Sequence {
  let generation: Generation | undefined
  const grammar = new Keeping(model)
  return {
    held: () => sequence.contextTokens,
    cuttable: !sequence.needsCheckpoints,
    async keep(length) {
      const end = sequence.nextTokenIndex
      if (length < end) await sequence.eraseContextTokenRanges([{ start: length, end }])
    },
    feed: (prompt) => sequence.evaluateWithoutGeneratingNewTokens([...prompt] as Token[]),
    async first(prompt, choosing) {
      await grammar.to(undefined)
      await grammar.to(choosing.grammar)
      const begin = choosing.alternatives === undefined ? sampled : weighed
      generation = begin(model, sequence, [...prompt] as Token[], choosing, grammar)
      return generation.next()
    },
    async next(text) {
      await grammar.to(text)
      if (!generation) throw new Error('a generation is begun before it goes on')
      return generation.next()
    },
    async stop() {
      await generation?.stop()
      generation = undefined
    },
  }
}

/** Where the answer stands in its grammar. */
class Keeping {
  readonly #model: LlamaModel
  #text: string | undefined
  state: LlamaGrammarEvaluationState | undefined

  constructor(model: LlamaModel) {
    this.#model = model
  }

  /** The same text goes on, another begins. */
  async to(text: string | undefined): Promise<void> {
    if (text === this.#text) return
    this.#text = text
    this.state = text === undefined ? undefined : await this.#begun(text)
  }

  async #begun(text: string): Promise<LlamaGrammarEvaluationState> {
    const grammar = await this.#model.llama.createGrammar({ grammar: text })
    return new LlamaGrammarEvaluationState({ model: this.#model, grammar })
  }
}

type Begin = (
  model: LlamaModel,
  sequence: LlamaContextSequence,
  prompt: Token[],
  choosing: Choosing,
  grammar: Keeping,
) => Generation

/** What is settled before anything is sampled: biases and, after them, what the grammar forbids. */
function forced(model: LlamaModel, { sampling }: Choosing): SequenceEvaluateOptions {
  const biases = Object.entries(sampling.logit_bias ?? {})
  if (biases.length === 0) return {}
  const tokenBias = TokenBias.for(model)
  for (const [token, logit] of biases) tokenBias.set(Number(token) as Token, { logit })
  return { tokenBias }
}

/** llama.cpp's own sampler. */
const sampled: Begin = (model, sequence, prompt, choosing, grammar) => {
  const made: Token[] = []
  const tokens = sequence.evaluate(prompt, {
    ...evaluateOptions(choosing.sampling, () => made),
    ...forced(model, choosing),
    grammarEvaluationState: () => grammar.state,
  })
  return {
    async next() {
      const { value: token } = await tokens.next()
      if (token === undefined) throw new Error('llama.cpp sampled no token')
      remember(made, token)
      return { token }
    },
    stop: async () => void (await tokens.return()),
  }
}

/**
 * All of the distribution but its last hundred-thousandth, so that log-probabilities are right to 0.00001, which is what a
 * batch of another size changes. The whole is not asked for: to carry 150,000 tokens over took 170 ms a step.
 */
const NUCLEUS: SequenceEvaluateOptions = { temperature: 1, topK: 0, topP: 0.99999, minP: 0, yieldEogToken: true }

/**
 * Our own sampler over what the model finds likely: see `draw.ts`. The token that llama.cpp chose goes to a copy of the
 * grammar's state and is replaced by ours.
 */
const weighed: Begin = (model, sequence, prompt, choosing, grammar) => {
  const { sampling, alternatives = 0 } = choosing
  const chance = dice(seedOf(sampling))
  const made: Token[] = []
  const options = {
    ...NUCLEUS,
    ...forced(model, choosing),
    grammarEvaluationState: () => grammar.state?.clone(),
  }
  const tokens = sequence.evaluateWithMetadata(prompt, { probabilities: true }, options)
  return {
    async next() {
      const { value } = await tokens.next(made.at(-1))
      if (!value) throw new Error('llama.cpp sampled no token')
      const token = draw(value.probabilities, sampling, made, chance) as Token
      if (grammar.state && !model.isEogToken(token)) accept(model, grammar.state, token)
      remember(made, token)
      return { token, likelihood: likelihoodOf(value.probabilities, token, alternatives) }
    },
    stop: async () => void (await tokens.return()),
  }
}

/** Penalties see the last tokens. */
function remember(made: Token[], token: Token): void {
  made.push(token)
  if (made.length > PENALTY_WINDOW) made.shift()
}

/** node-llama-cpp 3.21.1 has this for its own use and does not export it. The tests of grammars with likelihoods fail without. */
interface Inside {
  readonly _llama: {
    readonly _bindings: {
      readonly AddonSampler: { acceptGrammarEvaluationStateToken(state: unknown, token: number): void }
    }
  }
  readonly _state: unknown
}

function accept(model: LlamaModel, grammar: LlamaGrammarEvaluationState, token: Token): void {
  const { _llama } = model as unknown as Inside
  _llama._bindings.AddonSampler.acceptGrammarEvaluationStateToken((grammar as unknown as Inside)._state, token)
}
