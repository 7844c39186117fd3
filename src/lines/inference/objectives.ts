import type { CloseRow, Outcome } from '../../books/row.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { Refusal } from './errors.ts'
import { errorCatalogue } from './errors.ts'

/** What a good answer is, beyond being one. */
export interface Objectives {
  /** Request to first token, waiting included. */
  readonly ttft: Seconds
  /** Mean time per token after the first. */
  readonly tpot: Seconds
}

export const objectiveNames = ['answered', 'ttft', 'tpot'] as const

/** Of one request: which objectives it met and which it missed. Those it says nothing about are left out. */
export type Verdicts = { readonly [Objective in (typeof objectiveNames)[number]]?: boolean }

/** What ends by the client's own doing, or by a guard rail's, is neither good nor bad: it would say who calls. */
const clientsDoing: ReadonlySet<Outcome> = new Set(['rejected', 'client_closed', 'denied'])

/** A settled request. Without a first token, through our fault, it was late as well. */
export function verdictsOf(row: CloseRow, tpot: Seconds | undefined, objectives: Objectives): Verdicts {
  const ours = !clientsDoing.has(row.outcome)
  const answered = ours ? row.outcome === 'complete' : undefined
  const ttft = row.ttft_ms === null ? (answered === false ? false : undefined) : row.ttft_ms <= objectives.ttft * 1000
  return {
    ...(answered !== undefined && { answered }),
    ...(ttft !== undefined && { ttft }),
    ...(tpot !== undefined && { tpot: tpot <= objectives.tpot }),
  }
}

/** A request that was refused: ours to answer for when the factory could not, the client's when it may not. */
export const verdictsOfRefusal = ({ code }: Pick<Refusal, 'code'>): Verdicts =>
  errorCatalogue[code].status >= 500 ? { answered: false } : {}

/** Time per token after the first; undefined where there is only one, or none. */
export const tpotOf = (first: Seconds | undefined, last: Seconds, tokens: number): Seconds | undefined =>
  first === undefined || tokens < 2 ? undefined : (((last - first) / (tokens - 1)) as Seconds)
