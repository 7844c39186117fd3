/**
 * A board that is cut into MIG slices has one meter, and each slice an engine of its own:
 *
 *     active energy of a slice ∝ time in which it was busy × its SMs
 *
 * and within the slice by the work of its engine's attempts, as on a board of its own. The "g" of a slice's name is no measure of compute:
 * on an H100 a 1g.20gb has 26 SMs and a 1g.10gb has 16. DCGM's activity of an instance is a share of the instance's own, so that a busy
 * small slice reads as much as a busy large one (NVIDIA/DCGM#138): the SMs are what tells them apart.
 *
 * Who was given no engine of ours and was busy all the same has a part too, which is nobody's here. Where it cannot be weighed, nothing of
 * the board's active energy is anybody's: a tenant would pay for others.
 */

import { smsOfProfile } from '../plant/chips/mig/tables.ts'
import type { MeterInterval } from '../plant/energy/meter.ts'
import { noWork } from '../plant/energy/step-energy.ts'
import { apportion } from '../units/amount.ts'
import type { ReplicaId } from '../units/ids.ts'
import type { Division, Doing } from './divide.ts'
import { divide } from './divide.ts'
import type { StepFit } from './fit.ts'
import type { CloseRow } from './row.ts'
import type { Seen } from './seen.ts'
import { firstSecond } from './seen.ts'
import { timelinesOf } from './window.ts'

/** What an engine was given of a board, from one moment to another. */
export interface GivenSlice {
  readonly engine: ReplicaId
  /** CHIP/PROFILE, or SMSofSMS; null: all of the board. */
  readonly slice: string | null
  readonly sms: number | null
  readonly board_sms: number | null
  /** GPU_I_ID; null: not said. */
  readonly instance: string | null
  readonly from_ms: number
  readonly until_ms: number | null
}

/** What a slice counts in an interval. */
export interface SliceShare {
  /** null: an instance that was given to no engine of ours, or is not what was given. */
  readonly engine: ReplicaId | null
  readonly instance: string | null
  /** Of an instance of nobody's. */
  readonly profile?: string
  /** null: not known. */
  readonly sms: number | null
  readonly busy_us: number
  /** By the instance's own counter, or by the seconds in which its engine had a request. */
  readonly source: 'measured' | 'estimated'
}

/** When engines worked for requests of ours, by the seconds that an interval is made of. */
export interface Worked {
  /** Their work is in the interval, or foreign work that their counters show. */
  readonly engines: ReadonlySet<ReplicaId>
  /** Had a request within a second of the interval: its edge may have caught what another interval's second holds. */
  readonly near: ReadonlySet<ReplicaId>
  /** Seconds of a range in which it had a request. */
  readonly seconds: (engine: ReplicaId, from: number, until: number) => number
}

/** Less than so much of the time is rest: contexts and monitors touch an instance too. */
const rest_share = 0.01

/**
 * Each slice that was busy, and how much it counts. By the instances' own counters where every slice that worked has one for all of the
 * interval and is what was given; else all of them by seconds: the two are not weighed against each other. Empty: the board is whole,
 * or nobody worked.
 */
export function sliceShares(
  interval: MeterInterval,
  given: readonly GivenSlice[],
  worked: Worked,
): readonly SliceShare[] {
  const board = Math.max(...given.map(({ board_sms }) => board_sms ?? 0))
  if (!(board > 0)) return []
  const working = given.filter(({ engine }) => worked.engines.has(engine))
  const counted = working.flatMap((one) => countedOf(interval, one) ?? [])
  const measured = counted.length === working.length
  const ours = measured ? counted : working.map((one) => bySeconds(interval, one, board, worked))
  return [...ours, ...strangers(interval, given, worked)]
}

/**
 * Attempts that were under way in an interval by the clock, of engines whose seconds all belong to its neighbours though their instances were
 * busy in it: the counter says that the work was here. They share their slice's part equally.
 */
export function edgeWork(
  interval: MeterInterval,
  given: readonly GivenSlice[],
  engines: ReadonlySet<ReplicaId>,
  rows: readonly CloseRow[],
): Seen[] {
  const busy = given.filter((one) => {
    const counted = engines.has(one.engine) ? undefined : countedOf(interval, one)
    return counted !== undefined && counted.busy_us > leastOf(interval)
  })
  const found = busy.flatMap(({ engine: replica }) =>
    rows.flatMap((row) =>
      timelinesOf(row, replica)
        .filter(({ begun_ms, last_ms }) => begun_ms < interval.to_ms && last_ms > interval.from_ms)
        .map(({ attempt }): Seen => ({ attempt, replica, model: row.model, tokens: 0, did: touched, cpu_us: 0, row })),
    ),
  )
  return found.sort((a, b) => (a.attempt < b.attempt ? -1 : 1))
}

/** Not known how much; not nothing. */
const touched = { ...noWork, step_e9: 1 }

const leastOf = ({ from_ms, to_ms }: MeterInterval): number => rest_share * 1000 * (to_ms - from_ms)

/** Undefined: its counter does not speak of all of the interval, or of another profile than it was given. */
function countedOf({ instances, from_ms, to_ms }: MeterInterval, given: GivenSlice): SliceShare | undefined {
  const { engine, instance, sms } = given
  const found = instance === null ? undefined : instances?.[instance]
  const throughout = given.from_ms <= from_ms && (given.until_ms ?? to_ms) >= to_ms
  if (!found || !throughout || !isGiven(given, found.profile)) return undefined
  return { engine, instance, sms, busy_us: found.busy_us, source: 'measured' }
}

