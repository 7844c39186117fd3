/** What each slice of a board counts in an interval. */

import type { CloseRow } from '../../books/row.ts'
import type { Seen } from '../../books/seen.ts'
import type { GivenSlice, SliceShare } from '../../books/slices.ts'
import { edgeWork, sliceShares } from '../../books/slices.ts'
import { timelinesOf, windowSeconds } from '../../books/window.ts'
import type { MeterInterval } from '../../plant/energy/meter.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { all } from './query.ts'
import { rowsUnderWay } from './seen.ts'
import type { Store } from './store.ts'

const givenIn = `
  select engine, slice, sms, board_sms, instance, from_ms, until_ms from engine_meter
  where meter = ? and from_ms < ? and (until_ms is null or until_ms > ?) order by engine, from_ms`

export interface OnSlices {
  /** With those whose slice was busy in it, though their seconds are its neighbours'. */
  readonly seen: readonly Seen[]
  /** Empty: the board is whole, or nobody worked on it. */
  readonly slices: readonly SliceShare[]
}

export function onSlices(
  store: Pick<Store, 'database'>,
  interval: MeterInterval,
  inSeconds: readonly Seen[],
): OnSlices {
  const { meter, from_ms, to_ms } = interval
  const given = all<GivenSlice>(store.database, givenIn, meter, to_ms, from_ms)
  if (given.every(({ sms }) => sms === null)) return { seen: inSeconds, slices: [] }
  const rows = rowsUnderWay(store, from_ms - 1000, to_ms + 1000)
  const engines = new Set(inSeconds.map(({ replica }) => replica))
  const seen = [...inSeconds, ...edgeWork(interval, given, engines, rows)]
  const slices = sliceShares(interval, given, {
    engines: new Set(seen.map(({ replica }) => replica)),
    near: new Set(rows.flatMap(({ attempts }) => attempts.map(({ replica }) => replica))),
    seconds: (engine, from, until) => busySeconds(engine, rows, { from, until }),
  })
  return { seen, slices }
}

function busySeconds(engine: ReplicaId, rows: readonly CloseRow[], range: { from: number; until: number }): number {
  const timelines = rows.flatMap((row) => timelinesOf(row, engine))
  return new Set(windowSeconds(timelines, undefined, range).map(({ second }) => second)).size
}
