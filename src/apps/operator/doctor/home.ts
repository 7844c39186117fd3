import { statSync } from 'node:fs'
import { adminKeyFault } from '../../../adapters/files/admin-key.ts'
import type { Home } from '../../../adapters/files/home.ts'
import { type Disk, diskAt, syncTime } from '../../../adapters/machine/disk.ts'
import { sized } from '../../../books/room.ts'
import { bad, type Finding, good, warning } from './finding.ts'

/** Below a gigabyte a journal and a store fill up within days. */
const scarce = 1024 ** 3
/** A commit that takes longer is felt in the time to first token. */
const slow_ms = 20

/** The home and the disk that it lies on. */
export async function homeFindings(home: Home): Promise<Finding[]> {
  const disk = await diskAt(home.root)
  return [room(disk, home), kind(disk), await flush(home), permissions(home), adminKey(home)]
}

function room({ free_bytes, total_bytes }: Disk, { root }: Home): Finding {
  const found = `${sized(free_bytes)} of ${sized(total_bytes)} free at ${root}`
  return free_bytes > scarce
    ? good('disk-free', found)
    : warning('disk-free', found, 'Free some space: without room nothing new is admitted.')
}

const another = 'Put the home on a disk of this machine: --home DIR'

export function kind({ kind }: Pick<Disk, 'kind'>): Finding {
  switch (kind) {
    case 'tmpfs':
    case 'ramfs':
      return bad('disk-kind', `${kind}: what is on it is gone at the next boot`, another)
    case 'overlayfs':
      return warning(
        'disk-kind',
        'overlayfs: it goes when the container goes',
        'Mount a volume for the home: -v wattmill:/var/lib/wattmill',
      )
    case null:
      return good('disk-kind', 'a disk that lasts')
    default:
      return warning('disk-kind', `${kind}: locks and flushes over a network are not to be relied on`, another)
  }
}

async function flush({ root }: Home): Promise<Finding> {
  const ms = await syncTime(root)
  const found = `a flush takes ${ms.toFixed(2)} ms (median of 15)`
  return ms <= slow_ms
    ? good('disk-sync', found)
    : warning('disk-sync', found, 'Each commit waits for a flush: put the home on a faster disk.')
}

function permissions({ root, pepper }: Home): Finding {
  if (process.platform === 'win32') return good('home-permissions', 'as Windows gives them')
  const open = [root, pepper].find((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0)
  return open === undefined
    ? good('home-permissions', 'its owner alone')
    : bad('home-permissions', `others may read ${open}`, `chmod -R go= ${root}`)
}

function adminKey({ adminKey }: Home): Finding {
  const fault = adminKeyFault(adminKey)
  if (fault === undefined) return good('admin-key', adminKey)
  if (fault === 'is missing') return warning('admin-key', 'is missing', 'It is made at the next `wattmill up`.')
  return bad(
    'admin-key',
    `${adminKey} ${fault}`,
    `chmod 600 ${adminKey}, or remove it: it is made anew at the next start`,
  )
}
