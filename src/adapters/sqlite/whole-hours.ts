/** PUE by the hour as meters say it, from the sums that are kept of upper meters. */
import { measuredPue, type PueFacts, type WholeHour } from '../../books/pue.ts'
import { allBig } from './query.ts'
import { meterPlaces } from './registry/places.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

interface HourRow {
  readonly meter: string
  readonly hour: bigint
  readonly whole_ms: bigint
  readonly whole_mj: bigint
  readonly whole_below_mj: bigint
}

/** Hours [from, to). */
export const wholeHours = ({ database }: Reader, from: number, to: number): WholeHour[] =>
  allBig<HourRow>(
    database,
    'select meter, hour, whole_ms, whole_mj, whole_below_mj from upper_hour where hour >= ? and hour < ?',
    from,
    to,
  ).map(({ meter, hour, whole_ms, whole_mj, whole_below_mj }) => ({
    meter,
    hour: Number(hour),
    whole_ms: Number(whole_ms),
    energy_mj: whole_mj,
    below_mj: whole_below_mj,
  }))

/** For hours [from, to). */
export function pueFacts(store: Reader, declared: PueFacts['declared'], from: number, to: number): PueFacts {
  const hours = new Map(wholeHours(store, from, to).map((one) => [`${one.meter} ${one.hour}`, one]))
  return {
    declared,
    places: meterPlaces(store),
    measured: (meter, hour) => {
      const found = hours.get(`${meter} ${hour}`)
      return found && measuredPue(found)
    },
  }
}
