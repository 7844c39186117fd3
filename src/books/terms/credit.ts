import type { NanoDollars } from '../../units/amount.ts'
import { apportion } from '../../units/amount.ts'

/** `prepaid`: paid for, and owed to the tenant until it is used. `promo`: a gift, and never revenue. */
export const creditKinds = ['prepaid', 'promo'] as const
export type CreditKind = (typeof creditKinds)[number]

/** Pays charges of its tenant, in hours from `from_hour` until before `until_hour`. */
export interface Credit {
  readonly id: string
  readonly tenant: string
  readonly kind: CreditKind
  readonly amount: NanoDollars
  readonly granted_ms: number
  readonly from_hour: number
  /** Null: it does not end. */
  readonly until_hour: number | null
  /** It ended because what was left was given back, and not because its time was over. */
  readonly returned: boolean
  readonly note: string
}

/** Whether it pays: `later` it will, `in use` it does, `used up` nothing is left of it, `ended` its time is over. */
export type CreditState = 'later' | 'in use' | 'used up' | 'ended'

export function creditState({ from_hour, until_hour }: Credit, left: bigint, hour: number): CreditState {
  if (until_hour !== null && hour >= until_hour) return 'ended'
  if (left <= 0n) return 'used up'
  return hour < from_hour ? 'later' : 'in use'
}

/** Gifts first, then what ends first, then what is older: nothing expires for having waited its turn. */
export const inDrawOrder = (credits: readonly Credit[]): Credit[] =>
  [...credits].sort(
    (a, b) =>
      Number(a.kind === 'prepaid') - Number(b.kind === 'prepaid') ||
      (a.until_hour ?? Number.POSITIVE_INFINITY) - (b.until_hour ?? Number.POSITIVE_INFINITY) ||
      a.granted_ms - b.granted_ms ||
      (a.id < b.id ? -1 : 1),
  )

export interface Draw {
  readonly credit: Credit
  readonly application: string
  readonly amount: bigint
}

/**
 * What credits pay of an hour. `owed`: by application, below zero where more came back than was charged; `carried`: what came back in
 * hours before and is still in the tenant's favour, at most 0. Gives what is carried on.
 */
export function draw(
  credits: readonly Credit[],
  left: Map<string, bigint>,
  owed: ReadonlyMap<string, bigint>,
  carried: bigint,
): { readonly draws: readonly Draw[]; readonly carried: bigint } {
  const all = [...owed.values()].reduce((sum, amount) => sum + amount, carried)
  if (all <= 0n) return { draws: [], carried: all }
  const payers = [...owed].filter(([, amount]) => amount > 0n).sort(([a], [b]) => (a < b ? -1 : 1))
  let open = apportion(
    all,
    payers.map(([, amount]) => amount),
  )
  const draws: Draw[] = []
  for (const credit of inDrawOrder(credits)) {
    const has = left.get(credit.id) ?? 0n
    const rest = open.reduce((sum, amount) => sum + amount, 0n)
    const pays = has < rest ? has : rest
    if (pays <= 0n) continue
    const parts = apportion(pays, open)
    for (const [at, [application]] of payers.entries()) {
      const amount = parts[at] ?? 0n
      if (amount > 0n) draws.push({ credit, application, amount })
    }
    open = open.map((amount, at) => amount - (parts[at] ?? 0n))
    left.set(credit.id, has - pays)
  }
  return { draws, carried: 0n }
}
