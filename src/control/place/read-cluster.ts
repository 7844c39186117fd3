import type { Accelerator } from '../../plant/chips/accelerator.ts'
import { accelerators, findAccelerator } from '../../plant/chips/catalogue.ts'
import { geometryFaults, type MigGeometry } from '../../plant/chips/mig/geometry.ts'
import { findMig } from '../../plant/chips/mig/tables.ts'
import { type Port, ports } from '../../plant/infrastructure/fabric.ts'
import { type Cooling, coolingCeiling, densities, type Rack } from '../../plant/infrastructure/rack.ts'
import { assumedStorage, type Storage, tiers } from '../../plant/infrastructure/storage.ts'
import { Field } from '../../units/field.ts'
import { bytes, bytesPerSecond, watts } from '../../units/quantity.ts'
import { type Cluster, type ClusterNode, type Standing, usualTimes } from './cluster.ts'
import type { GpuNeed } from './demand.ts'
import { Inventory } from './inventory.ts'
import { usualOutlook } from './outlook.ts'

const MiB = 2 ** 20
/** Bounds that no real site reaches: a slip of the pen does. */
const MOST_NODES = 20_000

/** A cluster as it stands in a file → the cluster, or the first thing in it that cannot be, by its place. */
export function readCluster(value: unknown, now_ms: number): Cluster {
  const top = new Field(value, [], 'the cluster')
  const times = top.group('times')
  const racks = top.has('racks') ? top.list('racks').map(rackIn) : []
  const nodes = top.list('nodes').flatMap((node) => nodesIn(node, racks))
  if (nodes.length > MOST_NODES) top.fail('nodes', `are ${nodes.length}; ${MOST_NODES} is the most`)
  const twice = nodes.find(({ id }, at) => nodes.findIndex((one) => one.id === id) < at)
  if (twice) top.fail('nodes', `has two with the id ${twice.id}`)
  const cluster: Cluster = {
    site: top.text('site', 'site'),
    at_ms: top.moment('at', now_ms),
    racks,
    nodes,
    standing: top.has('standing') ? top.list('standing').map(standingIn) : [],
    reservations: top.has('reservations') ? top.list('reservations').map((one) => reservationIn(one, nodes)) : [],
    quotas: top.has('quotas') ? top.list('quotas').map(quotaIn) : [],
    times: {
      drain_s: times.number('drain_s', { from: 0, to: 86_400, usually: usualTimes.drain_s }),
      engineStart_s: times.number('engine_start_s', { from: 0, to: 86_400, usually: usualTimes.engineStart_s }),
    },
  }
  times.done()
  top.done()
  new Inventory(cluster, [], usualOutlook) // what runs must fit where it is said to run
  return cluster
}

function rackIn(field: Field): Rack {
  const density = field.has('density')
    ? field.oneOf(
        'density',
        densities.map((one) => one.name),
      )
    : undefined
  const built = densities.find((one) => one.name === density)
  const cooling = field.oneOf('cooling', Object.keys(coolingCeiling) as Cooling[], built?.cooling ?? 'air')
  const kilowatts = (name: string, usually?: number): number =>
    1000 * field.number(name, { from: 0.1, to: 10_000, ...(usually === undefined ? {} : { usually }) })
  const rack: Rack = {
    id: field.text('id'),
    row: field.has('row') ? field.text('row') : null,
    feed: field.has('feed') ? field.text('feed') : null,
    power: watts(kilowatts('power_kw', built && built.watts / 1000)),
    cooling,
    cooled: watts(kilowatts('cooling_kw', (built?.watts ?? coolingCeiling[cooling]) / 1000)),
  }
  field.done()
  return rack
}

/** One entry may stand for several alike nodes: `count` of them, numbered from 1. */
function nodesIn(field: Field, racks: readonly Rack[]): ClusterNode[] {
  const id = field.text('id')
  const count = field.whole('count', { from: 1, to: MOST_NODES, usually: 1 })
  const rack = field.has('rack')
    ? field.oneOf(
        'rack',
        racks.map((one) => one.id),
      )
    : null
  const chip = field.has('chip') ? chipIn(field) : null
  const gpus = chip ? field.whole('gpus', { from: 1, to: 64 }) : 0
  const cost = field.has('usd_per_gpu_hour') ? field.number('usd_per_gpu_hour', { from: 0, to: 1e6 }) : undefined
  const node = {
    rack,
    chip,
    gpus,
    cpu_milli: 1000 * field.number('cores', { from: 0, to: 100_000 }),
    memory_mib: 1024 * field.number('memory_gib', { from: 0, to: 1e6 }),
    gpuCost: gpuCostOf(chip, cost),
    coreUsdPerHour: field.has('usd_per_core_hour') ? field.number('usd_per_core_hour', { from: 0, to: 1e6 }) : null,
    geometry: chip && geometryIn(field, chip),
    migMode: new Set(field.has('mig_on') ? field.numbers('mig_on', { from: 0, to: gpus - 1 }) : []),
    fabric: field.has('fabric') ? field.oneOf('fabric', Object.keys(ports) as Port[]) : null,
    storage: storageIn(field.group('storage')),
    weightsIn: field.oneOf('weights_in', tiers, 'nvme'),
    draining: field.flag('draining', false),
  }
  field.done()
  return Array.from({ length: count }, (_, at) => ({ id: count === 1 ? id : `${id}-${at + 1}`, ...node }))
}

