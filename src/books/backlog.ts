/** What is journaled while the books take nothing in, until when that goes well, and what comes then. */
import { type Room, sized } from './room.ts'

/** Since when the books take nothing in, and why. */
export interface Stoppage {
  readonly since_ms: number
  /** Of the store: that it cannot be reached, that its disk is full, … */
  readonly fault: string
  readonly why: string
}

export interface Backlog extends Stoppage {
  readonly age_s: number
  /** Rows that gateways journaled and the books do not have. */
  readonly journal_rows: number
  /** Of journals and engine logs on the disk. */
  readonly held_bytes: number
  readonly most_bytes: number
  readonly state: Room['state']
  /** Until the nearer bound at the pace since it began, s, estimated; null: it does not grow, or it is too early to say. */
  readonly full_in_s: number | null
  /** What happens meanwhile, and what people who run the factory see to. */
  readonly next: string
}

/** How much was held when it began, and how much the disk had free. */
export type Began = Pick<Room, 'journal_bytes' | 'engine_log_bytes' | 'free_bytes'>

/** A pace that is seen for less is none. */
const paceAfter_ms = 10_000

export function backlogOf(stopped: Stoppage, journal_rows: number, room: Room, began: Began, now_ms: number): Backlog {
  const full_in_s = room.state === 'full' ? 0 : fullIn(room, began, now_ms - stopped.since_ms)
  return {
    ...stopped,
    age_s: (now_ms - stopped.since_ms) / 1000,
    journal_rows,
    held_bytes: held(room),
    most_bytes: room.most_bytes,
    state: room.state,
    full_in_s,
    next: nextOf(room, full_in_s),
  }
}

const held = ({ journal_bytes, engine_log_bytes }: Began): number => journal_bytes + engine_log_bytes

/**
 *     left = (most − held) ÷ (growth of held a second), or of the disk the same of what is free
 */
function fullIn(room: Room, began: Began, age_ms: number): number | null {
  if (age_ms < paceAfter_ms) return null
  const { free_bytes, least_free_bytes, most_bytes } = room
  const bySize = left(most_bytes - held(room), held(room) - held(began), age_ms)
  const byDisk =
    free_bytes === null || began.free_bytes === null
      ? Number.POSITIVE_INFINITY
      : left(free_bytes - least_free_bytes, began.free_bytes - free_bytes, age_ms)
  const least = Math.min(bySize, byDisk)
  return Number.isFinite(least) ? Math.round(least) : null
}

const left = (room: number, grown: number, age_ms: number): number =>
  grown <= 0 ? Number.POSITIVE_INFINITY : (Math.max(0, room) / grown) * (age_ms / 1000)

function nextOf({ state, most_bytes, least_free_bytes }: Room, full_in_s: number | null): string {
  if (state === 'full')
    return 'new requests get 503 journal_unavailable, since the journals have no room; nothing is lost, and what waits is booked when the store answers'
  const soon = full_in_s === null ? '' : `, in about ${lasting(full_in_s)} at this pace (estimated)`
  return (
    'requests are served and journaled, those under a budget as far as leases reach; nothing is lost. ' +
    `At ${sized(most_bytes)} of journals and logs, or ${sized(least_free_bytes)} free on the disk${soon}, ` +
    'new requests get 503 journal_unavailable until the store answers'
  )
}

/** One line for people. */
export function backlogText({ since_ms, age_s, journal_rows, held_bytes, why }: Backlog): string {
  const since = `since ${new Date(since_ms).toISOString()} (${lasting(age_s)})`
  return `${since}: ${why}; ${journal_rows} journal rows wait, ${sized(held_bytes)} are held`
}

const spans = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const

function lasting(seconds: number): string {
  const [unit, scale] = spans.find(([, size]) => seconds >= 2 * size) ?? ['s', 1]
  return `${Math.round(seconds / scale)} ${unit}`
}
