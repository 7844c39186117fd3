/** The same run divided over its requests in several ways, each scaled to the same energy of each second. */

import { windowSeconds } from '../../src/books/window.ts'
import type { StepCoefficients, StepWork } from '../../src/plant/energy/step-energy.ts'
import { energyOf, noWork, plusWork } from '../../src/plant/energy/step-energy.ts'
import type { Observation } from '../../src/plant/energy/step-fit.ts'
import type { StepReport } from '../../src/plant/infrastructure/step.ts'
import { workOfStep } from '../../src/plant/infrastructure/step-work.ts'
import type { Run } from './load.ts'

/** Work of one attempt in one second. */
export interface Part {
  readonly second: number
  readonly attempt: string
  readonly work: StepWork
}

export const stepParts = ({ steps }: Run): Part[] =>
  steps.flatMap((step) =>
    workOfStep(step).map((work, at) => ({
      second: Math.floor(step.at_ms / 1000),
      attempt: step.sequences[at]?.attempt ?? '',
      work,
    })),
  )

export const windowParts = ({ timelines }: Run, batch: number): Part[] => windowSeconds(timelines, batch)

/** Energy of each second: that of the steps that ended in it. */
export function secondEnergies({ steps }: Run, energy_j: (step: StepReport) => number): Map<number, number> {
  const seconds = new Map<number, number>()
  for (const step of steps) {
    const second = Math.floor(step.at_ms / 1000)
    seconds.set(second, (seconds.get(second) ?? 0) + energy_j(step))
  }
  return seconds
}

/** Seconds as a meter would see them: what was done in them, by whichever record, and the energy. */
export function observations(parts: readonly Part[], energies: ReadonlyMap<number, number>): Observation[] {
  const works = new Map<number, StepWork>()
  for (const { second, work } of parts) works.set(second, plusWork(works.get(second) ?? noWork, work))
  return [...energies].flatMap(([second, energy_j]) => {
    const work = works.get(second)
    return work ? { work, energy_j } : []
  })
}

/** Energy of each attempt, J: its part of each second by the model, scaled to what was measured. */
export function divided(
  parts: readonly Part[],
  coefficients: StepCoefficients,
  energies: ReadonlyMap<number, number>,
): Map<string, number> {
  const modelled = new Map<number, number>()
  for (const { second, work } of parts) modelled.set(second, (modelled.get(second) ?? 0) + energyOf(work, coefficients))
  const attempts = new Map<string, number>()
  for (const { second, attempt, work } of parts) {
    const whole = modelled.get(second) ?? 0
    if (whole === 0) continue
    const part = (energyOf(work, coefficients) / whole) * (energies.get(second) ?? 0)
    attempts.set(attempt, (attempts.get(attempt) ?? 0) + part)
  }
  return attempts
}

export interface Deviation {
  /** |a − b| / b of each that has a part by b, sorted. */
  readonly relative: readonly number[]
  /** Share of all joules that lie with somebody else by a than by b: Σ |a − b| / 2 Σ b. */
  readonly misplaced: number
}

/** How far one division of the same joules is from another. */
export function deviation(pairs: readonly (readonly [a: number, b: number])[]): Deviation {
  const real = pairs.filter(([, b]) => b > 0)
  const moved = pairs.reduce((sum, [a, b]) => sum + Math.abs(a - b), 0)
  return {
    relative: real.map(([a, b]) => Math.abs(a - b) / b).sort((x, y) => x - y),
    misplaced: moved / 2 / pairs.reduce((sum, [, b]) => sum + b, 0),
  }
}

/** The parts of all that have one by either. */
export const paired = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): [number, number][] =>
  [...new Set([...a.keys(), ...b.keys()])].map((name) => [a.get(name) ?? 0, b.get(name) ?? 0])

export const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
