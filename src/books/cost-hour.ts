/**
 * An hour's cost, posted when the hour is closed: what it is of → usage, waste, idle and overhead. The parts are the cost
 * exactly. What is learned of the hour later (a row that came late, a declaration that was wrong) is a correction: transfers of
 * the differences, under the next revision.
 */
import type { Series } from '../plant/energy/series.ts'
import { valueAt } from '../plant/energy/series.ts'
import { apportion } from '../units/amount.ts'
import type { Account, LedgerUnit, Transfer } from './account.ts'
import type { Bearing } from './cost-share.ts'

export const hour_ms = 3_600_000
/** Counted from 1970, UTC. */
export const hourOf = (at_ms: number): number => Math.floor(at_ms / hour_ms)

/** What one thing cost in one hour, and who bears it in which proportion. */
export interface HourCost {
  readonly source: Account
  readonly hour: number
  readonly unit: LedgerUnit
  readonly amount: bigint
  readonly bearings: readonly Bearing[]
}

/** One source's hour, and how much of it somebody worked; both 0 where it is no machine's time. */
export interface SourceHour extends HourCost {
  readonly busy_s: number
  readonly all_s: number
}

export type Borne = ReadonlyMap<Account, bigint>

/** The same, with what each account bears: as small as the number of accounts, whatever the number of requests. */
export interface BorneHour extends Omit<SourceHour, 'bearings'> {
  readonly borne: Borne
}

export function borneHour({ bearings, ...cost }: SourceHour): BorneHour {
  return { ...cost, borne: borneOf({ bearings, ...cost }) }
}

/** Its parts by account: they add up to it (largest remainder, accounts in the order of their names). */
export function borneOf({ amount, bearings }: HourCost): Borne {
  const weights = new Map<Account, bigint>()
  for (const { to, weight } of bearings) if (weight > 0n) weights.set(to, (weights.get(to) ?? 0n) + weight)
  const order = [...weights].sort(([a], [b]) => (a < b ? -1 : 1))
  if (amount === 0n || order.length === 0) return new Map()
  const parts = apportion(
    amount,
    order.map(([, weight]) => weight),
  )
  return new Map(order.map(([to], at) => [to, parts[at] ?? 0n] as const).filter(([, part]) => part > 0n))
}

/** An hour's transfers of one source and unit are named under it. */
export const costName = (hour: number, source: Account, unit: LedgerUnit): string =>
  `cost/${hour}/${encodeURIComponent(source)}/${unit}`

/** Whether a transfer is one of cost; no request, meter or engine has a name that begins so. */
export const isCost = (id: string): boolean => id.startsWith('cost/')

/** What must move so that each account bears its part. `before`: what it bears already. */
export function postHour(cost: Omit<BorneHour, 'busy_s' | 'all_s'>, before: Borne, revision: number): Transfer[] {
  const { hour, source, unit, borne: now } = cost
  return [...new Set([...now.keys(), ...before.keys()])].sort().flatMap((to, at): Transfer[] => {
    const difference = (now.get(to) ?? 0n) - (before.get(to) ?? 0n)
    if (difference === 0n) return []
    return [
      {
        id: `${costName(hour, source, unit)}/${revision}/${at}`,
        unit,
        from: difference > 0n ? source : to,
        to: difference > 0n ? to : source,
        amount: difference > 0n ? difference : -difference,
        request: null,
        at_ms: (hour + 1) * hour_ms - 1,
      },
    ]
  })
}

/** What transfers of one source come to, account by account. */
export function borneBy(source: Account, transfers: Iterable<Pick<Transfer, 'from' | 'to' | 'amount'>>): Borne {
  const borne = new Map<Account, bigint>()
  for (const { from, to, amount } of transfers) {
    const [account, moved] = from === source ? [to, amount] : [from, -amount]
    borne.set(account, (borne.get(account) ?? 0n) + moved)
  }
  return new Map([...borne].filter(([, amount]) => amount !== 0n))
}

const samples = 12
const mjPerKwh = 3_600_000_000n
const whole_ppm = 1_000_000n

/**
 * What an hour's energy costs (or emits): E × mean of PUE(t) × price(t), over every five minutes of the hour, half up.
 *
 * mJ, millionths, and nano-USD or µgCO2e per kWh.
 */
export function energyCost(energy_mj: bigint, hour: number, price: Series, pue: Series | undefined): bigint {
  let sum = 0n
  for (let at = 0; at < samples; at++) {
    const at_ms = hour * hour_ms + (at * hour_ms) / samples
    sum += valueAt(price, at_ms) * (pue ? valueAt(pue, at_ms) : whole_ppm)
  }
  const per = BigInt(samples) * whole_ppm * mjPerKwh
  return (2n * energy_mj * sum + per) / (2n * per)
}

/** E × mean of PUE(t): what was drawn before it reached the servers; mJ. */
export const withPue = (energy_mj: bigint, hour: number, pue: Series): bigint =>
  energyCost(energy_mj, hour, { usual: mjPerKwh }, pue)
