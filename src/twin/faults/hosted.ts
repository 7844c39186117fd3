import type { UpstreamAnswer } from '../../lines/inference/upstream.ts'
import type { JsonObject } from '../../units/json.ts'
import { choice, streamEnd } from '../stream-shapes.ts'
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

function eventsOf(plan: ClientPlan): (JsonObject | 'done')[] {
  const content = Array.from({ length: plan.output }, () => choice({ content: 'x' }))
  const start = [choice({ role: 'assistant' }), ...content]
  if (plan.shape === 'cut') return start.slice(0, 1 + Math.floor(plan.output / 2))
  return [...start, ...streamEnd(plan.shape, plan)]
}
