import type { ApplicationId, TenantId } from '../../units/ids.ts'

/** Why capacity could serve nobody: it is being emptied, it failed, a MIG cut left a piece over, or the power cap forbids it. */
export type StrandedCause = 'drained' | 'fault' | 'fragment' | 'cap'

/**
 * What a part of a metered device's idle capacity was kept for, in millionths of the device. What no claim names was there for
 * whoever came: the shared pool.
 */
export type IdleClaim = { readonly share_ppm: number } & (
  | { readonly kept: 'reserved'; readonly tenant: TenantId; readonly application: ApplicationId }
  | { readonly kept: 'stranded'; readonly cause: StrandedCause }
)

/** Engines share what they stand on in equal parts; one that takes no new work strands its part. */
export const claimsOn = (engines: readonly { readonly draining: boolean }[]): IdleClaim[] =>
  engines.flatMap(({ draining }) =>
    draining ? { kept: 'stranded', cause: 'drained', share_ppm: Math.round(1_000_000 / engines.length) } : [],
  )

/** How the idle of a board in slices is told apart: by the SMs of its slices, or not at all. */
export const idleRules = ['sms', 'pool'] as const
export type IdleRule = (typeof idleRules)[number]

/** What an engine has of a board. */
export interface BoardSlice {
  readonly sms: number
  readonly board_sms: number
  readonly draining: boolean
}

/**
 * By SMs: a slice whose engine takes no new work strands its part, and SMs that no slice has are a fragment. The rest is for whoever comes.
 */
export function claimsOnSlices(slices: readonly BoardSlice[], rule: IdleRule): IdleClaim[] {
  const board = Math.max(...slices.map(({ board_sms }) => board_sms))
  if (rule === 'pool' || !(board > 0)) return []
  const ppm = (sms: number): number => Math.round((sms * 1_000_000) / board)
  const left = board - slices.reduce((sum, { sms }) => sum + sms, 0)
  return [
    ...slices.flatMap(({ sms, draining }): IdleClaim[] =>
      draining ? [{ kept: 'stranded', cause: 'drained', share_ppm: ppm(sms) }] : [],
    ),
    ...(left > 0 ? [{ kept: 'stranded', cause: 'fragment', share_ppm: ppm(left) } as const] : []),
  ]
}
