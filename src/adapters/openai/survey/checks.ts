import type { JsonObject } from '../../../units/json.ts'
import type { CheckId } from './finding.ts'

/** One question put to an engine. */
export interface Question {
  /** What its answer helps to tell. */
  readonly for: CheckId
  readonly path: '/chat/completions' | '/completions' | '/embeddings'
  readonly body: JsonObject
  /** The most tokens of answer that this asks for; an engine that ignores limits is hung up on. */
  readonly most: number
}

/** Long enough an answer that a limit is felt by it; two prompts, so that the second is new to every cache. */
const long = 'Write the numbers from one to forty in words.'
const prompt = 'Count from one to twenty in words.'
const chat = '/chat/completions'

/** Enough to see whether two answers differ; few enough to cost nothing. */
const few = 8

const schema = {
  type: 'object',
  properties: { answer: { type: 'string', enum: ['yes', 'no'] } },
  required: ['answer'],
  additionalProperties: false,
}

const tool = {
  type: 'function',
  function: {
    name: 'say',
    description: 'Says a word.',
    parameters: { type: 'object', properties: { word: { type: 'string', enum: ['yes', 'no'] } }, required: ['word'] },
  },
}

export type Limit = 'max_tokens' | 'max_completion_tokens'

/** What is asked of one model, by name; `limit`: the name under which this engine obeys the limit of an answer. */
export function questions(model: string, limit: Limit) {
  const ask = (of: CheckId, most: number, more: JsonObject): Question => ({
    for: of,
    path: chat,
    most,
    body: { model, messages: [{ role: 'user', content: prompt }], temperature: 0, [limit]: most, ...more },
  })
  // Streamed, so that an answer that does not keep to it can be hung up on.
  const limited = (by: Limit): Question => ({
    for: by,
    path: chat,
    most: longestStream,
    body: { model, messages: [{ role: 'user', content: long }], temperature: 0, stream: true, [by]: 2 },
  })
  return {
    chat: ask('chat', few, {}),
    again: ask('cached', few, {}),
    stream: ask('stream', few, { stream: true }),
    streamUsage: ask('stream_usage', few, { stream: true, stream_options: { include_usage: true } }),
    maxTokens: limited('max_tokens'),
    maxCompletionTokens: limited('max_completion_tokens'),
    stop: (words: string) => ask('stop', few, { stop: [words] }),
    seed: (seed: number) => ask('seed', few, { temperature: 1, seed }),
    n: ask('n', 2 * 2, { n: 2, [limit]: 2, temperature: 1 }),
    logprobs: ask('logprobs', 2, { logprobs: true, top_logprobs: 2 }),
    tools: ask('tools', 32, { tools: [tool], tool_choice: 'required' }),
    jsonSchema: ask('json_schema', 24, {
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
    }),
    completions: {
      for: 'completions',
      path: '/completions',
      most: 2,
      body: { model, prompt: 'One two', max_tokens: 2 },
    },
    embeddings: { for: 'embeddings', path: '/embeddings', most: 0, body: { model, input: 'One' } },
    unknownModel: ask('unknown_model', 1, { model: 'no-such-model-0', [limit]: 1 }),
    error: ask('error', 0, { messages: 'none', [limit]: 1 }),
  } as const satisfies Record<string, Question | ((value: never) => Question)>
}

/** An engine that does not obey a limit is hung up on after so many chunks, and may make some more until it notices. */
export const longestStream = 16

/** What a survey will cost at most, said before it is made. */
export interface Cost {
  readonly requests: number
  readonly input_tokens: number
  readonly output_tokens: number
}

/** About three characters a token, and what a chat template adds: rather too much than too little. */
const inputOf = ({ body: { model: _, ...body } }: Question): number => 16 + Math.ceil(JSON.stringify(body).length / 3)

/** What tools and schemas add in the words of the engine's own template. */
const templates = 200

export function costOf(model: string): Cost {
  const { stop, seed, ...others } = questions(model, 'max_tokens')
  const all: Question[] = [...Object.values(others), stop('a few words'), seed(1), seed(1), seed(2)]
  return {
    requests: all.length,
    input_tokens: templates + all.reduce((sum, one) => sum + inputOf(one), 0),
    output_tokens: all.reduce((sum, { most }) => sum + most, 0),
  }
}
