/**
 * How fast: 10,000 replicas placed on 6,000 GPUs (H200 and H100 with MIG, L40S), and one decision on the fleet as it fills.
 * Wall time, medians of runs; the first decision of each kind works out its tables and is counted with the rest.
 */
import { type Grid, gridOf } from '../../src/control/place/cells.ts'
import type { Demand, Expected, GpuNeed } from '../../src/control/place/demand.ts'
import type { NodeClass } from '../../src/control/place/kind.ts'
import { outlook, usualOutlook } from '../../src/control/place/outlook.ts'
import { Placer } from '../../src/control/place/placer.ts'
import { withoutMedia } from '../../src/plant/chips/mig/geometry.ts'
import { layoutsOf } from '../../src/plant/chips/mig/layouts.ts'
import { findMig } from '../../src/plant/chips/mig/tables.ts'
import { dice } from '../dice.ts'
import { quantile } from './statistics.ts'

const REPLICAS = 10_000
const RUNS = 7
const ALL_MS = 1000
const ONE_MS = 5

const grids = new Map<string, Grid>()
function gridOn(chip: string): Grid {
  const geometry = findMig(chip)
  const layouts = geometry && layoutsOf(withoutMedia(geometry))
  if (!layouts) throw new Error(`no MIG geometry of ${chip}`)
  const held = grids.get(chip) ?? gridOf(layouts)
  grids.set(chip, held)
  return held
}

const demand = (gpu: GpuNeed, chips: readonly string[] | null, cores: number): Demand => ({
  cpu_milli: cores * 1000,
  memory_mib: 32_768,
  gpu,
  chips,
})
const hopper = ['h200', 'h100-sxm']
const mix: readonly Expected[] = [
  { demand: demand({ kind: 'whole', gpus: 1 }, null, 8), frequency: 15 },
  { demand: demand({ kind: 'whole', gpus: 2 }, hopper, 16), frequency: 6 },
  { demand: demand({ kind: 'whole', gpus: 4 }, hopper, 32), frequency: 2 },
  { demand: demand({ kind: 'whole', gpus: 8 }, ['h200'], 64), frequency: 1 },
  { demand: demand({ kind: 'slice', profile: '1g.18gb' }, ['h200'], 4), frequency: 20 },
  { demand: demand({ kind: 'slice', profile: '2g.35gb' }, ['h200'], 4), frequency: 12 },
  { demand: demand({ kind: 'slice', profile: '3g.71gb' }, ['h200'], 8), frequency: 10 },
  { demand: demand({ kind: 'slice', profile: '1g.10gb' }, ['h100-sxm'], 4), frequency: 12 },
  { demand: demand({ kind: 'slice', profile: '3g.40gb' }, ['h100-sxm'], 8), frequency: 7 },
  { demand: demand({ kind: 'share', milli: 500 }, null, 4), frequency: 8 },
  { demand: demand({ kind: 'share', milli: 250 }, null, 4), frequency: 5 },
  { demand: demand({ kind: 'none' }, null, 8), frequency: 2 },
]

export function speed(): boolean {
  const runs = Array.from({ length: RUNS }, (_, run) => once(run + 1))
  const all = quantile(
    runs.map((run) => run.all_ms),
    0.5,
  )
  const each = runs.flatMap((run) => run.each_ms)
  const [median, p99, worst] = [0.5, 0.99, 1].map((share) => quantile(each, share))
  const met = all <= ALL_MS && (p99 ?? 0) <= ONE_MS
  console.log(
    `\nSpeed: ${REPLICAS} replicas offered to 6,000 GPUs on 850 nodes, ${runs[0]?.placed} placed: ${all.toFixed(0)} ms, tables included (median of ${RUNS}; ${runs.map((run) => run.all_ms.toFixed(0)).join(', ')}; CPU time ${quantile(
      runs.map((run) => run.cpu_ms),
      0.5,
    ).toFixed(0)} ms)`,
  )
  console.log(
    `one decision: median ${median?.toFixed(3)} ms, 99 % ${p99?.toFixed(3)} ms, longest ${worst?.toFixed(1)} ms`,
  )
  return met
}

function once(seed: number) {
  const chance = dice(seed)
  const order = mix.flatMap(({ demand: one, frequency }) =>
    Array.from({ length: Math.round((frequency * REPLICAS) / 100) }, () => one),
  )
  const offered = order.map((one) => ({ one, at: chance.next() })).sort((a, b) => a.at - b.at)
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  const classes: readonly NodeClass[] = [
    { chip: 'h200', gpus: 8, grid: gridOn('h200') },
    { chip: 'h100-sxm', gpus: 8, grid: gridOn('h100-sxm') },
    { chip: 'l40s', gpus: 4, grid: undefined },
  ]
  const nodes = [400, 250, 200].flatMap((count, inClass) =>
    Array.from({ length: count }, () => ({
      inClass,
      cpu_milli: inClass === 2 ? 64_000 : 192_000,
      memory_mib: inClass === 2 ? 524_288 : 2_097_152,
    })),
  )
  const placer = new Placer(classes, nodes, outlook(mix, classes, usualOutlook))
  let placed = 0
  const each_ms = offered.map(({ one }) => {
    const start = performance.now()
    const choice = placer.choose(one)
    if (choice) {
      placer.take(one, choice)
      placed++
    }
    return performance.now() - start
  })
  const { user, system } = process.cpuUsage(cpu)
  return { all_ms: performance.now() - began, cpu_ms: (user + system) / 1000, each_ms, placed }
}
