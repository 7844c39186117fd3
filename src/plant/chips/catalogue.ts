/**
 * Every accelerator that we have facts on, with who states them; compiled in November 2026 from the sources named in each
 * row. Where sources disagree, the row's notes say how. A value that only marketing or memory supports is left out.
 */
import type { Accelerator, FactGroup } from './accelerator.ts'
import { amd } from './amd.ts'
import { aws } from './aws.ts'
import { google } from './google.ts'
import { nvidia } from './nvidia.ts'
import { others } from './others.ts'

export const accelerators: readonly Accelerator[] = [...nvidia, ...amd, ...google, ...aws, ...others]

const byId = new Map(accelerators.map((one) => [one.id, one]))

export const findAccelerator = (id: string): Accelerator | undefined => byId.get(id)

/** Which group of sources stands behind a fact. */
export const groupOf = {
  peak: 'specification',
  memory: 'specification',
  memoryType: 'specification',
  bandwidth: 'specification',
  link: 'specification',
  interconnect: 'specification',
  full: 'specification',
  idle: 'idle',
  rental: 'rental',
  ownership: 'ownership',
  purchase_usd: 'purchase',
  allIn: 'allIn',
} as const satisfies Partial<Record<keyof Accelerator, FactGroup>>

/** Who states a fact of a chip; none when the fact is unknown. */
export const sourcesOf = (chip: Accelerator, fact: keyof typeof groupOf): readonly string[] =>
  chip[fact] === null ? [] : (chip.sources[groupOf[fact]] ?? [])
