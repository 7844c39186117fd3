import type { Bytes } from '../../../units/quantity.ts'

/**
 * How one GPU model can be cut (MIG). An instance takes `memorySlices` neighbouring slots from one of its starts. A layout
 * is legal when no slot is taken twice, compute slices sum to at most those of the GPU, no profile has more instances than
 * its maximum, and at most one instance holds the media engines (`+me`).
 */
export interface MigGeometry {
  readonly model: string
  readonly aliases: readonly string[]
  /** Catalogue entries that are cut this way. */
  readonly chips: readonly string[]
  readonly computeSlices: number
  readonly memorySlices: number
  readonly memory_gb: number | null
  /** Streaming multiprocessors of the uncut chip: MIG may leave some out (98 of an A100's 108). */
  readonly sms: number | null
  readonly profiles: readonly MigProfile[]
  /** Whether turning MIG mode on or off resets the GPU: on Ampere it does, later not. */
  readonly toggleResets: boolean | null
  /** How sure it is, in words. On a real node NVML knows better (nvmlDeviceGetGpuInstancePossiblePlacements_v2). */
  readonly confidence: string
  readonly sources: readonly MigSource[]
}

export interface MigProfile {
  /** As nvidia-smi prints it: compute slices and nominal memory, such as `3g.71gb`. */
  readonly name: string
  /** NVML's number for it, which `nvidia-smi mig -cgi` takes. */
  readonly id: number | null
  readonly computeSlices: number
  readonly memorySlices: number
  readonly maxInstances: number
  /** Slots that an instance may begin at; `null` when nobody published them. */
  readonly starts: readonly number[] | null
  readonly memory: Bytes | null
  readonly sms: number | null
}

export const migSources = {
  observed:
    'NVML values read on EC2 p4d, p5 and p6-b200 by the NVIDIA DRA driver, as recorded in an Apache-2.0 Karpenter test table',
  guide: 'NVIDIA MIG User Guide, supported MIG profiles',
  mocks: 'NVIDIA/go-nvml@2f9e261f pkg/nvml/mock/gpus a30.go and a100.go, where they agree with the guide',
  parted: 'NVIDIA/mig-parted@bd7160f4 deployments/systemd/config-default.yaml',
  inferred: 'inferred from the same grid and profile numbers on H100 or B200',
} as const
export type MigSource = keyof typeof migSources

/** Profiles with the media engines carry this in their name; a GPU has one such instance at most. */
export const holdsMedia = (profile: MigProfile): boolean => profile.name.includes('+me')

const bare = new WeakMap<MigGeometry, MigGeometry>()

/**
 * The geometry without its profiles with media engines. Few replicas decode video, and with them there are three times as
 * many layouts. The same object each time, so that what is worked out of it is found again.
 */
export function withoutMedia(geometry: MigGeometry): MigGeometry {
  const held = bare.get(geometry)
  if (held) return held
  const made = { ...geometry, profiles: geometry.profiles.filter((profile) => !holdsMedia(profile)) }
  bare.set(geometry, made)
  return made
}

/**
 * What is wrong with a geometry by itself, whoever claims it: slots outside the grid, more or fewer instances than fit, or
 * a share of the memory's slots that is not its share of the memory. The last finds the tables in which a 3g takes three
 * slots of eight and a 7g seven.
 */
export function geometryFaults(geometry: MigGeometry): string[] {
  const { computeSlices, memorySlices, memory_gb } = geometry
  return geometry.profiles.flatMap((profile) => {
    const faults: string[] = []
    const fault = (what: string): number => faults.push(`${geometry.model} ${profile.name}: ${what}`)
    const { starts, memorySlices: size } = profile
    if (profile.computeSlices > computeSlices || size > memorySlices) fault('is larger than the GPU')
    if (profile.computeSlices === computeSlices && size !== memorySlices)
      fault(`takes all compute but ${size} of ${memorySlices} memory slots`)
    const nominal = Number(/\.(\d+)gb/.exec(profile.name)?.[1] ?? Number.NaN)
    if (memory_gb !== null && Math.abs(nominal / memory_gb - size / memorySlices) > 0.1)
      fault(`holds ${nominal} of ${memory_gb} GB in ${size} of ${memorySlices} slots`)
    if (starts === null) return faults
    if (starts.some((start) => start < 0 || start + size > memorySlices)) fault('begins where it cannot end')
    const fitting = holdsMedia(profile) ? 1 : Math.min(disjoint(starts, size), perCompute(geometry, profile))
    if (fitting !== profile.maxInstances) fault(`fits ${fitting} times, not ${profile.maxInstances}`)
    return faults
  })
}

const perCompute = (geometry: MigGeometry, profile: MigProfile): number =>
  Math.floor(geometry.computeSlices / profile.computeSlices)

/** The most instances that do not overlap: take the earliest start each time. */
function disjoint(starts: readonly number[], size: number): number {
  let [count, free] = [0, 0]
  for (const start of starts.toSorted((a, b) => a - b)) {
    if (start < free) continue
    count++
    free = start + size
  }
  return count
}

/** Where a claimed geometry departs from the one we hold: what a node or a simulator says is compared before it is used. */
export function differences(held: MigGeometry, claimed: MigGeometry): string[] {
  return claimed.profiles.flatMap((profile) => {
    const ours = held.profiles.find((one) => one.name === profile.name)
    if (!ours) return [`${held.model} has no profile ${profile.name}`]
    return (['id', 'computeSlices', 'memorySlices', 'maxInstances', 'starts', 'sms'] as const)
      .filter((key) => ours[key] !== null && profile[key] !== null && String(ours[key]) !== String(profile[key]))
      .map((key) => `${held.model} ${profile.name}: ${key} is ${ours[key]}, not ${profile[key]}`)
  })
}
