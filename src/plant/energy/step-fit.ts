import { nonNegative, solve } from './least-squares.ts'
import type { StepCoefficients, StepWork } from './step-energy.ts'
import { energyOf } from './step-energy.ts'

/** A step, or an interval with many, and the energy that it drew, J. */
export interface Observation {
  readonly work: StepWork
  readonly energy_j: number
}

/** How well coefficients explain observations. */
export interface FitQuality {
  readonly observations: number
  /** Σ measured / Σ modelled: what the modelled energy is scaled by in all. Far from 1 the model has drifted. */
  readonly residual_factor: number
  /** |modelled − measured| / measured of an observation. */
  readonly error_median: number
  readonly error_p95: number
}

export interface FittedSteps {
  readonly coefficients: StepCoefficients
  /** Standard errors of the coefficients, J; 0 for one that the data pushed to 0. */
  readonly errors: StepCoefficients
}

/** Reweighted until the weights follow the fit; the coefficients stand after a few rounds. */
const rounds = 8
/** Observations needed at least: ten for each coefficient. */
export const fewestObservations = 50

/**
 * Fits the five coefficients by non-negative least squares, each observation weighted with 1 / its modelled energy.
 *
 * With these weights (variance in proportion to the mean) the modelled energies add up to the measured ones:
 * Σ x_j (y − ŷ) / ŷ = 0 for every positive c_j, and times c_j, summed over j, that is Σ (y − ŷ) = 0. Unweighted, the long
 * prompts decide everything and a decode step may come out several times too dear. Undefined: too few observations.
 */
export function fitSteps(observations: readonly Observation[]): FittedSteps | undefined {
  const rows = observations
    .filter(({ energy_j }) => energy_j > 0)
    .map(({ work, energy_j }) => [termsOf(work), energy_j])
  if (rows.length < fewestObservations) return undefined
  const system = new NormalEquations(rows as [number[], number][])
  let x: readonly number[] = []
  for (let round = 0; round < rounds; round++) x = system.solved(x)
  return { coefficients: named(x), errors: named(system.standardErrors(x)) }
}

/** How well the coefficients do on observations that they were (or better: were not) fitted on. */
export function qualityOf(coefficients: StepCoefficients, observations: readonly Observation[]): FitQuality {
  const pairs = observations.map(({ work, energy_j }) => ({ modelled: energyOf(work, coefficients), energy_j }))
  const errors = pairs.flatMap(({ modelled, energy_j }) =>
    energy_j > 0 ? Math.abs(modelled - energy_j) / energy_j : [],
  )
  const sorted = errors.sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
  const sum = (of: (pair: (typeof pairs)[number]) => number): number =>
    pairs.reduce((total, pair) => total + of(pair), 0)
  return {
    observations: observations.length,
    residual_factor: sum((one) => one.energy_j) / sum((one) => one.modelled),
    error_median: at(0.5),
    error_p95: at(0.95),
  }
}

const termsOf = (work: StepWork): number[] => [
  work.step_e9 / 1e9,
  work.prefill,
  work.prefill_context,
  work.decode,
  work.kv_read,
]

const named = ([step = 0, prefill = 0, prefill_context = 0, decode = 0, kv_read = 0]: readonly number[]) => ({
  step,
  prefill,
  prefill_context,
  decode,
  kv_read,
})

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

class NormalEquations {
  private readonly rows: readonly (readonly [readonly number[], number])[]
  /** A weight has a bound: an observation of almost nothing is noise, not a law. */
  private readonly least: number

  constructor(rows: readonly (readonly [readonly number[], number])[]) {
    this.rows = rows
    this.least = rows.reduce((sum, [, y]) => sum + y, 0) / rows.length / 1000
  }

  /** The next round's coefficients; the first is weighted with what was measured. */
  solved(x: readonly number[]): number[] {
    const { gram, moment } = this.weighted(x)
    return nonNegative(gram, moment)
  }

  /** √ of the diagonal of σ² (AᵀWA)⁻¹ over the positive coefficients, σ² = Σ w (y − ŷ)² / degrees of freedom. */
  standardErrors(x: readonly number[]): number[] {
    const set = x.flatMap((value, at) => (value > 0 ? [at] : []))
    const { gram } = this.weighted(x)
    const inner = set.map((i) => set.map((j) => gram[i]?.[j] ?? 0))
    const size = inner.map((row, at) => Math.sqrt(row[at] ?? 1))
    const unit = inner.map((row, i) => row.map((value, j) => value / ((size[i] ?? 1) * (size[j] ?? 1))))
    const spread = this.rows.reduce((sum, [terms, y]) => sum + this.weight(terms, y, x) * (y - dot(terms, x)) ** 2, 0)
    const variance = spread / Math.max(1, this.rows.length - set.length)
    const errors = new Array<number>(x.length).fill(0)
    set.forEach((at, index) => {
      const column = solve(
        unit,
        set.map((_, other) => (other === index ? 1 : 0)),
      )
      errors[at] = Math.sqrt(Math.max(0, variance * (column?.[index] ?? 0))) / (size[index] ?? 1)
    })
    return errors
  }

  private weight(terms: readonly number[], y: number, x: readonly number[]): number {
    return 1 / Math.max(this.least, x.length > 0 ? dot(terms, x) : y)
  }

  private weighted(x: readonly number[]): { gram: number[][]; moment: number[] } {
    const n = this.rows[0]?.[0].length ?? 0
    const gram = Array.from({ length: n }, () => new Array<number>(n).fill(0))
    const moment = new Array<number>(n).fill(0)
    for (const [terms, y] of this.rows) {
      const weight = this.weight(terms, y, x)
      terms.forEach((value, i) => {
        moment[i] = (moment[i] ?? 0) + weight * value * y
        const row = gram[i]
        if (row) for (let j = 0; j < n; j++) row[j] = (row[j] ?? 0) + weight * value * (terms[j] ?? 0)
      })
    }
    return { gram, moment }
  }
}
