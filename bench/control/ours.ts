import type { Demand } from '../../src/control/place/demand.ts'
import type { NodeClass } from '../../src/control/place/kind.ts'
import { outlook, usualOutlook } from '../../src/control/place/outlook.ts'
import { Placer } from '../../src/control/place/placer.ts'
import type { Arrivals } from './arrivals.ts'
import type { OpenbNode, OpenbPod } from './openb.ts'
import { inOrder, type Placing } from './replay.ts'
import type { Group } from './workload.ts'

const demandOf = (cpu: number, memory: number, gpus: number, milli: number, spec: string): Demand => ({
  cpu_milli: cpu,
  memory_mib: memory,
  gpu: gpus === 0 ? { kind: 'none' } : milli < 1000 ? { kind: 'share', milli } : { kind: 'whole', gpus },
  chips: spec === '' ? null : spec.split('|'),
})

/** The placement that ships, offered the same pods in the same order with the same ranks, and told what FGD is told. */
export function ours(
  nodes: readonly OpenbNode[],
  pods: readonly OpenbPod[],
  { rank }: Arrivals,
  target: readonly Group[],
): Placing {
  const classes: NodeClass[] = []
  const rooms = nodes.map(({ cpu, memory, gpus, model }) => {
    let inClass = classes.findIndex((one) => one.chip === model && one.gpus === gpus)
    if (inClass < 0) inClass = classes.push({ chip: model, gpus, grid: undefined }) - 1
    return { inClass, cpu_milli: cpu, memory_mib: memory }
  })
  const expected = target.map(({ cpu, gpus, milli, spec, frequency }) => ({
    demand: demandOf(cpu, 0, gpus, milli, spec),
    frequency,
  }))
  const placer = new Placer(classes, rooms, outlook(expected, classes, usualOutlook))
  const demands = pods.map(({ cpu, memory, gpus, milli, spec }) => demandOf(cpu, memory, gpus, milli, spec))
  const order = inOrder(rank)
  return (index) => {
    const demand = demands[index] as Demand
    const choice = placer.choose(demand, undefined, order)
    if (choice) placer.take(demand, choice)
    return choice !== undefined
  }
}
