import type { Place } from './route.ts'

export const ranges = ['15m', '1h', '6h', '24h', '7d', '30d'] as const
export type Range = (typeof ranges)[number]

/** As the address says, else the last hour. */
export const rangeOf = ({ query }: Place): Range => ranges.find((range) => range === query.range) ?? '1h'

/** How often its chart is asked for: a new slot is there so often, and nobody waits longer than half a minute. */
export const every_ms: Readonly<Record<Range, number>> = {
  '15m': 5_000,
  '1h': 10_000,
  '6h': 30_000,
  '24h': 30_000,
  '7d': 30_000,
  '30d': 30_000,
}
