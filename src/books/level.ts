/** The rest of an upper meter (`plant/energy/levels.ts`) → those who bear it, by the rule that was declared. */
import type { LevelState, MeterPlace } from '../plant/energy/levels.ts'
import { apportion } from '../units/amount.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'

/** Who bears a part of the energy below, and under which name: an attempt's, or that of an account of idle or overhead. */
export interface Borne {
  readonly name: string
  readonly to: Account
  readonly request: string | null
  readonly weight: bigint
}

/** A meter directly below: what it showed in the interval, how many chips it counts, and who bears its energy. */
export interface Below {
  readonly meter: string
  readonly energy_mj: bigint
  readonly chips: number
  readonly borne: readonly Borne[]
}

export interface Rest {
  readonly meter: string
  readonly sequence: number
  readonly to_ms: number
  readonly state: LevelState
  readonly booked_mj: bigint
}

/**
 * Transfers that add up to what is booked, exactly: to the meters below as the rule says, and in each to those who bear its energy, in
 * proportion. What cannot be told from the energy of a meter that was not seen is nobody's by any rule: overhead, by its own name.
 */
export function shareRest(
  rest: Rest,
  { level, rule }: Pick<MeterPlace, 'level' | 'rule'>,
  below: readonly Below[],
): Transfer[] {
  if (rest.booked_mj === 0n) return []
  const parts = new Map<string, { to: Account; request: string | null; amount: bigint }>()
  const give = (name: string, to: Account, request: string | null, amount: bigint): void => {
    parts.set(name, { to, request, amount: (parts.get(name)?.amount ?? 0n) + amount })
  }
  const nobody = (amount: bigint): void => {
    const to = accounts.overheadEnergy(rest.state === 'below unseen' ? 'unseen' : level)
    give(to, to, null, amount)
  }
  const weights = below.map(({ energy_mj, chips }) => (rule === 'energy' ? energy_mj : BigInt(chips)))
  if (rest.state !== 'whole' || rule === 'overhead' || weights.every((weight) => weight === 0n)) nobody(rest.booked_mj)
  else
    for (const [at, part] of apportion(rest.booked_mj, weights).entries()) {
      const bearers = (below[at]?.borne ?? []).filter(({ weight }) => weight > 0n)
      if (bearers.length === 0) nobody(part)
      else
        for (const [which, amount] of apportion(
          part,
          bearers.map(({ weight }) => weight),
        ).entries()) {
          const bearer = bearers[which]
          if (bearer) give(bearer.name, bearer.to, bearer.request, amount)
        }
    }
  return [...parts]
    .filter(([, { amount }]) => amount > 0n)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { to, request, amount }]) => ({
      id: `${rest.meter}/${rest.sequence}/${name}`,
      unit: 'mJ',
      from: accounts.meter(rest.meter),
      to,
      amount,
      request,
      at_ms: rest.to_ms,
    }))
}
