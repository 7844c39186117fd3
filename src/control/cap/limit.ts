import type { Watts } from '../../units/quantity.ts'
import { smaller } from '../../units/quantity.ts'

/** Power that must not be exceeded: of a site, a row, a rack or a feed. One engine may be under several. */
export interface PowerLimit {
  readonly name: string
  readonly limit: Watts
  /** Engines under it; null: all. */
  readonly engines: readonly string[] | null
  /** The most that is drawn under it by what nobody here can turn down: fans, hosts without a meter, other tenants. */
  readonly other: Watts
  readonly events: readonly PowerEvent[]
}

/** For some time it is lower: demand response, a brown-out, a peak of the tariff. */
export interface PowerEvent {
  readonly id: string
  readonly limit: Watts
  readonly from_ms: number
  readonly until_ms: number
}

export const covers = ({ engines }: PowerLimit, engine: string): boolean => engines?.includes(engine) ?? true

/** The least of what holds at some time in [from, to]: whoever looks ahead is below it when it begins. */
export const lowestIn = ({ limit, events }: PowerLimit, from_ms: number, to_ms: number): Watts =>
  events
    .filter((event) => event.from_ms <= to_ms && event.until_ms > from_ms)
    .reduce((lowest, event) => smaller(lowest, event.limit), limit)

export const limitAt = (limit: PowerLimit, at_ms: number): Watts => lowestIn(limit, at_ms, at_ms)
