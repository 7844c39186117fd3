/** What of the factory draws power under its limits, as it is known now. */
import { lastPower } from '../../adapters/sqlite/figures.ts'
import { counter } from '../../adapters/sqlite/registry/change.ts'
import { type EngineRecord, embedded, listEngines } from '../../adapters/sqlite/registry/engines.ts'
import {
  enginesByMeter,
  listMeters,
  type MeterRecord,
  type MeterSource,
  metersOf,
} from '../../adapters/sqlite/registry/meters.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { Load } from '../../control/cap/load.ts'
import { findAccelerator } from '../../plant/chips/catalogue.ts'
import type { Watts } from '../../units/quantity.ts'
import { plus, watts } from '../../units/quantity.ts'
import type { Live } from './factory.ts'

/** A board of this machine that may be held, by its UUID: what it is held to, and between what it may be. */
export type Boards = ReadonlyMap<string, { readonly now_w: number; readonly least_w: number; readonly usual_w: number }>

/** An engine that no meter and no chip is known of draws its power elsewhere, and on somebody else's bill. */
export function loadsOf(store: Store, live: Live, boards: Boards): Load[] {
  const engines = listEngines(store)
  const gateways = Math.max(1, counter(store, 'gateways'))
  const meters = new Map(listMeters(store).map((meter) => [meter.name, meter]))
  const byMeter = enginesByMeter(store)
  const machine = live.keeper.meters().names.filter((name) => !meters.has(name))
  if (machine.length > 0 && engines.some(({ name }) => name === embedded))
    for (const name of machine) byMeter.set(name, [embedded])
  const grouped = groups(engines, byMeter)
  return grouped.map(({ members, names }) => {
    const records = names.flatMap((name) => meters.get(name) ?? [])
    const isMachine = names.some((name) => machine.includes(name))
    return {
      name: members.map(({ name }) => name).join('+'),
      engines: members.map(({ name, models, concurrency }) => ({
        name,
        models: Object.keys(models),
        concurrency: concurrency * gateways,
        running: Math.max(live.gateways.running(name), reported(live, name)),
      })),
      idle: isMachine ? watts(live.machine.idleWatts) : idleOf(records),
      full: isMachine ? watts(live.machine.fullWatts) : fullOf(members, records, boards),
      reading: readingOf(store, names),
      period_ms: Math.max(1000, ...records.map(({ source }) => periods_ms[source.kind])),
      limiter: limiterOf(records, boards),
    }
  })
}

/** UUIDs of the boards that measure some engines. */
export const boardsUnder = (store: Store, engines: readonly string[]): string[] => [
  ...new Set(
    engines.flatMap((engine) =>
      metersOf(store, engine).flatMap(({ source }) => (source.kind === 'nvidia-smi' ? [source.uuid] : [])),
    ),
  ),
]

/** How often a source has something new: an exporter of DCGM every 30 s, unless it is told otherwise. */
const periods_ms: Readonly<Record<MeterSource['kind'], number>> = {
  dcgm: 30_000,
  prometheus: 15_000,
  redfish: 5_000,
  csv: 60_000,
  'nvidia-smi': 1_000,
  watts: 1_000,
}

interface Group {
  readonly members: EngineRecord[]
  readonly names: string[]
}

/** Engines that share a meter can only be seen together. */
function groups(engines: readonly EngineRecord[], byMeter: ReadonlyMap<string, readonly string[]>): Group[] {
  const found: Group[] = []
  for (const engine of engines) {
    const names = [...byMeter].flatMap(([meter, of]) => (of.includes(engine.name) ? [meter] : []))
    if (names.length === 0 && engine.chips === null) continue
    const same = found.filter((group) => group.names.some((name) => names.includes(name)))
    for (const group of same) found.splice(found.indexOf(group), 1)
    found.push({
      members: [...same.flatMap(({ members }) => members), engine],
      names: [...new Set([...same.flatMap((group) => group.names), ...names])],
    })
  }
  return found
}

const reported = (live: Live, engine: string): number => {
  const view = live.telemetry.engines.get(engine)
  return view && !view.watch.stale ? (view.report.running ?? 0) : 0
}

const idleOf = (records: readonly MeterRecord[]): Watts =>
  records.reduce((sum, { source }) => plus(sum, watts(source.kind === 'watts' ? source.idle : 0)), watts(0))

/** By what a device says of itself, what was declared, or its data sheet; null: nobody says. */
function fullOf(members: readonly EngineRecord[], records: readonly MeterRecord[], boards: Boards): Watts | null {
  const told = records.map(({ source }) => {
    if (source.kind === 'watts') return source.full
    return source.kind === 'nvidia-smi' ? boards.get(source.uuid)?.usual_w : undefined
  })
  if (told.length > 0 && told.every((one) => one !== undefined))
    return watts(told.reduce<number>((sum, one) => sum + (one ?? 0), 0))
  const sheets = [...new Set(members.map(({ chips }) => chips))].map(sheetOf)
  return sheets.includes(null) ? null : watts(sheets.reduce<number>((sum, one) => sum + (one ?? 0), 0))
}

function sheetOf(chips: string | null): number | null {
  const [name = '', count] = (chips ?? '').split(':')
  const full = chips === null ? undefined : findAccelerator(name)?.full
  return full == null ? null : full * Number(count ?? 1)
}

/** The sum of its meters; as old as the oldest of them. */
function readingOf(store: Store, names: readonly string[]): Load['reading'] {
  const last = names.map((name) => lastPower(store.database, name))
  let [power, at_ms] = [0, Number.POSITIVE_INFINITY]
  for (const one of last) {
    if (!one) return null
    power += one.power_w
    at_ms = Math.min(at_ms, one.to_ms)
  }
  return last.length === 0 ? null : { power: watts(power), at_ms }
}

/** Only where all of it can be held. */
function limiterOf(records: readonly MeterRecord[], boards: Boards): Load['limiter'] {
  const held = records.map(({ source }) => (source.kind === 'nvidia-smi' ? boards.get(source.uuid) : undefined))
  if (held.length === 0 || held.includes(undefined)) return null
  const sum = (of: 'least_w' | 'usual_w' | 'now_w'): Watts =>
    watts(held.reduce((all, board) => all + (board?.[of] ?? 0), 0))
  return { least: sum('least_w'), most: sum('usual_w'), confirmed: sum('now_w') }
}
