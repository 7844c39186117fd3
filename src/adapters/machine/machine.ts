import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, freemem, machine as hardware, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Accelerators, findAccelerators } from './accelerators.ts'
import { cgroupLimits, type Limits } from './cgroup.ts'

/** This machine as it is: what was read, and null where nothing says. */
export interface Machine {
  readonly system: {
    readonly platform: string
    readonly arch: string
    readonly kernel: string
    readonly distribution: string | null
    /** Where it runs: on a virtual machine, in a container; null: no sign of either. */
    readonly virtual: string | null
  }
  readonly cpu: {
    readonly model: string
    /** Hardware threads of the machine. */
    readonly threads: number
    /** Of these, what this process may use. */
    readonly usable: number
    /** Widest vector instructions that llama.cpp has code for. */
    readonly vectors: string | null
  }
  readonly memory: { readonly total_bytes: number; readonly available_bytes: number }
  readonly limits: Limits
  /** Sockets and files that a process may hold open; null: unknown. */
  readonly open_files: number | null
  readonly accelerators: Accelerators
  /** Whether a time server keeps the clock; null: nothing says. */
  readonly clock_synchronised: boolean | null
}

export async function readMachine(root = '/'): Promise<Machine> {
  const [accelerators, clock_synchronised] = await Promise.all([findAccelerators(), synchronised()])
  const read = (path: string): string => textIn(join(root, path))
  const model = (cpus()[0]?.model ?? '').trim()
  return {
    system: {
      platform: platform(),
      arch: arch(),
      kernel: release(),
      distribution: /^PRETTY_NAME="?([^"\n]+)/m.exec(read('etc/os-release'))?.[1] ?? null,
      virtual: virtualIn(read),
    },
    cpu: {
      model: model === '' || model === 'unknown' ? hardware() : model,
      threads: cpus().length,
      usable: availableParallelism(),
      vectors: vectorsIn(read('proc/cpuinfo')),
    },
    memory: { total_bytes: totalmem(), available_bytes: availableIn(read('proc/meminfo')) ?? freemem() },
    limits: cgroupLimits(root),
    open_files: openFilesIn(read('proc/self/limits')),
    accelerators,
    clock_synchronised,
  }
}

function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** `MemAvailable` counts what caches would give back; "free" memory is nearly none on a healthy machine. */
export const availableIn = (meminfo: string): number | undefined => {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}

const vectors = ['amx_tile', 'avx512f', 'avx2', 'avx', 'sve2', 'sve', 'asimd'] as const

/** x86 calls them flags, ARM features. */
export function vectorsIn(cpuinfo: string): string | null {
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' '))
  return vectors.find((name) => flags.has(name)) ?? null
}

export function openFilesIn(limits: string): number | null {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] // Node raises its own to the hard limit
  return hard === undefined ? null : Number(hard)
}

function virtualIn(read: (path: string) => string): string | null {
  const container = containerIn(read)
  const product = read('sys/class/dmi/id/product_name').trim()
  const hypervisor = /^flags\s*:.*\bhypervisor\b/m.test(read('proc/cpuinfo'))
  const machine = hypervisor ? `virtual machine${product ? ` (${product})` : ''}` : ''
  return [container, machine].filter((one) => one !== '').join(' on a ') || null
}

function containerIn(read: (path: string) => string): string {
  if (process.env.KUBERNETES_SERVICE_HOST) return 'pod'
  const name = /(?:^|\0)container=([^\0]+)/.exec(read('proc/1/environ'))?.[1]
  const docker = /\/(docker|containerd|kubepods|libpod)[-/]/.exec(read('proc/1/cgroup'))?.[1]
  return name || docker ? `container (${name ?? docker})` : ''
}

/** systemd knows whether any time service, its own or another, has set the clock. */
async function synchronised(): Promise<boolean | null> {
  try {
    const { stdout } = await promisify(execFile)('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], {
      timeout: 2_000,
    })
    const said = stdout.trim()
    return said === 'yes' ? true : said === 'no' ? false : null
  } catch {
    return null
  }
}
