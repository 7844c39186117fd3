import type { IdleClaim } from '../plant/energy/idle.ts'
import { apportion } from '../units/amount.ts'
import type { Account } from './account.ts'
import { accounts } from './account.ts'

/** All of a device, in the unit of claims. */
const whole_ppm = 1_000_000n

/**
 * Idle energy → its three named accounts: reserved warm to the owner of the reservation, stranded by its cause, and the rest to
 * the shared pool. The parts are the whole, to the millijoule; claims on more than the device share what there is.
 */
export function divideIdle(energy: bigint, claims: readonly IdleClaim[]): { to: Account; amount: bigint }[] {
  const parts = new Map<Account, bigint>()
  for (const claim of claims) {
    const to = accountOf(claim)
    parts.set(to, (parts.get(to) ?? 0n) + BigInt(Math.max(0, Math.round(claim.share_ppm))))
  }
  const claimed = [...parts.values()].reduce((sum, part) => sum + part, 0n)
  const pool = claimed < whole_ppm ? whole_ppm - claimed : 0n
  const order = [[accounts.idle(), pool] as const, ...[...parts].sort(([a], [b]) => (a < b ? -1 : 1))]
  const shares = apportion(
    energy,
    order.map(([, part]) => part),
  )
  return order.map(([to], at) => ({ to, amount: shares[at] ?? 0n }))
}

const accountOf = (claim: IdleClaim): Account =>
  claim.kept === 'reserved' ? accounts.reserved(claim.tenant, claim.application) : accounts.stranded(claim.cause)
