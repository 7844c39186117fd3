/** Which meters are below which: declared, never changed, and looked up by the moment of an interval. */
import type { MeterLevel, MeterPlace, RestRule } from '../../../plant/energy/levels.ts'
import { above } from '../../../plant/energy/levels.ts'
import type { Database } from '../../database/database.ts'
import { all } from '../query.ts'
import type { Store } from '../store.ts'
import { change, RegistryError, run } from './change.ts'
import type { MeterRecord } from './meters.ts'

interface PlaceRow extends Omit<MeterPlace, 'below'> {
  readonly below: string
}

/** All that were ever declared, oldest first. */
export const meterPlaces = ({ database }: { readonly database: Database }): MeterPlace[] =>
  all<PlaceRow>(database, 'select * from meter_place order by from_ms, meter').map(({ below, ...place }) => ({
    ...place,
    level: place.level as MeterLevel,
    rule: place.rule as RestRule,
    below: JSON.parse(below) as string[],
  }))

const current = (places: readonly MeterPlace[]): MeterPlace[] => places.filter(({ until_ms }) => until_ms === null)

/** Meters of facilities as they are now. */
export const facilityMeters = (store: { readonly database: Database }): Set<string> =>
  new Set(current(meterPlaces(store)).flatMap(({ meter, level }) => (level === 'facility' ? meter : [])))

export interface AskedPlace {
  readonly level: MeterLevel
  readonly rule: RestRule
  readonly below: readonly string[]
}

/**
 * From now on a meter is above others. It measures no engine by itself any more: what is below it does, and its joules would count
 * twice. A meter is read, and known by its name, as before.
 */
export function placeMeter(
  store: Store,
  { name, source }: MeterRecord,
  { level, rule, below }: AskedPlace,
  now_ms: number,
): void {
  change(store, () => {
    checkPlace(current(meterPlaces(store)), name, { level, rule, below })
    run(
      store,
      `insert into meter (name, source, created_ms) values (?, ?, ?)
       on conflict (name) do update set source = excluded.source`,
      name,
      JSON.stringify(source),
      now_ms,
    )
    run(store, 'update engine_meter set until_ms = ? where meter = ? and until_ms is null', now_ms, name)
    endPlaceOf(store, name, now_ms)
    run(
      store,
      'insert into meter_place (meter, level, rule, below, from_ms) values (?, ?, ?, ?, ?)',
      name,
      level,
      rule,
      JSON.stringify([...below].sort()),
      now_ms,
    )
  })
}

/** From now on nothing is below it, and it is read no more unless an engine was given it. */
export function endPlace(store: Store, name: string, now_ms: number): void {
  change(store, () => {
    const places = current(meterPlaces(store))
    if (!places.some(({ meter }) => meter === name))
      throw new RegistryError('not_found', `no meter ${name} is above others`, {
        param: 'meter',
        next: 'wattmill meters list',
      })
    const over = places.find(({ below }) => below.includes(name))
    if (over)
      throw new RegistryError('conflict', `${name} is below ${over.meter}`, {
        param: 'meter',
        next: `wattmill meters unplace ${over.meter}   (first)`,
      })
    endPlaceOf(store, name, now_ms)
  })
}

function endPlaceOf(store: Store, name: string, now_ms: number): void {
  run(store, 'delete from meter_place where meter = ? and from_ms >= ?', name, now_ms)
  run(store, 'update meter_place set until_ms = ? where meter = ? and until_ms is null', now_ms, name)
}

/** A tree: each meter is below one other at the most, none below itself, and a facility below nothing. */
function checkPlace(places: readonly MeterPlace[], name: string, { level, below }: AskedPlace): void {
  const wrong = (message: string): RegistryError => new RegistryError('invalid', message, { param: 'over' })
  const others = places.filter(({ meter }) => meter !== name)
  for (const one of below) {
    if (one === name) throw wrong(`${name} cannot be below itself`)
    const over = others.find((place) => place.below.includes(one))
    if (over) throw wrong(`${one} is below ${over.meter} already: its joules would count twice`)
    const its = others.find(({ meter }) => meter === one)
    if (its?.level === 'facility') throw wrong(`${one} is a facility's: nothing is above it`)
    if (above(places, name, Number.MAX_SAFE_INTEGER - 1).includes(one)) throw wrong(`${name} is below ${one}`)
  }
  const mine = others.find((place) => place.below.includes(name))
  if (mine && level === 'facility') throw wrong(`${name} is below ${mine.meter}: a facility's meter is above all`)
}
