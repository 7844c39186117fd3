import { link, open, rename, rm } from 'node:fs/promises'

/** Writes the whole file or nothing, without holding up the event loop: to a sibling first, synced, then renamed over. */
export async function keepWhole(path: string, text: string): Promise<void> {
  const sibling = `${path}.${process.pid}.tmp`
  try {
    const file = await open(sibling, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(sibling, path)
  } catch (cause) {
    await rm(sibling, { force: true })
    throw cause
  }
}

/** A second name for the same bytes; that it has it already is as good. */
export async function linkOnce(from: string, to: string): Promise<void> {
  await link(from, to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause
  })
}

/** What a missing file comes to; other faults are thrown. */
export function orMissing<T>(missing: T): (cause: NodeJS.ErrnoException) => T {
  return (cause) => {
    if (cause.code === 'ENOENT') return missing
    throw cause
  }
}
