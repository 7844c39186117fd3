/** Journals and engine logs as they lie on the disk, and what the disk still has. */
export interface Held {
  readonly journal_bytes: number
  readonly engine_log_bytes: number
  /** Null: the disk does not say. */
  readonly free_bytes: number | null
}

export interface RoomBounds {
  /** What journals and engine logs may hold together. */
  readonly most_bytes: number
  /** What the disk keeps free. */
  readonly least_free_bytes: number
}

/** `scarce`: say so, serve on. `full`: nothing new is admitted, since it could not be booked. */
export type RoomState = 'ample' | 'scarce' | 'full'

export interface Room extends Held, RoomBounds {
  readonly state: RoomState
  /** Of the bound that is nearest: 1 is full. */
  readonly used: number
}

/** From here on it is said: at the pace that filled so much, a quarter of that time is left to act. */
const alarmAt = 0.8
/** A full one is opened again only here, or the door would open and shut with every row that is trimmed. */
const openAgainAt = 0.9

/**
 * Room for what is not booked yet. Two bounds: the bytes that wait, and the bytes that the disk has left; the nearer counts.
 *
 *     used = max(held / most, least free / free)
 */
export function roomOf(held: Held, bounds: RoomBounds, before: RoomState): Room {
  const { most_bytes, least_free_bytes } = bounds
  const waiting = (held.journal_bytes + held.engine_log_bytes) / most_bytes
  const disk = held.free_bytes === null ? 0 : least_free_bytes / Math.max(1, held.free_bytes)
  const used = Math.max(waiting, disk)
  const full = used >= 1 || (before === 'full' && used >= openAgainAt)
  return { ...held, ...bounds, used, state: full ? 'full' : used >= alarmAt ? 'scarce' : 'ample' }
}

/** Before anybody has looked there is room. */
export const unseenRoom = (bounds: RoomBounds): Room => ({
  ...bounds,
  journal_bytes: 0,
  engine_log_bytes: 0,
  free_bytes: null,
  used: 0,
  state: 'ample',
})

/** What is held; or, where it is the disk that has no room, what that has left. */
export function roomText(room: Room): string {
  const { state, journal_bytes, engine_log_bytes, most_bytes, free_bytes, least_free_bytes } = room
  const held = journal_bytes + engine_log_bytes
  const byDisk =
    state !== 'ample' && free_bytes !== null && least_free_bytes / Math.max(1, free_bytes) > held / most_bytes
  return byDisk
    ? `${sized(free_bytes)} free on the disk, ${sized(least_free_bytes)} are kept free`
    : `journals and engine logs hold ${sized(held)} of ${sized(most_bytes)}`
}

const scales = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const

/** Bytes as people read them. */
export function sized(bytes: number): string {
  const [unit, scale] = scales.find(([, size]) => bytes >= size) ?? ['B', 1]
  return `${scale === 1 ? bytes : (bytes / scale).toFixed(1)} ${unit}`
}
