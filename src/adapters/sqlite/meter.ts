/**
 * One meter: reading → raw sample in its file → interval in the store, in this order. After a crash in between, the samples
 * at the end of the file say which intervals are missing, and the same interval twice is the same interval.
 */
import type { MeterInterval, MeterSample } from '../../plant/energy/meter.ts'
import { interval } from '../../plant/energy/meter.ts'
import type { Watts } from '../../units/quantity.ts'
import { insertInterval } from './intervals.ts'
import { one } from './query.ts'
import { idleClaims } from './registry/meters.ts'
import { openSamples } from './sample-file.ts'
import type { Store } from './store.ts'

/** A sample without its name, number and time. */
type Unnamed<Sample> = Sample extends unknown ? Omit<Sample, 'meter' | 'sequence' | 'at_ms'> : never
/** `at_ms` where it was read earlier than it is taken, as from an exporter on another machine. */
export type Reading = Unnamed<MeterSample> & { readonly at_ms?: number }

/** Something that counts energy, or from which it can be estimated. */
export interface MeterReader {
  /** Lower-case letters, digits and hyphens: a file's and an account's name. */
  readonly meter: string
  /** What is drawn whether there is work or not, as far as it is known by now. */
  readonly idle: Watts
  /** `undefined` when it cannot be read just now. */
  read(): Reading | undefined
  /** There are readings of the past that were not read yet. */
  readonly more?: boolean
  /** Of one that keeps a past: when the last sample that was written was taken, or now where there is none. */
  resume?(after_ms: number): void
}

/** Readings of the past that are booked at once: others wait for it. */
const mostAtOnce = 200

export interface Meter {
  readonly meter: string
  /** Takes a sample and books the interval since the one before; the first sample begins the first interval. */
  sample(now_ms: number): void
  close(): void
}

export function openMeter(store: Store, folder: string, reader: MeterReader): Meter {
  const { meter } = reader
  const file = openSamples(folder, meter)
  let before = lastOwn(store, file.tail)
  const unbooked = missed(reader.idle, file.tail)
  let resumed = false
  const take = (now_ms: number): void => {
    const reading = reader.read()
    const at_ms = reading?.at_ms ?? now_ms
    if (!reading || (before && at_ms <= before.at_ms)) return // a clock that was set back: wait until it is past
    const after = { meter, sequence: nextSequence(store, before, meter), ...reading, at_ms } as MeterSample
    file.append(after)
    if (before) unbooked.push({ ...interval(before, after, reader.idle), claims: idleClaims(store, meter) })
    before = after
  }
  return {
    meter,
    sample(now_ms) {
      if (!resumed) reader.resume?.(before?.at_ms ?? lastEnd(store, meter) ?? now_ms)
      resumed = true
      take(now_ms)
      for (let taken = 1; reader.more && taken < mostAtOnce; taken++) take(now_ms)
      store.transaction(() => {
        for (const one of unbooked) insertInterval(store, one)
      })
      unbooked.length = 0 // not reached when the store failed: they are booked with the next sample, or after a restart
    },
    close: () => file.close(),
  }
}

/** None where another home's operator has gone on since: what was drawn between its samples and ours is in its intervals. */
function lastOwn(store: Store, tail: readonly MeterSample[]): MeterSample | undefined {
  const last = tail.at(-1)
  return last && last.sequence >= lastBooked(store, last.meter) ? last : undefined
}

/** Goes on after the file; after the books where somebody deleted the file. */
const nextSequence = (store: Store, before: MeterSample | undefined, meter: string): number =>
  (before?.sequence ?? lastBooked(store, meter)) + 1

const lastBooked = (store: Store, meter: string): number => most(store, meter, 'sequence') ?? 0

const lastEnd = (store: Store, meter: string): number | undefined => most(store, meter, 'to_ms')

function most(store: Store, meter: string, of: 'sequence' | 'to_ms'): number | undefined {
  const found = (['meter_interval', 'upper_interval'] as const).flatMap((table) => {
    const last = `select max(${of}) as last from ${table} where meter = ?`
    return one<{ last: number | null }>(store.database, last, meter)?.last ?? []
  })
  return found.length > 0 ? Math.max(...found) : undefined
}

/** Intervals between the samples at the end of the file: a crash may have left some out of the books. */
const missed = (idle: Watts, tail: readonly MeterSample[]): MeterInterval[] =>
  tail.flatMap((after, index) => {
    const before = tail[index - 1]
    return before && after.sequence === before.sequence + 1 ? interval(before, after, idle) : []
  })
