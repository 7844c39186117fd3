import { perHourSpans } from '../../../books/cost.ts'
import type { CostSpan } from '../../../books/economics.ts'
import { boardFault, type OnBoard } from '../../../plant/chips/mig/board.ts'
import { claimsOn, claimsOnSlices, type IdleClaim, type IdleRule } from '../../../plant/energy/idle.ts'
import { type NanoDollars, nanoDollars } from '../../../units/amount.ts'
import { declarations } from '../costs/declarations.ts'
import { allBig, all as rows } from '../query.ts'
import type { Store } from '../store.ts'
import { all, change, RegistryError, run } from './change.ts'

/** Columns of a meter's file. Energy is cumulative; its time is a date with its zone, or seconds or milliseconds since 1970. */
export interface CsvColumns {
  readonly time: string
  readonly value: string
  readonly unit: CsvUnit
}

export const csvUnits = ['watts', 'joules', 'kwh'] as const
export type CsvUnit = (typeof csvUnits)[number]

/** Where a meter is read, and what it counts. */
export type MeterSource =
  /** Energy counter of one board, from a dcgm-exporter. */
  | { readonly kind: 'dcgm'; readonly url: string; readonly uuid: string }
  /** A number that a Prometheus server works out: power, or cumulative energy. */
  | {
      readonly kind: 'prometheus'
      readonly url: string
      readonly query: string
      readonly unit: 'watts' | 'joules'
      /** Steps at which it is asked for; absent: as it was not said. */
      readonly step_s?: number
    }
  /** Energy or power of a server, a PDU or an outlet, as its Redfish service tells; the secret itself is never stored. */
  | {
      readonly kind: 'redfish'
      readonly url: string
      readonly only: 'any' | 'watts'
      readonly secret_from: string | null
    }
  /** The newest line of a file that others write: power, or a cumulative count of energy. */
  | { readonly kind: 'csv'; readonly path: string; readonly columns: CsvColumns }
  /** Power of one board of this machine. */
  | { readonly kind: 'nvidia-smi'; readonly uuid: string }
  /** No meter: power at rest and at work as declared, by whether the engine has requests. */
  | { readonly kind: 'watts'; readonly idle: number; readonly full: number }

export interface MeterRecord {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string
  readonly source: MeterSource
  /** What of a board an engine has; absent: all of it. */
  readonly slice?: MeterSlice
}

/** A MIG slice: `instance` is DCGM's GPU_I_ID. */
export interface MeterSlice {
  readonly name: string
  readonly sms: number
  readonly board_sms: number
  readonly instance: string | null
}

/** Meters that measure an engine now. Several engines on one board share its meter. */
export const metersOf = (store: Store, engine: string): MeterRecord[] =>
  all<{ name: string; source: string }>(
    store,
    `select m.name, m.source from engine_meter e join meter m on m.name = e.meter
     where e.engine = ? and e.until_ms is null order by m.name`,
    engine,
  ).map(fromRow)

/** Every meter that some engine is measured by now, or that is above others. */
export const listMeters = (store: Store): MeterRecord[] =>
  all<{ name: string; source: string }>(
    store,
    `select m.name, m.source from meter m
     where exists (select 1 from engine_meter e where e.meter = m.name and e.until_ms is null)
       or exists (select 1 from meter_place p where p.meter = m.name and p.until_ms is null) order by m.name`,
  ).map(fromRow)

/** A meter that was ever given, whether it is read now or not. */
export const findMeter = (store: Store, name: string): MeterRecord | undefined =>
  all<{ name: string; source: string }>(store, 'select name, source from meter where name = ?', name).map(fromRow)[0]

const fromRow = ({ name, source }: { name: string; source: string }): MeterRecord => ({
  name,
  source: JSON.parse(source) as MeterSource,
})

/** Engines by the meter that measures them now. */
export const enginesByMeter = (store: Store): Map<string, string[]> => {
  const rows = all<{ engine: string; meter: string }>(
    store,
    'select engine, meter from engine_meter where until_ms is null order by engine',
  )
  return new Map(
    [...Map.groupBy(rows, ({ meter }) => meter)].map(([meter, of]) => [meter, of.map((row) => row.engine)]),
  )
}

/** MIG slices that engines have of boards now, by meter: `engine on h200/3g.71gb (60 of 132 SMs)`. */
export const slicesNow = (store: Store): Map<string, string[]> => {
  const rows = all<{ engine: string; meter: string; slice: string; sms: number; board_sms: number }>(
    store,
    `select engine, meter, slice, sms, board_sms from engine_meter
     where until_ms is null and sms is not null order by engine`,
  )
  return new Map(
    [...Map.groupBy(rows, ({ meter }) => meter)].map(([meter, of]) => [
      meter,
      of.map(({ engine, slice, sms, board_sms }) => `${engine} on ${slice} (${sms} of ${board_sms} SMs)`),
    ]),
  )
}

