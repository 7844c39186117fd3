import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Held, Room, RoomBounds } from '../../books/room.ts'
import { roomOf, unseenRoom } from '../../books/room.ts'
import type { Home } from './home.ts'

/** The sizes of a folder's files; one that goes while it is looked at counts nothing. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)))
  return sizes.reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0)
}

/** What waits to be booked, and what the disk has left. */
export async function heldIn({ root, journals, engineLogs }: Home): Promise<Held> {
  const [journal_bytes, engine_log_bytes, disk] = await Promise.all([
    bytesIn(journals),
    bytesIn(engineLogs),
    statfs(root).catch(() => undefined),
  ])
  return { journal_bytes, engine_log_bytes, free_bytes: disk ? disk.bavail * disk.bsize : null }
}

/** Between two looks a busy gateway writes some 10 MB: what the bound may be passed by. */
const lookMs = 1_000

export interface RoomWatch {
  readonly room: Room
  close(): void
}

/**
 * Looks again and again how much room there is. Each process looks for itself: journals grow most while the operator is away.
 * Never blocks, and never fails: what cannot be seen is as it was.
 */
export function watchRoom(home: Home, bounds: RoomBounds, changed: (room: Room) => void = () => undefined): RoomWatch {
  let room = unseenRoom(bounds)
  let looking = false
  const look = async (): Promise<void> => {
    if (looking) return // a disk that hangs is asked once
    looking = true
    const before = room.state
    room = roomOf(await heldIn(home), bounds, before)
    looking = false
    if (room.state !== before) changed(room)
  }
  void look()
  const timer = setInterval(() => void look(), lookMs)
  timer.unref()
  return {
    get room() {
      return room
    },
    close: () => clearInterval(timer),
  }
}
