import type { MigGeometry, MigProfile } from './geometry.ts'
import { slotsOf } from './layouts.ts'
import { findMig } from './tables.ts'

/** What an engine is said to have of a board. */
export interface OnBoard {
  readonly engine: string
  /** CHIP/PROFILE or SMSofSMS; null: all of the board. */
  readonly slice: string | null
  readonly sms: number | null
  readonly board_sms: number | null
  /** GPU_I_ID; null: not said. */
  readonly instance: string | null
}

/** Why engines cannot stand on a board together as they are said to; undefined: they can. */
export function boardFault(standing: readonly OnBoard[]): string | undefined {
  const slices = standing.filter(({ slice }) => slice !== null)
  const whole = standing.find(({ slice }) => slice === null)
  if (slices.length === 0) return undefined
  if (whole) return `${whole.engine} has all of the board, and ${slices[0]?.engine} a slice of it`
  const sizes = new Set(slices.map(({ board_sms }) => board_sms))
  if (sizes.size > 1) return `the board has ${[...sizes].join(' and ')} SMs at the same time`
  const [once, twice] = slices.filter(
    ({ instance }) => instance !== null && slices.filter((of) => of.instance === instance).length > 1,
  )
  if (once && twice) return `GPU instance ${once.instance} is given to ${once.engine} and to ${twice.engine}`
  const layout = layoutFault(slices.flatMap(({ slice }) => slice ?? []))
  if (layout) return layout
  const sms = slices.reduce((sum, one) => sum + (one.sms ?? 0), 0)
  const [board = 0] = sizes
  return sms > (board ?? 0) ? `its slices have ${sms} SMs, and the board ${board}` : undefined
}

/** Slices that are given by their profiles, all of one chip whose starts are known; of others nobody can tell. */
function layoutFault(names: readonly string[]): string | undefined {
  const [chip] = (names[0] ?? '').split('/')
  const geometry = findMig(chip ?? '')
  if (!geometry) return undefined
  const profiles = names.flatMap((name) => geometry.profiles.find((one) => `${chip}/${one.name}` === name) ?? [])
  if (profiles.length < names.length || profiles.some(({ starts }) => starts === null)) return undefined
  return standTogether(geometry, profiles) ? undefined : `no ${chip} can be cut into ${names.join(', ')} at once`
}

function standTogether(geometry: MigGeometry, profiles: readonly MigProfile[]): boolean {
  const compute = profiles.reduce((sum, { computeSlices }) => sum + computeSlices, 0)
  if (compute > geometry.computeSlices) return false
  if (profiles.some((one) => profiles.filter((of) => of === one).length > one.maxInstances)) return false
  const place = (at: number, taken: number): boolean => {
    const profile = profiles[at]
    if (!profile) return true
    return (profile.starts ?? []).some((start) => {
      const slots = slotsOf({ profile, start })
      return (taken & slots) === 0 && place(at + 1, taken | slots)
    })
  }
  return place(0, 0)
}
