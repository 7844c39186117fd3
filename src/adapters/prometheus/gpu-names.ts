import type { Sample } from './parse.ts'

/** What dcgm-exporter says of one board. What it does not say is left out: its set of fields is a file that people edit. */
export interface GpuReport {
  readonly uuid: string
  readonly model?: string
  /** Cumulative since the driver was loaded, mJ. */
  readonly energy_mj?: number
  readonly power_w?: number
  /** Share of time in which some kernel ran, 0 to 1: not how much of the chip worked. */
  readonly utilisation?: number
  readonly memory_used_bytes?: number
  readonly temperature_c?: number
  /** MIG instances by GPU_I_ID. */
  readonly instances?: ReadonlyMap<string, GpuInstance>
}

/** A MIG instance. It has no power of its own: that is the board's. */
export interface GpuInstance {
  readonly profile: string
  /** Share of the instance's own time in which it computed, 0 to 1. */
  readonly active?: number
}

type GpuField = Exclude<keyof GpuReport, 'uuid' | 'model' | 'instances'>

interface Name {
  readonly name: string
  /** Our unit = theirs × this. */
  readonly times: number
}

/**
 * Names newest first. dcgm-exporter 4.9 (DCGM 4.7) renamed its default fields and changed units with them: energy from mJ
 * to J, utilisation from percent to a share, memory from MiB to bytes. Sources: NVIDIA's DCGM Exporter Metrics and Field
 * Identifiers (docs.nvidia.com/datacenter/dcgm), `etc/default-counters.csv` of both versions.
 */
export const gpuNames: { readonly [Field in GpuField]: readonly Name[] } = {
  energy_mj: [
    { name: 'DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL', times: 1000 },
    { name: 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', times: 1 },
  ],
  power_w: [
    { name: 'DCGM_FI_DEV_BOARD_POWER_WATTS', times: 1 },
    { name: 'DCGM_FI_DEV_POWER_USAGE', times: 1 },
  ],
  utilisation: [
    { name: 'DCGM_FI_DEV_GPU_UTIL_RATIO', times: 1 },
    { name: 'DCGM_FI_DEV_GPU_UTIL', times: 0.01 },
  ],
  memory_used_bytes: [
    { name: 'DCGM_FI_DEV_FB_USED_BYTES', times: 1 },
    { name: 'DCGM_FI_DEV_FB_USED', times: 1024 ** 2 },
  ],
  temperature_c: [
    { name: 'DCGM_FI_DEV_GPU_TEMP_CELSIUS', times: 1 },
    { name: 'DCGM_FI_DEV_GPU_TEMP', times: 1 },
  ],
}

const gpuFields = Object.entries(gpuNames) as [GpuField, readonly Name[]][]

/** What a slice repeats of its board; of all else it tells its own. */
const ofBoard: ReadonlySet<GpuField> = new Set(['energy_mj', 'power_w', 'temperature_c'])

/** Old names first, so that the newest wins: DCGM 4.7 has another one. */
const activityNames = ['DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO']

/** Boards of a page by UUID. A MIG slice repeats its board's figures under the board's UUID: they are not added up, and its own go to `instances`. */
export function readGpus(samples: readonly Sample[]): Map<string, GpuReport> {
  const page = Map.groupBy(samples, ({ name }) => name)
  const boards = new Map<string, GpuReport>()
  for (const [field, names] of gpuFields) {
    for (const { name, times } of names.toReversed())
      for (const { labels, value } of page.get(name) ?? []) {
        const uuid = labels.UUID ?? labels.uuid
        if (!uuid || isBlank(value) || (labels.GPU_I_ID && !ofBoard.has(field))) continue
        const model = labels.modelName ?? labels.model
        boards.set(uuid, { ...boards.get(uuid), uuid, ...(model && { model }), [field]: value * times })
      }
  }
  for (const name of activityNames)
    for (const { labels, value } of page.get(name) ?? []) {
      const { UUID: uuid = labels.uuid ?? '', GPU_I_ID: id, GPU_I_PROFILE: profile = '' } = labels
      if (!uuid || !id || isBlank(value)) continue
      const board = boards.get(uuid) ?? { uuid }
      const instances = new Map(board.instances).set(id, { profile, active: value })
      boards.set(uuid, { ...board, instances })
    }
  return boards
}

/**
 * DCGM's words for "no value" (blank, not found, not supported, no permission) in 64-bit, 32-bit and floating form, from
 * dcgm_structs.h: 2^63 − 16 …, 2^31 − 16 …, 2^47 …; read as numbers they would be energies.
 */
export function isBlank(value: number): boolean {
  const within = (first: number, count: number): boolean => value >= first && value < first + count
  return (
    !Number.isFinite(value) || value < 0 || value >= 2 ** 63 - 1024 || within(2 ** 31 - 16, 16) || within(2 ** 47, 16)
  )
}