/** What the idle capacity under a meter is kept for now. The machine's own meters are under the engine inside. */
export function idleClaims(store: Pick<Store, 'database'>, meter: string): IdleClaim[] {
  const measured = `
    select e.draining, m.sms, m.board_sms from engine_meter m join engine e on e.name = m.engine
    where m.meter = ? and m.until_ms is null order by e.name`
  const engines = rows<{ draining: number; sms: number | null; board_sms: number | null }>(
    store.database,
    measured,
    meter,
  )
  const slices = engines.flatMap(({ draining, sms, board_sms }) =>
    sms === null || board_sms === null ? [] : { draining: draining === 1, sms, board_sms },
  )
  if (slices.length > 0 && slices.length === engines.length) return claimsOnSlices(slices, idleRuleOf(store, meter))
  const inside = "select draining from engine where vendor = 'llama'"
  const under = engines.length > 0 ? engines : rows<{ draining: number }>(store.database, inside)
  return claimsOn(under.map(({ draining }) => ({ draining: draining === 1 })))
}

const idleRuleOf = (store: Pick<Store, 'database'>, meter: string): IdleRule =>
  rows<{ idle_rule: IdleRule | null }>(store.database, 'select idle_rule from meter where name = ?', meter)[0]
    ?.idle_rule ?? 'sms'

/** From now on; what is booked stays as it is. */
export const setIdleRule = (store: Store, meter: string, rule: IdleRule): void =>
  change(store, () => void run(store, 'update meter set idle_rule = ? where name = ?', rule, meter))

/** What engines are said to have of a board now. */
const onBoard = (store: Store, meter: string): OnBoard[] =>
  all<OnBoard>(
    store,
    'select engine, slice, sms, board_sms, instance from engine_meter where meter = ? and until_ms is null order by engine',
    meter,
  )

/** Within a transaction of the caller's. A meter that is known by its name is read from where it now is. */
export function measureBy(store: Store, engine: string, meters: readonly MeterRecord[], now_ms: number): void {
  for (const { name, source, slice } of meters) {
    run(
      store,
      `insert into meter (name, source, created_ms) values (?, ?, ?)
       on conflict (name) do update set source = excluded.source`,
      name,
      JSON.stringify(source),
      now_ms,
    )
    run(
      store,
      `insert into engine_meter (engine, meter, from_ms, slice, sms, board_sms, instance) values (?, ?, ?, ?, ?, ?, ?)
       on conflict (engine, meter, from_ms) do update set until_ms = null, slice = excluded.slice, sms = excluded.sms,
         board_sms = excluded.board_sms, instance = excluded.instance`,
      engine,
      name,
      now_ms,
      slice?.name ?? null,
      slice?.sms ?? null,
      slice?.board_sms ?? null,
      slice?.instance ?? null,
    )
    const fault = boardFault(onBoard(store, name))
    if (fault)
      throw new RegistryError('conflict', `${name}: ${fault}`, {
        param: 'meters',
        next: 'wattmill meters list   (engines remove NAME, and add it again with its slice)',
      })
  }
}

/** Within a transaction of the caller's. What was, stays. */
export function endFacts(store: Store, engine: string, now_ms: number): void {
  run(store, 'update engine_meter set until_ms = ? where engine = ? and until_ms is null', now_ms, engine)
  run(store, 'update engine_cost set until_ms = ? where engine = ? and until_ms is null', now_ms, engine)
}

/** Within a transaction of the caller's. */
export const declareCost = (store: Store, engine: string, perHour: NanoDollars, now_ms: number): number =>
  run(store, 'insert into engine_cost (engine, from_ms, per_hour) values (?, ?, ?)', engine, now_ms, perHour)

/** From now on it costs so much; nothing: it is not known. What was declared before stays, as it was until now. */
export const setCost = (store: Store, engine: string, perHour: NanoDollars, now_ms: number): void =>
  change(store, () => {
    run(store, 'delete from engine_cost where engine = ? and from_ms >= ?', engine, now_ms)
    run(store, 'update engine_cost set until_ms = ? where engine = ? and until_ms is null', now_ms, engine)
    if (perHour > 0n) declareCost(store, engine, perHour, now_ms)
  })

/** Costs of engines' time that they were given, as they were from one moment to another. */
export const givenSpans = ({ database }: Pick<Store, 'database'>): CostSpan[] =>
  allBig<{ engine: string; from_ms: bigint; until_ms: bigint | null; per_hour: bigint }>(
    database,
    'select engine, from_ms, until_ms, per_hour from engine_cost order by engine, from_ms',
  ).map(({ engine, from_ms, until_ms, per_hour }) => ({
    engine,
    from_ms: Number(from_ms),
    until_ms: until_ms === null ? null : Number(until_ms),
    perHour: nanoDollars(per_hour),
  }))

/** The same, with what was declared of their capacity: at any moment what began last holds. */
export function costSpans(store: Pick<Store, 'database'>): CostSpan[] {
  const given = givenSpans(store)
  const declared = declarations(store).filter(({ kind }) => kind === 'capacity')
  const engines = new Set([...given.map(({ engine }) => engine), ...declared.map(({ name }) => name)])
  return [...engines].flatMap((engine) => perHourSpans(declared, 'capacity', engine, given))
}
