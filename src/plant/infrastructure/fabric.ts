import { type BytesPerSecond, bytesPerSecond } from '../../units/quantity.ts'
import type { ChipCard } from '../chips/card.ts'
import { efficiencyOf } from '../chips/efficiency.ts'

/** Line rates of the networks between nodes, per port and direction. */
export const ports = {
  'ethernet-100': bytesPerSecond(100e9 / 8),
  'ethernet-200': bytesPerSecond(200e9 / 8),
  'ethernet-400': bytesPerSecond(400e9 / 8),
  'infiniband-hdr': bytesPerSecond(200e9 / 8),
  'infiniband-ndr': bytesPerSecond(400e9 / 8),
  'infiniband-xdr': bytesPerSecond(800e9 / 8),
} as const satisfies Readonly<Record<string, BytesPerSecond>>
export type Port = keyof typeof ports

/** How many chips may share the layers of a model, and why no more. */
export interface Ways {
  readonly most: number
  readonly why: string
}

/** Below this, moving activations between layers takes longer than the layers: measured 1 GB/s on L40S, 25 on RTX PRO 6000. */
const SLOW = bytesPerSecond(50e9)
const HOPELESS = bytesPerSecond(10e9)

/**
 * The largest tensor-parallel group within one scale-up domain of `domain` chips.
 *
 * Every layer waits for two all-reduces, so it is the measured all-reduce that counts, not the link's rate: on PCIe a group
 * of eight reaches a hundredth of it. Pipeline stages only hand over activations, and may lie on different nodes.
 */
export function tensorParallelLimit(chip: ChipCard, domain: number): Ways {
  const { of } = efficiencyOf(chip.id)
  const reduce = of.allReduce?.bytesPerSecond ?? chip.link
  if (reduce === null) return { most: 1, why: `how fast ${chip.name} talks to its neighbours is unknown` }
  const rate = `${(reduce / 1e9).toFixed(0)} GB/s`
  if (reduce < HOPELESS) return { most: 1, why: `all-reduce between ${chip.name} was measured at ${rate}` }
  if (reduce < SLOW)
    return { most: Math.min(2, domain), why: `neighbours of ${chip.name} reach each other at ${rate} only` }
  return { most: domain, why: `${domain} chips lie in one scale-up domain` }
}
