import { type Bytes, type BytesPerSecond, bytesPerSecond, type Seconds, seconds } from '../../units/quantity.ts'
import type { ChipCard } from '../chips/card.ts'

/** Where weights can lie, from the nearest to the farthest. */
export const tiers = ['hbm', 'host', 'nvme', 'object'] as const
export type Tier = (typeof tiers)[number]

/** How fast a node reads its own memory, its drives, and the object store. All GPUs of a node share each. */
export interface Storage {
  readonly host: BytesPerSecond
  readonly nvme: BytesPerSecond
  readonly object: BytesPerSecond
}

/**
 * Rates for nodes that state none, all of them assumptions: memory of eight DDR5-4800 channels (8 × 38.4 GB/s), two NVMe
 * drives on PCIe 4 x4 (2 × 7 GB/s of 7.88), and an object store over one port of 100 Gbit/s.
 */
export const assumedStorage: Storage = {
  host: bytesPerSecond(307e9),
  nvme: bytesPerSecond(14e9),
  object: bytesPerSecond(12.5e9),
}

/**
 * One direction of the slot that a card sits in, by specification: x16 of PCIe 5 is 64 GB/s, of PCIe 4 32 GB/s, which Ampere,
 * Ada and older cards have.
 */
export const slotRate = ({ id }: ChipCard): BytesPerSecond =>
  bytesPerSecond(/^(a100|a10g|l4|t4|mi2|gaudi2)/.test(id) ? 32e9 : 64e9)

/**
 * Time to bring weights onto the chips of a replica: bytes over the slowest of tier and slots. Each chip takes its part
 * through its own slot; the tier is shared. Weights that lie in HBM take none.
 */
export function loadTime(weights: Bytes, from: Tier, storage: Storage, slot: BytesPerSecond, chips: number): Seconds {
  if (from === 'hbm') return seconds(0)
  return seconds(weights / Math.min(storage[from], slot * chips))
}

/**
 * From the decision to the first request: loading, and then the engine's own start (graphs, kernels, first allocation),
 * which depends on the engine and is measured or stated, never derived.
 */
export const warmUp = (load: Seconds, engineStart: Seconds): Seconds => seconds(load + engineStart)
