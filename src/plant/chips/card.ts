import type { Bytes, BytesPerSecond, FlopsPerSecond, Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'

/** Number formats that chips multiply in. */
export const dtypes = ['fp16', 'bf16', 'fp8', 'int8', 'fp4'] as const
export type Dtype = (typeof dtypes)[number]

/** Bytes that one weight or one cached value takes in a format. */
export const bytesOf: Readonly<Record<Dtype, number>> = { fp16: 2, bf16: 2, fp8: 1, int8: 1, fp4: 0.5 }

/**
 * What a prediction needs to know of a chip, a MIG slice or a capped card: ceilings, not promises. `null` is unknown and
 * stays so: who needs the value refuses, or asks its user.
 */
export interface ChipCard {
  readonly id: string
  readonly name: string
  /** Dense peak by number format; `null` where the chip lacks the format or nobody says. */
  readonly peak: Readonly<Record<Dtype, FlopsPerSecond | null>>
  readonly memory: Bytes | null
  readonly bandwidth: BytesPerSecond | null
  /** To each neighbour that it scales up with, in one direction where `interconnect` says so. */
  readonly link: BytesPerSecond | null
  readonly idle: Watts | null
  /** Thermal design power of chip or board. */
  readonly full: Watts | null
}

/** Least and most that a chip draws, and whether the least is somebody's figure or our rule of thumb. */
export interface PowerRange {
  readonly idle: Watts
  readonly full: Watts
  readonly idleFrom: 'stated' | 'assumed'
}

/**
 * Idle is taken as 10 % of TDP where nobody states it: 75 W of 700 W and 63 W of 400 W are the published constants for
 * H100 and A100 (splitwise-sim). `undefined` when the TDP is unknown, as it is for TPU, Trainium and Inferentia.
 */
export function powerRange(chip: ChipCard): PowerRange | undefined {
  if (chip.full === null) return undefined
  if (chip.idle !== null) return { idle: chip.idle, full: chip.full, idleFrom: 'stated' }
  return { idle: watts(0.1 * chip.full), full: chip.full, idleFrom: 'assumed' }
}
