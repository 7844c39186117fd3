import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'
import type { MeterReader, Reading } from '../sqlite/meter.ts'

export type Rapl =
  | { readonly found: true; readonly meters: readonly MeterReader[] }
  | { readonly found: false; readonly why: string }

/**
 * Intel's and AMD's running average power limit: an energy counter per CPU package, as Linux shows it under
 * `/sys/class/powercap`. One meter each, since each wraps by itself; parts of a package (core, dram) are in its figure or
 * not counted at all, so they are left out. Kernels since 5.10 let only root read it (CVE-2020-8694).
 */
export function raplMeters(idle: Watts, root = '/sys/class/powercap'): Rapl {
  const domains = domainsIn(root)
  if (domains.length === 0) return { found: false, why: `no package domain under ${root}` }
  const fault = domains.flatMap((domain) => faultOf(join(root, domain)) ?? [])[0]
  if (fault) return { found: false, why: fault }
  const share = watts(idle / domains.length)
  return { found: true, meters: domains.map((domain) => raplMeter(join(root, domain), domain, share)) }
}

/** `intel-rapl:0` is a package, `intel-rapl:0:1` a part of it; `psys` would count the packages again. */
function domainsIn(root: string): string[] {
  try {
    const names = readdirSync(root).filter((name) => /^intel-rapl:\d+$/.test(name))
    return names.filter((name) => text(join(root, name, 'name')).startsWith('package')).sort()
  } catch {
    return []
  }
}

function faultOf(folder: string): string | undefined {
  try {
    reading(folder)
    return undefined
  } catch (cause) {
    return `${folder}/energy_uj cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

const raplMeter = (folder: string, domain: string, idle: Watts): MeterReader => ({
  meter: `rapl-${domain.slice(domain.indexOf(':') + 1)}`,
  idle,
  read() {
    try {
      return reading(folder)
    } catch {
      return undefined // taken away while we run: the samples stop, and that shows
    }
  },
})

function reading(folder: string): Reading {
  return {
    kind: 'energy_counter',
    energy_uj: whole(join(folder, 'energy_uj')),
    wraps_at_uj: whole(join(folder, 'max_energy_range_uj')),
  }
}

function whole(path: string): number {
  const value = Number(text(path))
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${path} holds no count`)
  return value
}

const text = (path: string): string => readFileSync(path, 'utf8').trim()
