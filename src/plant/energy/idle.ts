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
