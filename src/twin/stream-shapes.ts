import type { JsonObject } from '../units/json.ts'

/** How an upstream of others ends its stream. The names say what is odd; each is met in the field. */
export const streamShapes = [
  'usual', // finish reason, one usage chunk without choices, [DONE]
  'two usages', // the second names the cached tokens (vLLM)
  'usage beside choices', // in the chunk with the finish reason
  'no done', // ends after the finish reason without [DONE]
  'cut', // breaks off in the middle
  'explicit zero', // cached_tokens: 0 is told, which is not missing
  'no usage', // never asked, never told
] as const
export type StreamShape = (typeof streamShapes)[number]

/** What an upstream would say of an answer. */
export interface Counted {
  readonly prompt: number
  readonly cached: number
  readonly output: number
}

/** What comes after the last content of a stream. */
export function streamEnd(shape: StreamShape, { prompt, cached, output }: Counted): (JsonObject | 'done')[] {
  const plain = { prompt_tokens: prompt, completion_tokens: output }
  const detailed = { ...plain, prompt_tokens_details: { cached_tokens: shape === 'explicit zero' ? 0 : cached } }
  const finish = choice({}, 'stop')
  const alone = (usage: JsonObject): JsonObject => ({ choices: [], usage })
  switch (shape) {
    case 'two usages':
      return [finish, alone(plain), alone({ prompt_tokens_details: { cached_tokens: cached } }), 'done']
    case 'usage beside choices':
      return [{ ...finish, usage: detailed }, 'done']
    case 'no done':
      return [finish, alone(detailed)]
    case 'cut':
      return []
    case 'no usage':
      return [finish, 'done']
    default:
      return [finish, alone(detailed), 'done']
  }
}

export const choice = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
})
