import type { UpstreamAnswer } from '../../lines/inference/upstream.ts'
import type { JsonObject } from '../../units/json.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Told } from './engine.ts'
import type { ClientPlan } from './plan.ts'

/**
 * An upstream of others, heard through the same `UpstreamAnswer` as the live one: chunks as JSON, in the odd shapes that its
 * plan names (synthetic; each restates a thread that `plan.ts` and the reference of metering rules name). Cancelling stops it.
 */
export function hostedStream(
  agenda: Agenda,
  gateway: Life,
  answer: UpstreamAnswer,
  ask: ClientPlan,
  tell: (told: Told) => void,
): () => void {
  const events = eventsOf(ask)
  let over = false
  const fail = (fault: 'truncated' | 'crashed', message: string): void => {
    over = true
    tell({ kind: 'failed', failure: { fault, message }, usage: answer.usage })
  }
  const next = (at: number): void => {
    if (over) return
    const event = events[at]
    if (event === undefined) {
      if (!answer.whole) return fail(answer.produced ? 'truncated' : 'crashed', 'ended without a finish reason')
      over = true
      return tell({ kind: 'ended', usage: answer.usage })
    }
    if (event === 'done') answer.done()
    else {
      const reading = answer.chunk(event)
      if (reading.kind === 'content') tell({ kind: 'chunk', tokens: reading.tokens, bytes: undefined })
    }
    agenda.in(6, gateway, () => next(at + 1))
  }
  agenda.in(20, gateway, () => next(0))
  return () => {
    if (!over) fail('crashed', 'cancelled')
  }
}

const choice = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
})

function eventsOf({ shape, prompt, cached, output }: ClientPlan): (JsonObject | 'done')[] {
  const content = Array.from({ length: output }, () => choice({ content: 'x' }))
  const plain = { prompt_tokens: prompt, completion_tokens: output }
  const detailed = { ...plain, prompt_tokens_details: { cached_tokens: shape === 'explicit zero' ? 0 : cached } }
  const finish = choice({}, 'stop')
  const start = [choice({ role: 'assistant' }), ...content]
  const alone = (usage: JsonObject): JsonObject => ({ choices: [], usage })
  switch (shape) {
    case 'two usages':
      return [...start, finish, alone(plain), alone({ prompt_tokens_details: { cached_tokens: cached } }), 'done']
    case 'usage beside choices':
      return [...start, { ...finish, usage: detailed }, 'done']
    case 'no done':
      return [...start, finish, alone(detailed)]
    case 'cut':
      return start.slice(0, 1 + Math.floor(output / 2))
    case 'no usage':
      return [...start, finish, 'done']
    default:
      return [...start, finish, alone(detailed), 'done']
  }
}
