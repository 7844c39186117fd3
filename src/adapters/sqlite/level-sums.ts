/** What upper meters showed over some hours, beside those below them. */
import { measuredPue } from '../../books/pue.ts'
import { type MeterPlace, placeAt } from '../../plant/energy/levels.ts'
import { allBig } from './query.ts'
import { meterPlaces } from './registry/places.ts'
import type { Store } from './store.ts'

export interface LevelSums {
  readonly meter: string
  readonly level: MeterPlace['level']
  readonly share: MeterPlace['rule']
  readonly below: readonly string[]
  /** Joules; shown = below + rest − owed. */
  readonly shown_j: number
  readonly below_j: number
  readonly rest_j: number
  /** By how much the meters below showed more, and it was not made up for within the hour. */
  readonly owed_j: number
  /** Of the rest, what cannot be told from that of a meter below that was not seen. */
  readonly unseen_j: number
  readonly negative_intervals: number
  /** Of a facility: over the time in which all below was seen; null: too little of it was, or it is no facility's. */
  readonly pue: number | null
}

/** Millijoules of a large factory outgrow numbers. */
interface SumRow {
  readonly hours: bigint
  readonly energy_mj: bigint
  readonly below_mj: bigint
  readonly booked_mj: bigint
  readonly owed_mj: bigint
  readonly unseen_mj: bigint
  readonly negative: bigint
  readonly whole_ms: bigint
  readonly whole_mj: bigint
  readonly whole_below_mj: bigint
}

const sums = `
  select count(*) as hours, sum(energy_mj) as energy_mj, sum(below_mj) as below_mj, sum(booked_mj) as booked_mj,
    sum(owed_mj) as owed_mj, sum(unseen_mj) as unseen_mj, sum(negative) as negative, sum(whole_ms) as whole_ms,
    sum(whole_mj) as whole_mj, sum(whole_below_mj) as whole_below_mj
  from upper_hour where meter = ? and hour >= ?`

/** Of the meters that are above others now, from an hour on. Joules as people read them; the exact ones are the ledger's. */
export function levelSums({ database }: Pick<Store, 'database'>, from_hour: number, now_ms: number): LevelSums[] {
  const places = meterPlaces({ database })
  return places
    .filter(({ meter, until_ms }) => until_ms === null && placeAt(places, meter, now_ms) !== undefined)
    .map(({ meter, level, rule, below }) => {
      const [found] = allBig<SumRow>(database, sums, meter, from_hour)
      const joules = (mj: bigint | null | undefined): number => Number(mj ?? 0n) / 1000
      return {
        ...{ meter, level, share: rule, below },
        shown_j: joules(found?.energy_mj),
        below_j: joules(found?.below_mj),
        rest_j: joules(found?.booked_mj),
        owed_j: joules(found?.owed_mj),
        unseen_j: joules(found?.unseen_mj),
        negative_intervals: Number(found?.negative ?? 0n),
        pue: level === 'facility' && found ? ratioOf(meter, found) : null,
      }
    })
}

/** By the rule of an hour, over all of them. */
function ratioOf(meter: string, { hours, whole_ms, whole_mj, whole_below_mj }: SumRow): number | null {
  if (hours === 0n) return null
  const energy = { energy_mj: whole_mj, below_mj: whole_below_mj }
  const ppm = measuredPue({ meter, hour: 0, whole_ms: Number(whole_ms) / Number(hours), ...energy })
  return ppm === undefined ? null : Number(ppm) / 1e6
}
