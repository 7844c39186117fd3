import type { PowerEvent, PowerLimit } from '../../../control/cap/limit.ts'
import { watts } from '../../../units/quantity.ts'
import { newId } from '../../random/secret.ts'
import type { Store } from '../store.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { findEngine } from './engines.ts'
import { checkName } from './names.ts'

/** A limit as it was declared. */
export interface LimitRecord extends PowerLimit {
  /** Boards of this machine may be held by their own power limits. */
  readonly devices: boolean
  readonly events: readonly EventRecord[]
}

export interface EventRecord extends PowerEvent {
  readonly note: string
}

interface LimitRow {
  readonly name: string
  readonly watts: number
  readonly other_watts: number
  readonly engines: string | null
  readonly devices: number
}

interface EventRow {
  readonly id: string
  readonly limited: string
  readonly watts: number
  readonly from_ms: number
  readonly until_ms: number
  readonly note: string
}

const [mostLimits, mostEvents] = [100, 1000]

export function listLimits(store: Store): LimitRecord[] {
  const events = Map.groupBy(
    all<EventRow>(store, 'select * from power_event order by from_ms, id'),
    ({ limited }) => limited,
  )
  return all<LimitRow>(store, 'select * from power_limit order by name').map((row) => ({
    name: row.name,
    limit: watts(row.watts),
    other: watts(row.other_watts),
    engines: row.engines === null ? null : (JSON.parse(row.engines) as string[]),
    devices: row.devices === 1,
    events: (events.get(row.name) ?? []).map((event) => ({
      id: event.id,
      limit: watts(event.watts),
      from_ms: event.from_ms,
      until_ms: event.until_ms,
      note: event.note,
    })),
  }))
}

export function findLimit(store: Store, name: string): LimitRecord {
  const found = listLimits(store).find((limit) => limit.name === name)
  if (!found)
    throw new RegistryError('not_found', `no power limit ${name}`, { param: 'name', next: 'wattmill cap status' })
  return found
}

/** Setting it again replaces it; its events stay. */
export function setLimit(store: Store, limit: Omit<LimitRecord, 'events'>, now_ms: number): LimitRecord {
  checkName('limit', 'name', limit.name)
  change(store, () => {
    for (const engine of limit.engines ?? []) findEngine(store, engine)
    const { count = 0 } = one<{ count: number }>(store, 'select count(*) as count from power_limit') ?? {}
    const isNew = one(store, 'select 1 from power_limit where name = ?', limit.name) === undefined
    if (isNew && Number(count) >= mostLimits)
      throw new RegistryError('conflict', `there are ${mostLimits} limits already`, {
        next: 'wattmill cap remove NAME',
      })
    run(
      store,
      `insert into power_limit (name, watts, other_watts, engines, devices, created_ms) values (?, ?, ?, ?, ?, ?)
       on conflict (name) do update set watts = excluded.watts, other_watts = excluded.other_watts,
         engines = excluded.engines, devices = excluded.devices`,
      limit.name,
      limit.limit,
      limit.other,
      limit.engines && JSON.stringify(limit.engines),
      limit.devices ? 1 : 0,
      now_ms,
    )
  })
  return findLimit(store, limit.name)
}

export function removeLimit(store: Store, name: string): LimitRecord {
  return change(store, () => {
    const limit = findLimit(store, name)
    run(store, 'delete from power_event where limited = ?', name)
    run(store, 'delete from power_limit where name = ?', name)
    return limit
  })
}

/** What is over goes when there is something new. */
export function addEvent(store: Store, name: string, event: Omit<EventRecord, 'id'>, now_ms: number): EventRecord {
  return change(store, () => {
    findLimit(store, name)
    run(store, 'delete from power_event where until_ms < ?', now_ms - kept_ms)
    const { count = 0 } = one<{ count: number }>(store, 'select count(*) as count from power_event') ?? {}
    if (Number(count) >= mostEvents)
      throw new RegistryError('conflict', `there are ${mostEvents} events already`, { next: 'wattmill cap events' })
    const id = newId('pwr')
    run(
      store,
      'insert into power_event (id, limited, watts, from_ms, until_ms, note) values (?, ?, ?, ?, ?, ?)',
      id,
      name,
      event.limit,
      event.from_ms,
      event.until_ms,
      event.note,
    )
    return { id, ...event }
  })
}

const kept_ms = 30 * 86_400_000

export function removeEvent(store: Store, id: string): void {
  change(store, () => {
    if (run(store, 'delete from power_event where id = ?', id) === 0)
      throw new RegistryError('not_found', `no event ${id}`, { param: 'id', next: 'wattmill cap events' })
  })
}
