import { bytes } from '../../../units/quantity.ts'
import type { MigGeometry, MigProfile } from './geometry.ts'

const MiB = 2 ** 20

/** Values by profile, in the order of the rows of a grid; `null` where unknown, a missing name where there is no such profile. */
type PerRow<T> = readonly (T | null)[]

interface Grid {
  readonly names: PerRow<string>
  /** Whether the profile with the media engines is known to exist. */
  readonly media?: false
  readonly mib?: PerRow<number>
  readonly sms?: PerRow<number>
}

interface GridRow {
  readonly id: number
  readonly compute: number
  readonly memory: number
  readonly max: number
  readonly starts: readonly number[]
}

/** Every data-centre part with seven slices: 7 compute on 8 memory slots. */
const sevens: readonly GridRow[] = [
  { id: 19, compute: 1, memory: 1, max: 7, starts: [0, 1, 2, 3, 4, 5, 6] },
  { id: 15, compute: 1, memory: 2, max: 4, starts: [0, 2, 4, 6] },
  { id: 14, compute: 2, memory: 2, max: 3, starts: [0, 2, 4] },
  { id: 9, compute: 3, memory: 4, max: 2, starts: [0, 4] },
  { id: 5, compute: 4, memory: 4, max: 1, starts: [0] },
  { id: 0, compute: 7, memory: 8, max: 1, starts: [0] },
]

function seven({ names, media, mib, sms }: Grid): MigProfile[] {
  return sevens.flatMap((row, index) => {
    const name = names[index]
    if (!name) return []
    const profile: MigProfile = {
      name,
      id: row.id,
      computeSlices: row.compute,
      memorySlices: row.memory,
      maxInstances: row.max,
      starts: row.starts,
      memory: mib?.[index] ? bytes(mib[index] * MiB) : null,
      sms: sms?.[index] ?? null,
    }
    return index === 0 && media !== false ? [profile, withMedia(profile, 20)] : [profile]
  })
}

const withMedia = (profile: MigProfile, id: number | null): MigProfile => ({
  ...profile,
  name: `${profile.name}+me`,
  id,
  maxInstances: 1,
})

const sevenSlices = { computeSlices: 7, memorySlices: 8, aliases: [] } as const

const four = (
  name: string,
  compute: number,
  max: number,
  starts: readonly number[] | null,
  known: { readonly id?: number; readonly mib?: number; readonly sms?: number } = {},
): MigProfile => ({
  name,
  id: known.id ?? null,
  computeSlices: compute,
  memorySlices: compute,
  maxInstances: max,
  starts,
  memory: known.mib ? bytes(known.mib * MiB) : null,
  sms: known.sms ?? null,
})

const a30small = four('1g.6gb', 1, 4, [0, 1, 2, 3], { id: 14, mib: 5836, sms: 14 })
const a30half = four('2g.12gb', 2, 2, [0, 2], { id: 5, mib: 11_672, sms: 28 })

