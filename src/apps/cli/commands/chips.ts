import type { Command } from 'commander'
import type { Accelerator } from '../../../plant/chips/accelerator.ts'
import { accelerators, findAccelerator } from '../../../plant/chips/catalogue.ts'
import { withoutMedia } from '../../../plant/chips/mig/geometry.ts'
import { layoutsOf } from '../../../plant/chips/mig/layouts.ts'
import { findMig } from '../../../plant/chips/mig/tables.ts'
import { ControlError } from '../../operator/errors.ts'
import { didYouMean } from '../../operator/nearest.ts'
import { fields, table } from '../print.ts'
import { type Common, guarded, show } from '../run.ts'

export function chipCommands(program: Command): void {
  const chips = program.command('chips').description('what is known of accelerators, and who says so')
  const list = chips.command('list').description('every chip of the catalogue; - is unknown')
  list.action(() =>
    guarded(async () => {
      show(accelerators, list.optsWithGlobals<Common>(), (all: readonly Accelerator[]) => all.map(row))
      return undefined
    }),
  )
  const one = chips.command('show').description('one chip: facts, sources, MIG profiles').argument('<id>')
  one.action((id: string) =>
    guarded(async () => {
      show(chipOf(id), one.optsWithGlobals<Common>(), chipView)
      return undefined
    }),
  )
}

function chipOf(id: string) {
  const chip = findAccelerator(id)
  const meant = didYouMean(
    id,
    accelerators.map((one) => one.id),
  )
  if (!chip) throw new ControlError('not_found', `there is no chip ${id}${meant}`, { next: 'wattmill chips list' })
  const geometry = findMig(id)
  const layouts = geometry && layoutsOf(withoutMedia(geometry))
  return { ...chip, mig: geometry ? { ...geometry, layouts: layouts?.sets.length ?? null } : null }
}

const row = (chip: Accelerator) => ({
  id: chip.id,
  vendor: chip.vendor,
  form: chip.form,
  memory_gb: scaled(chip.memory, 1e9),
  gb_per_s: scaled(chip.bandwidth, 1e9),
  bf16_tflops: scaled(chip.peak.bf16, 1e12),
  fp8_tflops: scaled(chip.peak.fp8, 1e12),
  fp4_tflops: scaled(chip.peak.fp4, 1e12),
  tdp_w: chip.full,
  usd_per_hour: chip.rental && [chip.rental.low, chip.rental.high].filter((usd) => usd !== null).join(' to '),
  mig: findMig(chip.id) ? 'yes' : null,
})

const scaled = (value: number | null, by: number): number | null =>
  value === null ? null : Number((value / by).toPrecision(6))

const chipView = ({ mig, ...chip }: ReturnType<typeof chipOf>): string[] => [
  ...fields({
    ...row(chip),
    name: chip.name,
    memory: chip.memoryType,
    interconnect: chip.interconnect,
    notes: chip.notes,
  }),
  '',
  'Sources',
  ...Object.entries(chip.sources).flatMap(([group, sources]) => sources.map((source) => `  ${group}: ${source}`)),
  ...(mig
    ? [
        '',
        `MIG of ${mig.model}: ${mig.confidence}; ${mig.layouts === null ? 'starts unknown' : `${mig.layouts} legal layouts without media engines`}`,
        ...table(
          mig.profiles.map(({ name, id, computeSlices, memorySlices, maxInstances, starts, memory, sms }) => ({
            profile: name,
            id,
            compute: computeSlices,
            slots: memorySlices,
            most: maxInstances,
            starts: starts?.join(' ') ?? null,
            mib: memory === null ? null : memory / 2 ** 20,
            sms,
          })),
        ),
      ]
    : []),
]
