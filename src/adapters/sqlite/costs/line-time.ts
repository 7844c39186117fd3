/** Hours whose lines are asked for, and how the sums that are kept of them are read. */
import type { MeteredHour } from '../../../books/facility.ts'
import type { Sums } from '../../../books/figures.ts'
import type { Stretch } from '../../../books/range.ts'

export interface LineTime {
  /** Hours [from, to). */
  readonly from: number
  readonly to: number
  readonly metered: readonly MeteredHour[]
}

export const stretchOf = ({ from, to }: LineTime): Stretch => ({ from_s: from * 3600, to_s: to * 3600, span: 3600 })

/** Sums under other names; those that come to have the same name are added up. */
export function renamed<Key>(sums: ReadonlyMap<Key, Sums>, nameOf: (key: Key) => string): Map<string, Sums> {
  const found = new Map<string, Map<string, number>>()
  for (const [key, of] of sums) {
    const into = found.get(nameOf(key)) ?? new Map<string, number>()
    found.set(nameOf(key), into)
    for (const [measure, amount] of of) into.set(measure, (into.get(measure) ?? 0) + amount)
  }
  return found
}
