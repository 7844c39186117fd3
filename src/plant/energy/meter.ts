import type { Millijoules } from '../../units/amount.ts'
import { millijoules } from '../../units/amount.ts'
import type { Watts } from '../../units/quantity.ts'
import type { IdleClaim } from './idle.ts'

/** How a figure came to be; printed with every number that people see. */
export type Grade = 'measured' | 'estimated' | 'simulated'

/** How long a MIG instance computed. */
export interface InstanceActivity {
  /** As the driver names it, such as `3g.71gb`. */
  readonly profile: string
  /** Microseconds. */
  readonly busy_us: number
}

/**
 * One reading of a meter, as it was taken. Counters are cumulative, so that a reader that was away for a while misses
 * nothing; `sequence` goes up by one with every sample written, so that a missing sample shows.
 */
export type MeterSample = {
  readonly meter: string
  readonly sequence: number
  readonly at_ms: number
  /** Of a board in MIG slices, by GPU_I_ID: since its reader began; absent: not told. */
  readonly instances?: Readonly<Record<string, InstanceActivity>>
} & (
  | {
      readonly kind: 'energy_counter'
      readonly energy_uj: number
      /** 0: it does not wrap. */
      readonly wraps_at_uj: number
      /** More than this cannot be drawn by what it measures; absent: not known. */
      readonly most_watts?: number
    }
  | { readonly kind: 'power'; readonly watts: number }
  | {
      readonly kind: 'cpu_time'
      readonly busy_ms: number
      readonly cores: number
      readonly idle_watts: number
      readonly full_watts: number
    }
)

/** The energy between two consecutive samples. `idle` is the floor that is drawn whether there is work or not. */
export interface MeterInterval {
  readonly meter: string
  /** Sequence of the sample that ends it: names the interval. */
  readonly sequence: number
  readonly from_ms: number
  readonly to_ms: number
  readonly energy: Millijoules
  readonly idle: Millijoules
  readonly grade: Grade
  /** The counter went back (reboot, reset): energy since the reset only; what was drawn before it is unknown and not made up. */
  readonly reset: boolean
  /** What the device's idle capacity was kept for; absent: all of it for whoever came. */
  readonly claims?: readonly IdleClaim[]
  /** Of a board in MIG slices, by GPU_I_ID: those that were measured over all of it. */
  readonly instances?: Readonly<Record<string, InstanceActivity>>
  /** What a core's second costs above the floor, for a meter that estimates from CPU time. */
  readonly cpu_mj_per_s?: number
}

/**
 * Energy from one sample to the next.
 *
 * Energy counter: the difference, with the wrap at `wraps_at_uj` (RAPL). A step of more than `most_watts` was never drawn: it
 * is another counter, or a sum that has lost or found a part (a query over boards of which one is silent).
 * Power: the mean of the two readings × time (trapezoid). Over a gap of more than 3 s it is an estimate, since what the power
 * did in between is not known (the bound that InferenceX sets for its power files); over more than a minute nothing is said.
 * CPU time: idle_W × t + (full_W − idle_W) × busy core-seconds / cores, the linear model of server power
 * (Fan, Weber, Barroso, ISCA 2007).
 */
export function interval(before: MeterSample, after: MeterSample, idle: Watts): MeterInterval {
  const elapsed_s = Math.max(0, after.at_ms - before.at_ms) / 1000
  const { energy_mj, grade, reset } = drawn(before, after, elapsed_s)
  const between = {
    meter: after.meter,
    sequence: after.sequence,
    from_ms: before.at_ms,
    to_ms: after.at_ms,
    energy: millijoules(BigInt(energy_mj)),
    idle: millijoules(0n),
    grade,
    reset,
    ...(after.kind === 'cpu_time' && { cpu_mj_per_s: cpuSecond_mj(after) }),
    ...activeBetween(before, after),
  }
  return withFloor(between, idle)
}

/** Of instances that were told of at both ends, were not cut anew, and whose reader went on in between. */
function activeBetween(before: MeterSample, after: MeterSample): Pick<MeterInterval, 'instances'> {
  const grown = Object.entries(after.instances ?? {}).flatMap(([instance, { profile, busy_us }]) => {
    const was = before.instances?.[instance]
    if (!was || was.profile !== profile || busy_us < was.busy_us) return []
    return [[instance, { profile, busy_us: busy_us - was.busy_us }] as const]
  })
  return grown.length > 0 ? { instances: Object.fromEntries(grown) } : {}
}

/** No more is idle than was drawn. */
export function withFloor(interval: MeterInterval, floor: Watts): MeterInterval {
  const floor_mj = BigInt(Math.round(floor * Math.max(0, interval.to_ms - interval.from_ms)))
  return { ...interval, idle: millijoules(floor_mj < interval.energy ? floor_mj : interval.energy) }
}

const cpuSecond_mj = ({ full_watts, idle_watts, cores }: Extract<MeterSample, { kind: 'cpu_time' }>): number =>
  Math.round(((full_watts - idle_watts) * 1000) / cores)

const longestGap_s = 3
const longestBridge_s = 60

function drawn(
  before: MeterSample,
  after: MeterSample,
  elapsed_s: number,
): { energy_mj: number; grade: Grade; reset: boolean } {
  if (before.kind === 'energy_counter' && after.kind === 'energy_counter') {
    const step = counted(before, after)
    const tooMuch = after.most_watts !== undefined && step.energy_mj > after.most_watts * elapsed_s * 1000
    return { grade: 'measured', ...(tooMuch ? { energy_mj: 0, reset: true } : step) }
  }
  if (before.kind === 'power' && after.kind === 'power') {
    if (elapsed_s > longestBridge_s) return { energy_mj: 0, grade: 'estimated', reset: true }
    const grade = elapsed_s <= longestGap_s ? 'measured' : 'estimated'
    return { energy_mj: Math.round(((before.watts + after.watts) / 2) * elapsed_s * 1000), grade, reset: false }
  }
  if (before.kind === 'cpu_time' && after.kind === 'cpu_time') {
    const reset = after.busy_ms < before.busy_ms
    const busy_s = (reset ? after.busy_ms : after.busy_ms - before.busy_ms) / 1000
    const share = elapsed_s > 0 ? Math.min(1, busy_s / (after.cores * elapsed_s)) : 0
    const power = after.idle_watts + (after.full_watts - after.idle_watts) * share
    return { energy_mj: Math.round(power * elapsed_s * 1000), grade: 'estimated', reset }
  }
  return { energy_mj: 0, grade: 'estimated', reset: true } // another kind of meter took over: nothing is known in between
}

type Counter = Extract<MeterSample, { kind: 'energy_counter' }>

/** Whole millijoules at each end, so that the parts of a long time add up to the whole of it. */
function counted(before: Counter, after: Counter): { energy_mj: number; reset: boolean } {
  const mj = Math.floor(after.energy_uj / 1000) - Math.floor(before.energy_uj / 1000)
  if (mj >= 0) return { energy_mj: mj, reset: false }
  const wrapped = mj + Math.floor(before.wraps_at_uj / 1000)
  // A wrap from the upper half is a wrap; anything else is a counter that started anew.
  if (before.energy_uj > before.wraps_at_uj / 2 && wrapped >= 0) return { energy_mj: wrapped, reset: false }
  return { energy_mj: Math.floor(after.energy_uj / 1000), reset: true }
}
