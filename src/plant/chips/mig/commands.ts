import type { MigGeometry } from './geometry.ts'
import { layoutsOf, type Slice, stateOf } from './layouts.ts'

/** An instance that exists; `instance` is the number that `nvidia-smi mig -lgi` shows. */
export interface Standing extends Slice {
  readonly instance?: number
}

export interface Step {
  readonly command: string
  readonly why: string
}

/** One GPU as it is and as it shall be. */
export interface Repartition {
  /** Index or PCI bus id, as `nvidia-smi -i` takes it. */
  readonly gpu: string
  readonly geometry: MigGeometry
  readonly migMode: boolean
  readonly standing: readonly Standing[]
  readonly wanted: readonly Slice[]
  /** The GPU shall be used uncut: MIG mode goes off. */
  readonly uncut?: boolean
}

const same = (a: Slice, b: Slice): boolean => a.profile === b.profile && a.start === b.start
const named = ({ profile, start }: Slice): string => `${profile.name} at slot ${start}`

/**
 * What to type to get from one layout to the other; instances that stay are not touched. Undefined when the layout is not
 * legal on this GPU, or its starts are unknown.
 *
 * Starts are always given (`-cgi profile:start`): left to itself the driver takes the first that fits, which is how slots
 * come to be free that no profile can use.
 */
export function repartition({ gpu, geometry, migMode, standing, wanted, uncut }: Repartition): Step[] | undefined {
  const layouts = layoutsOf(geometry)
  if (!layouts || stateOf(layouts, wanted) === undefined) return undefined
  const gone = standing.filter((one) => !wanted.some((other) => same(one, other)))
  const fresh = wanted.filter((one) => !standing.some((other) => same(one, other)))
  const steps: Step[] = []
  if (!migMode && wanted.length > 0) {
    steps.push({ command: `nvidia-smi -i ${gpu} -mig 1`, why: `MIG mode is off${resets(geometry)}` })
  }
  if (gone.length > 0) steps.push(...destroy(gpu, gone, gone.length === standing.length))
  if (fresh.length > 0) {
    const tuples = fresh.map(({ profile, start }) => `${profile.id ?? profile.name}:${start}`)
    steps.push({
      command: `nvidia-smi mig -i ${gpu} -cgi ${tuples.join(',')} -C`,
      why: `create ${fresh.map(named).join(', ')}, each with its compute instance`,
    })
  }
  if (migMode && uncut) {
    steps.push({ command: `nvidia-smi -i ${gpu} -mig 0`, why: `used uncut from now on${resets(geometry)}` })
    return steps
  }
  if (steps.length > 0)
    steps.push({
      command: `nvidia-smi mig -i ${gpu} -lgi`,
      why: 'read back what stands, with the numbers of the instances',
    })
  return steps
}

const resets = ({ toggleResets }: MigGeometry): string =>
  toggleResets ? '; this resets the GPU, so nothing may run on it' : ''

/** Compute instances first, then what holds them. Without numbers only everything can be destroyed at once. */
function destroy(gpu: string, gone: readonly Standing[], all: boolean): Step[] {
  const why = `drained: ${gone.map(named).join(', ')}`
  const numbers = gone.flatMap(({ instance }) => instance ?? [])
  const which =
    all && numbers.length < gone.length ? '' : ` -gi ${gone.map(({ instance }) => instance ?? '?').join(',')}`
  const list = which.includes('?')
    ? [{ command: `nvidia-smi mig -i ${gpu} -lgi`, why: 'look up the numbers (?) of the instances to destroy' }]
    : []
  return [
    ...list,
    { command: `nvidia-smi mig -i ${gpu} -dci${which}`, why },
    { command: `nvidia-smi mig -i ${gpu} -dgi${which}`, why },
  ]
}
