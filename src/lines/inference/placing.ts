import { serves } from '../../plant/infrastructure/replica.ts'
import type { Seconds } from '../../units/quantity.ts'
import { minus } from '../../units/quantity.ts'
import type { Flow } from './flow.ts'
import { blockTokens } from './prefix.ts'
import type { Placing } from './replica-view.ts'
import { sloTerms } from './slo.ts'

const nothing: readonly number[] = []

/** What is known of a request that is to be placed now. `heard`: other gateways whose load is known. */
export function placingOf(flow: Flow, now: Seconds, heard: number): Placing {
  const { promptEstimate, slo } = flow.ask
  // Where one replica alone serves the model, nothing is chosen by what lies in whose cache: long prompts are spared the look.
  const looked = !isAlone(flow)
  const beginnings = looked ? flow.ask.beginnings : undefined
  return {
    model: flow.model,
    prompt: promptEstimate,
    output: Math.max(1, flow.reserved - promptEstimate),
    blocks: beginnings?.blocks ?? nothing,
    blockTokens: beginnings?.tokens ?? blockTokens,
    looked,
    promise: sloTerms[slo].ttft,
    due: minus(sloTerms[slo].ttft, minus(now, flow.askedAt)),
    gateways: senders(flow, heard),
  }
}

/** This gateway, and those whose load can only be guessed from its own. */
export const senders = ({ snapshot }: Flow, heard: number): number => Math.max(1, snapshot.gateways - heard)

function isAlone({ snapshot, model }: Flow): boolean {
  let able = 0
  for (const replica of snapshot.replicas) if (serves(replica, model) && ++able > 1) return false
  return true
}
