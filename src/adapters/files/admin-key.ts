import { readFileSync, statSync } from 'node:fs'

/** Shorter could be guessed over a network; ours has 52 letters. */
const shortest = 24

/** Why the admin key does not guard a factory that others can reach; undefined: it does. */
export function adminKeyFault(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file) return 'is missing'
  if (process.platform !== 'win32' && (file.mode & 0o077) !== 0) return 'can be read by others'
  const { length } = readFileSync(path, 'utf8').trim()
  return length < shortest ? `has ${length} characters, ${shortest} are the least` : undefined
}
