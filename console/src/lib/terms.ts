/** What was agreed beside prices and credit, as the operator tells it. */
export interface Agreed {
  readonly version: number
  readonly kind: 'free' | 'graduated' | 'volume' | 'commitment'
  readonly model: string | null
  readonly class: string | null
  readonly tokens?: string
  readonly usd?: string
  readonly by?: 'tokens' | 'usd'
  readonly tiers?: readonly { readonly from: string; readonly percent: string }[]
  /** UTC. */
  readonly from: string
}

/** As the factory sees it. */
export interface Declared extends Agreed {
  /** Null: all that have none of their own. */
  readonly tenant: string | null
  readonly state: 'in force' | 'later' | 'replaced' | 'ends' | 'ended'
  readonly note: string
}

/** As its tenant sees it. */
export interface OwnTerms extends Agreed {
  /** What this month came to, in what it counts. */
  readonly used: string
}

export const kinds: Readonly<Record<Agreed['kind'], string>> = {
  free: 'free quota',
  graduated: 'price by tier',
  volume: 'price by volume',
  commitment: 'commitment',
}

/** What it counts, with its unit. */
export function counted({ tokens, by }: Agreed, amount: string): string {
  if (tokens === undefined && by !== 'tokens') return `$${amount}`
  return `${amount.replace(/\B(?=(\d{3})+$)/g, '\u202f')} tokens`
}

/** What a month has of it, in a few words. */
export function inWords(of: Agreed): string {
  const amount = of.tokens ?? of.usd
  if (of.kind === 'commitment') return `${counted(of, amount ?? '0')} at least`
  if (amount !== undefined) return `${counted(of, amount)} free`
  return (of.tiers ?? []).map(({ from, percent }) => `from ${counted(of, from)} ${percent} % off`).join(', ')
}
