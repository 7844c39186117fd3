import { hour_ms } from '../../../books/cost-hour.ts'
import { leaves } from '../../../plant/energy/levels.ts'
import { all } from '../query.ts'
import { meterPlaces } from '../registry/places.ts'
import type { Store } from '../store.ts'
import type { LineTime } from './line-time.ts'

const measuring = `
  select distinct engine, meter from engine_meter
  where from_ms < ? and (until_ms is null or until_ms > ?) order by meter, engine`

/** Engines that a meter, or those below it, measured in a time; of a meter that was given to none, the engine inside. */
export function measuredEngines(
  { database }: Pick<Store, 'database'>,
  { from, to }: Pick<LineTime, 'from' | 'to'>,
): (meter: string) => string[] {
  const given = Map.groupBy(
    all<{ engine: string; meter: string }>(database, measuring, to * hour_ms, from * hour_ms),
    ({ meter }) => meter,
  )
  const inside = all<{ name: string }>(database, "select name from engine where vendor = 'llama' order by name")
  const places = meterPlaces({ database })
  return (meter) => [
    ...new Set(
      leaves(places, meter, to * hour_ms - 1).flatMap(
        (leaf) => given.get(leaf)?.map(({ engine }) => engine) ?? inside.map(({ name }) => name),
      ),
    ),
  ]
}
