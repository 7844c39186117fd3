import { leaves } from '../../../plant/energy/levels.ts'
import { all } from '../query.ts'
import { meterPlaces } from '../registry/places.ts'
import type { Store } from '../store.ts'

interface Measured {
  readonly engine: string
  readonly meter: string
  readonly from_ms: number
  readonly until_ms: number | null
}

const measuring = 'select engine, meter, from_ms, until_ms from engine_meter order by meter, engine'

/** Engines that a meter, or those below it, measured in [from, to), ms; of a meter that was never given to any, the engine inside. */
export function measuredEngines({
  database,
}: Pick<Store, 'database'>): (meter: string, from_ms: number, to_ms: number) => string[] {
  const given = Map.groupBy(all<Measured>(database, measuring), ({ meter }) => meter)
  const inside = all<{ name: string }>(database, "select name from engine where vendor = 'llama' order by name")
  const places = meterPlaces({ database })
  return (meter, from_ms, to_ms) => {
    const measured = (leaf: string): string[] =>
      given
        .get(leaf)
        ?.filter((one) => one.from_ms < to_ms && (one.until_ms === null || one.until_ms > from_ms))
        .map(({ engine }) => engine) ?? inside.map(({ name }) => name)
    return [...new Set(leaves(places, meter, to_ms - 1).flatMap(measured))]
  }
}
