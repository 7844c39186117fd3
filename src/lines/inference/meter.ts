import type { PriceVersion } from '../../books/price.ts'
import type { Attempt, CloseRow, OpenRow, Outcome } from '../../books/row.ts'
import type { Usage } from '../../books/usage.ts'
import { filledFrom, missingUsage, usageFrom } from '../../books/usage.ts'
import { assert } from '../../units/assert.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { EngineFault, Flow, Hit, Rival } from './flow.ts'
import { billedPrice, priceAtSite } from './flow-price.ts'

const ms = (time: Seconds): number => Math.round(time * 1000)

/**
 * S4: what the attempt under way used. The engine's own figures come first, class by class; what it left out is taken
 * from what passed us: its word at the start, the chunks, and for the prompt of a foreign engine its size.
 * An attempt that never began and sent nothing has a missing usage, which is not a zero one.
 */
export function metered(flow: Flow, told: Usage | undefined, of: Flow | Rival = flow): Attempt {
  assert(of.replica, 'an attempt has a replica')
  return {
    number: of.attempt,
    replica: of.replica.id,
    ...(of.replica.site && { site: of.replica.site }),
    usage: filledFrom(told ?? missingUsage, passed(flow, of)),
    ...(of.hedge && { hedge: of.hedge }),
    ...(of.choice && { choice: of.choice }),
    ...(of !== flow && { lost: true }),
  }
}

function passed(flow: Flow, { begun, produced }: Flow | Rival): Usage {
  if (begun) {
    const input = usageFrom('engine', { ...begun, cache_write: 0, reasoning: 0 })
    return { ...input, output_visible: { tokens: produced, source: 'counted' } }
  }
  if (produced === 0) return missingUsage
  return {
    ...usageFrom('estimated', { input_uncached: flow.ask.promptEstimate }),
    output_visible: { tokens: produced, source: 'counted' },
  }
}

/** The outcome that a fault is for the client. */
export function outcomeOf(fault: EngineFault): Outcome {
  switch (fault) {
    case 'bad_request':
    case 'unsupported':
    case 'context_length':
    case 'unknown_model':
      return 'rejected'
    case 'timed_out':
      return 'timeout'
    case 'truncated':
      return 'truncated'
    default:
      return 'upstream_error'
  }
}

function asked(flow: Flow, price: PriceVersion | undefined): Omit<OpenRow, 'kind' | 'reserved_tokens'> {
  const { model } = flow
  const { grant } = flow.ask
  const at_ms = ms(flow.admittedAt)
  return {
    id: flow.id,
    tenant: grant.tenant,
    application: grant.application,
    key: grant.key,
    model,
    price_version: price?.version ?? null,
    snapshot: flow.snapshot.number,
    at_ms,
  }
}

/** Who will answer is not known yet: it names the price of all sites, and only the close row is charged. */
export const openRow = (flow: Flow): OpenRow => ({
  ...asked(flow, priceAtSite(flow, undefined)),
  kind: 'open',
  reserved_tokens: flow.reserved,
})

const cachedOf = ({ from, site, usage }: Hit): CloseRow['cached'] & {} => ({ from, ...(site && { site }), usage })

export const closeRow = (flow: Flow, outcome: Outcome, now: Seconds): CloseRow => ({
  ...asked(flow, billedPrice(flow)),
  kind: 'close',
  closed_ms: ms(now),
  queued_ms: ms(flow.admittedAt) - ms(flow.askedAt),
  ttft_ms: flow.firstAt === undefined ? null : ms(flow.firstAt) - ms(flow.askedAt),
  stream: flow.ask.stream,
  outcome,
  attempts: [...flow.attempts],
  ...(flow.hit && { cached: cachedOf(flow.hit) }),
})
