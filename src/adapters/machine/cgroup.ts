import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What this process may use at most, by its control groups; null: no limit is set, or none can be read. */
export interface Limits {
  readonly memory_bytes: number | null
  /** Cores' worth of CPU time. */
  readonly cpu_cores: number | null
}

/**
 * The tightest limit of the group and all above it, in version 2 (one tree, `memory.max`, `cpu.max`) and version 1 (a tree
 * each, `memory.limit_in_bytes`, `cpu.cfs_quota_us`). In a container the group's own tree is often mounted as the root, so
 * each path is tried from where it names itself up to the root.
 */
export function cgroupLimits(root = '/'): Limits {
  const trees = treesOf(text(join(root, 'proc/self/cgroup')) ?? '')
  const base = join(root, 'sys/fs/cgroup')
  const files = trees.flatMap(({ controllers, path }) => {
    if (controllers.length === 0) return [base, join(base, 'unified')].flatMap((folder) => upwards(folder, path))
    const known = controllers.filter((name) => name === 'memory' || name === 'cpu')
    return known.flatMap((name) => upwards(join(base, name), path))
  })
  return { memory_bytes: least(files.flatMap(memoryIn)), cpu_cores: least(files.flatMap(coresIn)) }
}

interface Tree {
  /** Empty: the one tree of version 2. */
  readonly controllers: readonly string[]
  readonly path: string
}

const treesOf = (listed: string): Tree[] =>
  listed.split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    return path ? [{ controllers: controllers.split(',').filter((name) => name !== ''), path }] : []
  })

function upwards(base: string, path: string): string[] {
  const folders: string[] = []
  for (let at = path; ; at = dirname(at)) {
    folders.push(join(base, at))
    if (at === '/' || at === '.') return folders
  }
}

/** Version 1 says "no limit" with a number near 2^63. */
const unlimited = 2 ** 60

function memoryIn(folder: string): number[] {
  const said = text(join(folder, 'memory.max')) ?? text(join(folder, 'memory.limit_in_bytes'))
  const bytes = Number(said)
  return said !== undefined && Number.isFinite(bytes) && bytes < unlimited ? [bytes] : []
}

function coresIn(folder: string): number[] {
  const [quota, period] = text(join(folder, 'cpu.max'))?.split(' ') ?? [
    text(join(folder, 'cpu.cfs_quota_us')),
    text(join(folder, 'cpu.cfs_period_us')),
  ]
  const cores = Number(quota) / Number(period)
  return Number.isFinite(cores) && cores > 0 ? [cores] : []
}

const least = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.min(...values))

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