/** SMSofSMS names no profile: there it is not known to be another. */
const isGiven = ({ slice }: GivenSlice, profile: string): boolean => {
  const [, named] = (slice ?? '').split('/')
  return named === undefined || profile === '' || named === profile
}

/** Where only others worked, nobody knows for how long: for all of its time. */
function bySeconds(interval: MeterInterval, given: GivenSlice, board: number, worked: Worked): SliceShare {
  const { engine, instance } = given
  const from = firstSecond(Math.max(interval.from_ms, given.from_ms))
  const until = firstSecond(Math.min(interval.to_ms, given.until_ms ?? interval.to_ms))
  const seconds = worked.seconds(engine, from, until) || Math.max(0, until - from)
  return { engine, instance, sms: given.sms ?? board, busy_us: seconds * 1_000_000, source: 'estimated' }
}

/** Instances that were busy without work of ours. */
function strangers(interval: MeterInterval, given: readonly GivenSlice[], { engines, near }: Worked): SliceShare[] {
  const least_us = leastOf(interval)
  return Object.entries(interval.instances ?? {}).flatMap(([instance, { profile, busy_us }]): SliceShare[] => {
    if (busy_us <= least_us) return []
    const holder = given.find((one) => one.instance === instance && isGiven(one, profile))
    if (holder && (engines.has(holder.engine) || near.has(holder.engine))) return []
    if (holder) return [{ engine: holder.engine, instance, sms: holder.sms, busy_us, source: 'measured' }]
    if (given.some((one) => one.instance === null && isGiven(one, profile))) return [] // it may be that one
    return [{ engine: null, instance, profile, sms: smsOn(given, profile), busy_us, source: 'measured' }]
  })
}

/** By the chip that the board's other slices are said to be of. */
const smsOn = (given: readonly GivenSlice[], profile: string): number | null =>
  given.flatMap(({ slice }) => smsOfProfile((slice ?? '').split('/')[0] ?? '', profile) ?? [])[0] ?? null

/** How the active energy of an interval is shared; parts and others' are it exactly. */
export interface Shared extends Omit<Division, 'weights'> {
  /** In the order of the work. */
  readonly parts: readonly bigint[]
  /** Of slices that were busy without work of ours. */
  readonly others: readonly { readonly slice: SliceShare; readonly amount: bigint }[]
  /** Of a board on which somebody worked who cannot be weighed. */
  readonly unseen: bigint
}

/** Somebody was busy whose SMs nobody knows, or beside slices of which only seconds are known. */
export const cannotBeWeighed = (slices: readonly SliceShare[]): boolean =>
  slices.some(({ sms }) => sms === null) || new Set(slices.map(({ source }) => source)).size > 1

export const nothingShared: Shared = { parts: [], others: [], unseen: 0n, fit: null, modelled_mj: null }

/** By the weights of the work; on a board in slices, by slices first. There is work, or a slice was busy. */
export function shareActive(
  active: bigint,
  meter: string,
  work: readonly Doing[],
  fits: readonly StepFit[],
  slices: readonly SliceShare[],
): Shared {
  if (slices.length === 0) {
    const { weights, ...how } = divide(meter, work, fits)
    return { ...nothingShared, ...how, parts: apportion(active, weights) }
  }
  if (cannotBeWeighed(slices)) return { ...nothingShared, parts: work.map(() => 0n), unseen: active }
  const amounts = apportion(active, slices.map(weightOf))
  const ways: Division[] = []
  const parts = new Map<Doing, bigint>()
  for (const [engine, its] of Map.groupBy(work, ({ replica }) => replica)) {
    const amount = slices.reduce((sum, one, at) => sum + (one.engine === engine ? (amounts[at] ?? 0n) : 0n), 0n)
    const division = divide(meter, its, fits)
    ways.push(division)
    for (const [at, part] of apportion(amount, division.weights).entries()) parts.set(its[at] as Doing, part)
  }
  const engines = new Set(work.map(({ replica }) => replica))
  const others = slices.flatMap((slice, at) =>
    slice.engine !== null && engines.has(slice.engine) ? [] : [{ slice, amount: amounts[at] ?? 0n }],
  )
  return { parts: work.map((one) => parts.get(one) ?? 0n), others, unseen: 0n, ...jointly(ways) }
}

/** Busy microseconds × SMs. Who worked had some time, whatever a counter that is read once in a while says. */
const weightOf = ({ busy_us, sms }: SliceShare): bigint => BigInt(Math.max(1, busy_us)) * BigInt(sms ?? 0)

/** Fitted, and modelled, where each engine's part is; the newest fit names the version. */
function jointly(ways: readonly Division[]): Pick<Division, 'fit' | 'modelled_mj'> {
  const fits = ways.flatMap(({ fit }) => fit ?? [])
  const modelled = ways.flatMap(({ modelled_mj }) => modelled_mj ?? [])
  return {
    fit: fits.length > 0 ? Math.max(...fits) : null,
    modelled_mj:
      ways.length > 0 && modelled.length === ways.length ? modelled.reduce((sum, one) => sum + one, 0n) : null,
  }
}
