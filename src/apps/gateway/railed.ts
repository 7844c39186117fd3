import { streamBounds } from '../../adapters/http/sse.ts'
import { AnswerText } from '../../adapters/openai/answer-text.ts'
import type { Piece } from '../../adapters/openai/engine.ts'
import { endsChoice } from '../../adapters/openai/reply.ts'
import type { AnswerCheck } from '../../adapters/rails/answer.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { Answer } from './world.ts'

/** It leaves in one go: its chunks are larger than its text, and that is bounded (adapters/rails/answer.ts). */
export const heldBounds = { ...streamBounds, bufferBytes: 128 * 1024 * 1024 }

/**
 * An answer under guard rails: held until it is whole and found well, then handed on, streamed or not. So nothing of what is
 * denied ever leaves, however the engine cut it into chunks; and what goes wrong early is cut early.
 */
export function railedAnswer(flow: Flow, answer: Answer, check: AnswerCheck, deny: (why: Refusal) => void): Answer {
  const held: Piece[] = []
  const said = new AnswerText()
  let denied = false
  const refuse = (why: Refusal | undefined): void => {
    if (!why || denied) return
    denied = true
    held.length = 0
    deny(why)
  }
  /** Of an engine that ended without saying so: what is denied of its answer only now. */
  const judged = (): Refusal | undefined => {
    if (!denied) flow.denial ??= check.whole(said)
    return flow.denial
  }
  const handOn = (): void => {
    answer.write(held.splice(0))
  }
  return {
    write(pieces) {
      if (denied) return
      for (const piece of pieces) {
        held.push(piece)
        said.add(piece)
      }
      // While the engine has not said that it is done the line can still say how it ended.
      const whole = pieces.some((piece) => endsChoice(piece) || piece.kind === 'whole' || piece.kind === 'message')
      refuse(whole ? check.whole(said) : check.sofar(said))
    },
    release: () => answer.release(),
    kept(row) {
      if (row.outcome !== 'complete' || !answer.kept) return answer.kept?.(row)
      const late = judged()
      if (late) return answer.kept({ ...row, outcome: 'denied' })
      handOn()
      return answer.kept(row)
    },
    finish(_, ending) {
      if (ending.kind !== 'settled' || ending.outcome !== 'complete') return answer.finish(flow, ending)
      if (judged()) return answer.finish(flow, { kind: 'settled', outcome: 'denied' })
      handOn()
      answer.finish(flow, ending)
    },
  }
}