function chipIn(field: Field): Accelerator {
  const id = field.oneOf(
    'chip',
    accelerators.map((one) => one.id),
  )
  return findAccelerator(id) as Accelerator
}

const gpuCostOf = (chip: Accelerator | null, stated: number | undefined): ClusterNode['gpuCost'] => {
  if (stated !== undefined) return { usd_hour: stated, from: 'stated' }
  return chip?.rental ? { usd_hour: chip.rental.low, from: 'catalogue' } : null
}

/** The node's own listing where it is given (NVML knows better than any table), else ours. A listing that cannot be is refused. */
function geometryIn(field: Field, chip: Accelerator): MigGeometry | null {
  const held = findMig(chip.id) ?? null
  if (!field.has('mig_profiles')) return held
  const profiles = field.list('mig_profiles').map((one) => {
    const starts = one.numbers('starts', { from: 0, to: 31 })
    const profile = {
      name: one.text('name'),
      id: one.has('id') ? one.whole('id', { from: 0, to: 1000 }) : null,
      computeSlices: one.whole('compute_slices', { from: 1, to: 8 }),
      memorySlices: one.whole('memory_slices', { from: 1, to: 8 }),
      maxInstances: one.whole('max_instances', { from: 1, to: 8 }),
      starts,
      memory: one.has('memory_mib') ? bytes(MiB * one.number('memory_mib', { from: 1, to: 1e7 })) : null,
      sms: one.has('sms') ? one.whole('sms', { from: 1, to: 1000 }) : null,
    }
    one.done()
    return profile
  })
  const claimed: MigGeometry = {
    model: held?.model ?? chip.name,
    aliases: [],
    chips: [chip.id],
    computeSlices: held?.computeSlices ?? Math.max(...profiles.map((one) => one.computeSlices)),
    memorySlices: held?.memorySlices ?? Math.max(...profiles.map((one) => one.memorySlices)),
    memory_gb: held?.memory_gb ?? null,
    sms: held?.sms ?? null,
    profiles,
    toggleResets: held?.toggleResets ?? null,
    confidence: "observed: the node's own listing",
    sources: ['observed'],
  }
  const [fault] = geometryFaults(claimed)
  if (fault)
    field.fail('mig_profiles', `cannot be: ${fault} (mock tables of go-nvml say such things; ask NVML on the node)`)
  return claimed
}

function storageIn(field: Field): Storage {
  const rate = (name: 'host' | 'nvme' | 'object') =>
    bytesPerSecond(1e9 * field.number(`${name}_gbs`, { from: 0.001, to: 1e5, usually: assumedStorage[name] / 1e9 }))
  const storage = { host: rate('host'), nvme: rate('nvme'), object: rate('object') }
  field.done()
  return storage
}

function standingIn(field: Field): Standing {
  const need = needIn(field)
  const one: Standing = {
    replica: field.text('replica'),
    deployment: field.text('deployment'),
    tenant: field.text('tenant'),
    node: field.text('node'),
    gpus: field.has('gpus') ? field.numbers('gpus', { from: 0, to: 63 }) : [],
    need,
    start: field.has('start') ? field.whole('start', { from: 0, to: 31 }) : null,
    instance: field.has('instance') ? field.whole('instance', { from: 0, to: 1000 }) : null,
    cpu_milli: 1000 * field.number('cores', { from: 0, to: 100_000, usually: 0 }),
    memory_mib: 1024 * field.number('memory_gib', { from: 0, to: 1e6, usually: 0 }),
    usd_hour: field.number('usd_per_hour', { from: 0, to: 1e9, usually: 0 }),
    until_ms: field.has('until') ? field.moment('until', 0) : null,
    movable: field.flag('movable', true),
    preemptible: field.flag('preemptible', false),
    weight_bytes: field.has('weights_gb') ? 1e9 * field.number('weights_gb', { from: 0, to: 1e5 }) : null,
  }
  field.done()
  return one
}

function needIn(field: Field): GpuNeed {
  if (field.has('profile')) return { kind: 'slice', profile: field.text('profile') }
  if (field.has('share'))
    return { kind: 'share', milli: Math.round(1000 * field.number('share', { from: 0.001, to: 0.999 })) }
  const gpus = field.has('gpus') ? field.numbers('gpus', { from: 0, to: 63 }).length : 0
  return gpus > 0 ? { kind: 'whole', gpus } : { kind: 'none' }
}

function reservationIn(field: Field, nodes: readonly ClusterNode[]) {
  const names = field.texts('nodes')
  const stray = names.find((name) => !nodes.some(({ id }) => id === name))
  if (stray !== undefined) field.fail('nodes', `names ${stray}, which is no node`)
  const reservation = { tenant: field.text('tenant'), nodes: names }
  field.done()
  return reservation
}

function quotaIn(field: Field) {
  const quota = { tenant: field.text('tenant'), gpus: field.number('gpus', { from: 0, to: 1e6 }) }
  field.done()
  return quota
}
