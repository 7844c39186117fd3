import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'

export interface Disk {
  readonly free_bytes: number
  readonly total_bytes: number
  /** As the kernel's magic number names it; null: not one of those that matter here. */
  readonly kind: string | null
}

/** File systems on which something that we rely on does not hold (Linux's statfs(2) and magic.h). */
const kinds: ReadonlyMap<number, string> = new Map([
  [0x0102_1994, 'tmpfs'],
  [0x8584_58f6, 'ramfs'],
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff53_4d42, 'cifs'],
  [0xfe53_4d42, 'smb2'],
  [0x0102_1997, '9p'],
  [0x794c_7630, 'overlayfs'],
])

export async function diskAt(folder: string): Promise<Disk> {
  const { bavail, blocks, bsize, type } = await statfs(folder)
  const kind = process.platform === 'linux' ? (kinds.get(type >>> 0) ?? null) : null
  return { free_bytes: bavail * bsize, total_bytes: blocks * bsize, kind }
}

/** Enough for a median, few enough that a slow disk is asked for under a second. */
const syncs = 15

/** How long a flush of 4 KiB takes here, median; ms. It is what each commit waits for. */
export async function syncTime(folder: string): Promise<number> {
  const path = join(folder, `.sync-${process.pid}.tmp`)
  const file = await open(path, 'w', 0o600)
  try {
    const page = Buffer.alloc(4096)
    const took: number[] = []
    for (let at = 0; at < syncs; at++) {
      await file.write(page, 0, page.length, at * page.length)
      const began = performance.now()
      await file.datasync()
      took.push(performance.now() - began)
    }
    return took.sort((a, b) => a - b)[Math.floor(syncs / 2)] ?? Number.NaN
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}
