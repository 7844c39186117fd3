/** What upper meters showed over some hours, beside those below them. */
import { measuredPue } from '../../books/pue.ts'
import { type MeterPlace, placeAt } from '../../plant/energy/levels.ts'
import { all } from './query.ts'
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

interface SumRow {
  readonly hours: number
  readonly energy_mj: number
  readonly below_mj: number
  readonly booked_mj: number
  readonly owed_mj: number
  readonly unseen_mj: number
  readonly negative: number
  readonly whole_ms: number
  readonly whole_mj: number
  readonly whole_below_mj: number
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
      const [found] = all<SumRow>(database, sums, meter, from_hour)
      const joules = (mj: number | null | undefined): number => (mj ?? 0) / 1000
      return {
        ...{ meter, level, share: rule, below },
        shown_j: joules(found?.energy_mj),
        below_j: joules(found?.below_mj),
        rest_j: joules(found?.booked_mj),
        owed_j: joules(found?.owed_mj),
        unseen_j: joules(found?.unseen_mj),
        negative_intervals: found?.negative ?? 0,
        pue: level === 'facility' && found ? ratioOf(meter, found) : null,
      }
    })
}

/** By the rule of an hour, over all of them. */
function ratioOf(meter: string, { hours, whole_ms, whole_mj, whole_below_mj }: SumRow): number | null {
  if (hours === 0) return null
  const energy = { energy_mj: BigInt(whole_mj), below_mj: BigInt(whole_below_mj) }
  const ppm = measuredPue({ meter, hour: 0, whole_ms: whole_ms / hours, ...energy })
  return ppm === undefined ? null : Number(ppm) / 1e6
}
