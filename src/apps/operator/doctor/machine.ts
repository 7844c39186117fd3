import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import type { FoundAccelerator } from '../../../adapters/machine/accelerators.ts'
import type { Machine } from '../../../adapters/machine/machine.ts'
import type { Rapl } from '../../../adapters/rapl/rapl.ts'
import { sized } from '../../../books/room.ts'
import { version } from '../version.ts'
import { bad, type Finding, good, warning } from './finding.ts'

/** Below it a small model and the operator push each other out. */
const leastMemory = 512 * 1024 ** 2
/** A gateway's `limits.max_connections` sockets, as many to engines, and its files. */
const leastOpenFiles = 10_000

/** What this machine is like, and what of it stands in the way. */
export const machineFindings = (machine: Machine, rapl: Rapl): Finding[] => [
  system(machine),
  good('versions', versions()),
  cpu(machine),
  memory(machine),
  accelerators(machine),
  meter(rapl),
  openFiles(machine),
  clock(machine),
]

function system({ system }: Machine): Finding {
  const { distribution, platform, kernel, arch, virtual } = system
  const named = [distribution, `${platform} ${kernel}`, arch, virtual].filter((part) => part !== null)
  return good('system', named.join(', '))
}

function versions(): string {
  const { node, sqlite } = process.versions
  const bindings = findPackageJSON('node-llama-cpp', import.meta.url)
  const llama = bindings ? (JSON.parse(readFileSync(bindings, 'utf8')) as { version: string }).version : 'missing'
  return `wattmill ${version}, Node ${node}, SQLite ${sqlite}, node-llama-cpp ${llama}`
}

function cpu({ cpu, limits, system }: Machine): Finding {
  const { model, threads, usable, vectors } = cpu
  const quota = limits.cpu_cores === null ? '' : `, ${limits.cpu_cores} by its control group`
  const found = `${threads} threads (${model}), ${usable} usable${quota}, ${vectors ?? 'no known vector instructions'}`
  if (system.arch === 'x64' && (vectors === null || vectors === 'avx'))
    return warning(
      'cpu',
      found,
      'Without AVX2 llama.cpp is several times slower: use a newer CPU, or an engine elsewhere.',
    )
  if (limits.cpu_cores !== null && limits.cpu_cores < usable)
    return warning(
      'cpu',
      found,
      `Set engine.threads to ${Math.max(1, Math.floor(limits.cpu_cores) - 1)} in wattmill.yaml.`,
    )
  if (usable === 1) return warning('cpu', found, 'Give it two cores: engine and gateway share the one.')
  return good('cpu', found)
}

function memory({ memory, limits }: Machine): Finding {
  const { total_bytes, available_bytes } = memory
  const limit = limits.memory_bytes
  const limited = limit !== null && limit < total_bytes
  const found = `${sized(available_bytes)} of ${sized(total_bytes)} available${limited ? `, limited to ${sized(limit)}` : ''}`
  const usable = limited ? Math.min(available_bytes, limit) : available_bytes
  return usable >= leastMemory
    ? good('memory', found)
    : warning('memory', found, 'Close other programs, or raise the limit: below 512 MiB models do not fit.')
}

function accelerators({ accelerators: { found, notes } }: Machine): Finding {
  const broken = notes.find((note) => note.includes('failed'))
  if (broken) return warning('accelerators', broken, 'Look at the driver: run the tool by hand.')
  if (found.length === 0) return good('accelerators', `none (${notes.join('; ')})`)
  const kinds = Map.groupBy(found, described)
  return good('accelerators', [...kinds].map(([kind, boards]) => `${boards.length} × ${kind}`).join('; '))
}

const described = ({ name, memory_bytes, power_limit_w, mig, driver }: FoundAccelerator): string =>
  [
    name,
    memory_bytes === null ? null : sized(memory_bytes),
    power_limit_w === null ? null : `limited to ${power_limit_w} W`,
    mig === true ? 'MIG on' : null,
    driver === null ? null : `driver ${driver}`,
  ]
    .filter((part) => part !== null)
    .join(', ')

/** Kernels since 5.10 let only root read the counters: the fix opens them until the next boot. */
function meter(rapl: Rapl): Finding {
  if (rapl.found) return good('energy-meter', `measured: ${rapl.meters.map(({ meter }) => meter).join(', ')}`)
  const found = `estimated from CPU time: ${rapl.why}`
  return /EACCES|permission/i.test(rapl.why)
    ? warning(
        'energy-meter',
        found,
        'sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj   (docs/operations.md says how it lasts)',
      )
    : warning(
        'energy-meter',
        found,
        'Put what a wall meter shows at rest and under load into power.idle_watts and power.full_watts.',
      )
}

function openFiles({ open_files }: Machine): Finding {
  if (open_files === null) return good('open-files', 'unknown on this system')
  const found = `${open_files} for each process`
  return open_files >= leastOpenFiles
    ? good('open-files', found)
    : warning(
        'open-files',
        found,
        'ulimit -n 65536, or LimitNOFILE=65536 in the unit; or lower limits.max_connections.',
      )
}

function clock({ clock_synchronised }: Machine): Finding {
  if (clock_synchronised === null) return good('clock', 'nothing here says whether a time server keeps it')
  return clock_synchronised
    ? good('clock', 'kept by a time server')
    : warning('clock', 'no time server keeps it', 'sudo timedatectl set-ntp true')
}

/** Rows of the books carry the time of day: a clock behind them makes new rows older than old ones. */
export const clockBehind = (newest_ms: number | null, now_ms: number): Finding[] =>
  newest_ms === null || newest_ms <= now_ms + 5_000
    ? []
    : [
        bad(
          'clock',
          `the newest request in the books is ${Math.round((newest_ms - now_ms) / 1000)} s ahead of it`,
          'Set the clock right, then restart: sudo timedatectl set-ntp true',
        ),
      ]
