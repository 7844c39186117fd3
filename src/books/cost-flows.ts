/**
 * Cost as it flows through the ledger, from what it comes from to who bears it. Nothing is allocated: what is posted to nobody
 * in particular ends in an account of its own. Each flow names the accounts of its transfers, as patterns.
 */
import type { Account } from './account.ts'
import type { CostPart } from './cost-part.ts'
import { sumOfParts, usdText } from './cost-part.ts'
import { ownerOf } from './cost-place.ts'
import { joined } from './tally.ts'

export interface Flow {
  /** Names of nodes. */
  readonly from: string
  readonly to: string
  readonly amount: bigint
  /** Accounts that its transfers come out of; null: any. */
  readonly out: string | null
  /** Accounts that they go into. */
  readonly into: string
}

export interface FlowFacts {
  readonly unit: 'nano-USD' | 'ugCO2e'
  /** By source and kind, and by kind and bearer: sums that are kept apart, so that one proves the other. */
  readonly kinds: readonly CostPart[]
  readonly bearers: readonly CostPart[]
  readonly worked: ReadonlyMap<Account, bigint>
}

const usual = ['usage', 'idle', 'waste', 'overhead', 'making']

/**
 *     Σ sources = Σ usage, idle, waste, overhead, making = Σ who bears them        each residual is what is missing between two of these
 */
export function flowsAnswer({ unit, kinds, bearers, worked }: FlowFacts) {
  const text = (amount: bigint): string => (unit === 'nano-USD' ? usdText(amount) : amount.toString())
  const told = ({ amount, ...flow }: Flow) => ({ ...flow, amount: text(amount) })
  const sourced = [...Map.groupBy(kinds, ({ source, kind }) => joined(source, kind)).values()].map(ofSource)
  const borne = [...Map.groupBy(bearers, intoOf)].map(ofBearer)
  const totals = {
    worked_out: [...worked.values()].reduce((sum, amount) => sum + amount, 0n),
    sources: sumOfParts(kinds),
    bearers: sumOfParts(bearers),
  }
  return {
    unit: unit === 'nano-USD' ? ('USD' as const) : ('ugCO2e' as const),
    source: 'estimated' as const,
    total: text(totals.sources),
    residuals: {
      worked_out_less_sources: text(totals.worked_out - totals.sources),
      sources_less_bearers: text(totals.sources - totals.bearers),
    },
    flows: [...sourced.toSorted(byName), ...borne.toSorted(byName)].filter(({ amount }) => amount !== 0n).map(told),
  }
}

export type FlowsAnswer = ReturnType<typeof flowsAnswer>

function ofSource(parts: CostPart[]): Flow {
  const [{ source, kind } = { source: '', kind: '' }] = parts
  return { from: source, to: kind, amount: sumOfParts(parts), out: source, into: `cost/${kind}` }
}

/** Of a tenant what it used of all models is one flow. */
const intoOf = ({ kind, path }: CostPart): string =>
  joined('cost', kind, ...(kind === 'usage' ? path.slice(0, 1) : path))

/** What is kept warm for a tenant is borne by it, as what it uses. */
function ofBearer([into, parts]: [string, CostPart[]]): Flow {
  const [part] = parts
  const tenant = part && ownerOf(part)?.[0]
  return {
    from: part?.kind ?? '',
    to: tenant === undefined ? into.slice(into.indexOf('/') + 1) : joined('tenant', tenant),
    amount: sumOfParts(parts),
    out: null,
    into,
  }
}

const order = (kind: string): number => usual.indexOf(kind)
const byName = (a: Flow, b: Flow): number =>
  order(a.from) - order(b.from) || (a.from < b.from ? -1 : a.from > b.from ? 1 : a.to < b.to ? -1 : 1)