/** MIG geometry of every GPU that we have facts on. */
export const migTables: readonly MigGeometry[] = [
  {
    model: 'A30',
    aliases: [],
    chips: [],
    computeSlices: 4,
    memorySlices: 4,
    memory_gb: 24,
    sms: 56,
    profiles: [
      a30small,
      withMedia(a30small, 21),
      a30half,
      withMedia(a30half, 6),
      four('4g.24gb', 4, 1, [0], { id: 0, mib: 23_344, sms: 56 }),
    ],
    toggleResets: true,
    confidence: 'documented; profile numbers not verified',
    sources: ['guide', 'mocks'],
  },
  {
    ...sevenSlices,
    model: 'A100-40GB',
    aliases: ['A800-40GB'],
    chips: ['a100-40'],
    memory_gb: 40,
    sms: 108,
    profiles: seven({
      names: ['1g.5gb', '1g.10gb', '2g.10gb', '3g.20gb', '4g.20gb', '7g.40gb'],
      mib: [4864, 9984, 9984, 20_096, 20_096, 40_320],
      sms: [14, 14, 28, 42, 56, 98],
    }),
    toggleResets: true,
    confidence: 'observed',
    sources: ['observed', 'guide', 'mocks'],
  },
  {
    ...sevenSlices,
    model: 'A100-80GB',
    aliases: ['A800-80GB'],
    chips: ['a100-80'],
    memory_gb: 80,
    sms: 108,
    profiles: seven({
      names: ['1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb'],
      mib: [9856, 19_968, 19_968, 40_192, 40_192, 80_384],
      sms: [14, 14, 28, 42, 56, 98],
    }),
    toggleResets: true,
    confidence: 'documented',
    sources: ['guide', 'mocks'],
  },
  {
    ...sevenSlices,
    model: 'H100-80GB',
    aliases: ['H800-80GB'],
    chips: ['h100-sxm'],
    memory_gb: 80,
    sms: 132,
    profiles: seven({
      names: ['1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb'],
      mib: [9984, 20_096, 20_096, 40_448, 40_448, 81_152],
      sms: [16, 26, 32, 60, 64, 132],
    }),
    toggleResets: false,
    confidence: 'observed on SXM5 (132 SMs; the PCIe part has 114, cut in a way that nobody published)',
    sources: ['observed', 'guide'],
  },
  {
    ...sevenSlices,
    model: 'H100-94GB-NVL',
    aliases: ['H800-NVL'],
    chips: ['h100-nvl'],
    memory_gb: 94,
    sms: null,
    profiles: seven({ names: ['1g.12gb', '1g.24gb', '2g.24gb', '3g.47gb', '4g.47gb', '7g.94gb'] }),
    toggleResets: false,
    confidence: 'starts observed in a public listing of an H100 NVL; memory and SM counts unknown',
    sources: ['parted', 'guide'],
  },
  {
    ...sevenSlices,
    model: 'H100-96GB',
    aliases: ['GH200-96GB', 'PG506-96GB'],
    chips: [],
    memory_gb: 96,
    sms: null,
    profiles: seven({ names: ['1g.12gb', '1g.24gb', '2g.24gb', '3g.48gb', '4g.48gb', '7g.96gb'] }),
    toggleResets: false,
    confidence: 'starts inferred',
    sources: ['parted', 'inferred'],
  },
  {
    ...sevenSlices,
    model: 'H200-141GB',
    aliases: ['H200-NVL'],
    chips: ['h200'],
    memory_gb: 141,
    sms: 132,
    profiles: seven({
      names: ['1g.18gb', '1g.35gb', '2g.35gb', '3g.71gb', '4g.71gb', '7g.141gb'],
      sms: [16, 26, 32, 60, 64, 132],
    }),
    toggleResets: false,
    confidence: 'profiles and maxima documented; starts and SM counts inferred from the H100, which has the same die',
    sources: ['guide', 'parted', 'inferred'],
  },
  {
    ...sevenSlices,
    model: 'GH200-144GB',
    chips: [],
    memory_gb: 144,
    sms: null,
    profiles: seven({ names: ['1g.18gb', null, '2g.36gb', '3g.72gb', null, null], media: false }),
    toggleResets: false,
    confidence: 'partial: only the profiles of one published layout',
    sources: ['parted', 'inferred'],
  },
  {
    ...sevenSlices,
    model: 'B200',
    chips: ['b200'],
    memory_gb: 180,
    sms: 148,
    profiles: seven({
      names: ['1g.23gb', '1g.45gb', '2g.45gb', '3g.90gb', '4g.90gb', '7g.180gb'],
      mib: [20_992, 45_312, 45_312, 91_136, 91_136, 182_784],
      sms: [18, 30, 36, 70, 72, 148],
    }),
    toggleResets: false,
    confidence: 'observed',
    sources: ['observed', 'guide'],
  },
  {
    ...sevenSlices,
    model: 'GB200',
    chips: ['gb200'],
    memory_gb: 186,
    sms: null,
    profiles: seven({ names: ['1g.23gb', '1g.47gb', '2g.47gb', '3g.93gb', '4g.93gb', '7g.186gb'] }),
    toggleResets: false,
    confidence: 'profile names and maxima published (1g+me not confirmed); starts inferred from the B200',
    sources: ['parted', 'inferred'],
  },
  {
    ...sevenSlices,
    model: 'B300',
    chips: ['b300'],
    memory_gb: 288,
    sms: null,
    profiles: seven({ names: ['1g.34gb', '1g.67gb', '2g.67gb', '3g.135gb', '4g.135gb', '7g.269gb'] }),
    toggleResets: false,
    confidence: 'names published, about 269 GB usable (1g+me not confirmed); starts inferred',
    sources: ['parted', 'inferred'],
  },
  {
    ...sevenSlices,
    model: 'GB300',
    chips: ['gb300'],
    memory_gb: null,
    sms: null,
    profiles: seven({ names: ['1g.35gb', null, '2g.70gb', '3g.139gb', null, null], media: false }),
    toggleResets: false,
    confidence: 'partial',
    sources: ['parted', 'inferred'],
  },
  {
    model: 'RTX-PRO-6000-Blackwell',
    aliases: [],
    chips: ['rtx-pro-6000-server'],
    computeSlices: 4,
    memorySlices: 4,
    memory_gb: 96,
    sms: null,
    profiles: [four('1g.24gb', 1, 4, null), four('2g.48gb', 2, 2, null), four('4g.96gb', 4, 1, [0])],
    toggleResets: null,
    confidence: 'profiles documented; starts unknown. Variants with +gfx, +me, +me.all and -me have the same slices',
    sources: ['guide', 'parted'],
  },
  {
    model: 'RTX-PRO-5000-Blackwell',
    aliases: [],
    chips: [],
    computeSlices: 4,
    memorySlices: 4,
    memory_gb: 48,
    sms: null,
    profiles: [four('1g.12gb', 1, 1, null), four('2g.24gb-me', 2, 1, null), four('4g.48gb', 4, 1, [0])],
    toggleResets: null,
    confidence: 'as documented, though the maxima look unusual: ask NVML. Variants as on the RTX PRO 6000',
    sources: ['guide', 'parted'],
  },
]

/** By model, alias or the catalogue's id of the chip. */
export const findMig = (name: string): MigGeometry | undefined =>
  migTables.find((one) => one.model === name || one.aliases.includes(name) || one.chips.includes(name))

/** Streaming multiprocessors of a profile on a chip; null: no table knows them. */
export const smsOfProfile = (chip: string, profile: string): number | null =>
  findMig(chip)?.profiles.find(({ name }) => name === profile)?.sms ?? null
