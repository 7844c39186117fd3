import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Rail } from '../../lines/inference/rail.ts'
import { asSearched, bytesOf, compiled } from './compiled.ts'

/** The texts of an answer, as far as it has come. */
export interface Said {
  readonly texts: readonly string[]
  readonly contents: readonly string[]
  readonly size: number
}

export interface AnswerCheck {
  /** Why the answer may not go on; undefined: so far it may. */
  sofar(said: Said): Refusal | undefined
  /** Why the whole of it may not leave. */
  whole(said: Said): Refusal | undefined
}

/** About 250,000 tokens. A longer answer is not held, whatever a rail allows: it is memory of the gateway. */
const mostHeld = 1024 * 1024
/** It is searched again when it has doubled, so that all searches together cost no more than two of the whole. */
const firstSearch = 1024

/** What an answer's rails demand; undefined: none says anything of answers. */
export function answerCheck(rails: readonly Rail[]): AnswerCheck | undefined {
  const bound = rails.filter(({ output }) => output).map(compiled)
  if (bound.length === 0) return undefined
  let next = firstSearch
  const denies = ({ texts }: Said): Refusal | undefined => {
    const searched = texts.map(asSearched)
    for (const { rail, output: has } of bound) {
      if (!has) continue
      if (bytesOf(searched) > has.mostSearched)
        return refusal(
          'answer_too_large',
          `the answer is more than the patterns of guard rail ${rail.name} search in time`,
        )
      if (searched.some(has)) return refusal('answer_denied', `guard rail ${rail.name} withheld the answer`)
    }
    return undefined
  }
  const tooLarge = (said: Said): Refusal | undefined => {
    for (const { rail, output: has } of bound) {
      const most = Math.min(rail.output?.most_bytes ?? mostHeld, has?.mostBytes ?? mostHeld)
      if (said.size > most || (said.size * 4 > most && bytesOf(said.texts) > most))
        return refusal('answer_too_large', `the answer is larger than the ${most} bytes of guard rail ${rail.name}`)
    }
    return undefined
  }
  return {
    sofar(said) {
      const large = tooLarge(said)
      if (large || said.size < next) return large
      next = said.size * 2
      return denies(said)
    },
    whole: (said) => tooLarge(said) ?? denies(said) ?? unsatisfied(said),
  }

  function unsatisfied({ contents }: Said): Refusal | undefined {
    const found = bound.find(({ satisfies }) => satisfies && !contents.every(satisfies))
    return found && refusal('answer_invalid', `the answer does not satisfy the schema of guard rail ${found.rail.name}`)
  }
}
