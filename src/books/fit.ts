import type { StepCoefficients, StepWork } from '../plant/energy/step-energy.ts'
import type { FitQuality, FittedSteps, Observation } from '../plant/energy/step-fit.ts'
import { fewestObservations, fitSteps, qualityOf } from '../plant/energy/step-fit.ts'
import type { ReplicaId } from '../units/ids.ts'

/** Whose steps: one model on one engine, in the joules of one meter. */
export interface FitKey {
  readonly meter: string
  readonly replica: ReplicaId
  readonly model: string
}

/** What a step of a model costs on an engine, as learned from a meter. Never changed: what is learned later is a new version. */
export interface StepFit extends FitKey, FittedSteps, FitQuality {
  /** Counts up over all keys, so that one number names the state of all fits at a moment. */
  readonly version: number
  readonly fitted_ms: number
  /** The last interval that it was learned from or tried on. */
  readonly sequence: number
}

/** What a closed interval taught: the work of the one model that worked in it, and the energy above the idle floor. */
export interface Observed extends FitKey {
  readonly sequence: number
  readonly work: StepWork
  readonly energy_mj: bigint
}

/** The newest fit of a key; `version`: as things were when that one was the newest of all. */
export const fitOf = (fits: readonly StepFit[], key: FitKey, version = Number.POSITIVE_INFINITY): StepFit | undefined =>
  fits.reduce<StepFit | undefined>(
    (best, fit) => (isOf(fit, key) && fit.version <= version && fit.version > (best?.version ?? 0) ? fit : best),
    undefined,
  )

const isOf = (a: FitKey, b: FitKey): boolean => a.meter === b.meter && a.replica === b.replica && a.model === b.model

/** Measured / modelled energy: what parts are scaled by. Null without a model. */
export const residualFactor = (measured_mj: number, modelled_mj: number): number | null =>
  modelled_mj > 0 ? Number((measured_mj / modelled_mj).toPrecision(3)) : null

/** Outside of this the model has drifted from the engine: shares are still conserved, and no longer fair. */
export const healthyFactor = { least: 0.8, most: 1.25 } as const

/** Intervals that a fit looks back on: ten busy minutes at a sample a second. */
export const observationsKept = 600
/** New intervals before the next try, and how often it is tried again when that brought nothing. */
export const observationsBetween = 60
const triedEvery = 10
/** The last quarter is not fitted on; the figures of a fit are from it. */
const heldOut = 0.25
/** A new version must do clearly better on what neither has seen, or the number would change and say nothing. */
const better = 0.9

/**
 * New coefficients, once enough has been seen since the last try and they beat what there is: the fit in force, or, where there
 * is none, the rule that every token costs the same. `history` are the observations of one key, in order.
 */
export function refit(
  history: readonly Observed[],
  inForce: StepFit | undefined,
  version: number,
  now_ms: number,
): StepFit | undefined {
  const last = history.at(-1)
  const news = history.filter(({ sequence }) => sequence > (inForce?.sequence ?? -1))
  if (!last || news.length < observationsBetween || last.sequence % triedEvery !== 0) return undefined
  const seen = history
    .slice(-observationsKept)
    .map(({ work, energy_mj }): Observation => ({ work, energy_j: Number(energy_mj) / 1000 }))
  const cut = Math.ceil(seen.length * (1 - heldOut))
  const [train, test] = [seen.slice(0, cut), seen.slice(cut)]
  const fitted = fitSteps(train)
  if (!fitted || test.length < fewestObservations * heldOut) return undefined
  const quality = qualityOf(fitted.coefficients, test)
  const rival = qualityOf(inForce?.coefficients ?? byTokens(train), test)
  if (!(quality.error_median <= better * rival.error_median)) return undefined
  const { meter, replica, model } = last
  return { version, meter, replica, model, fitted_ms: now_ms, sequence: last.sequence, ...fitted, ...quality }
}

/** The same energy for every token evaluated or sampled. */
function byTokens(seen: readonly Observation[]): StepCoefficients {
  const tokens = seen.reduce((sum, { work }) => sum + work.prefill + work.decode, 0)
  const each = seen.reduce((sum, { energy_j }) => sum + energy_j, 0) / Math.max(1, tokens)
  return { step: 0, prefill: each, prefill_context: 0, decode: each, kv_read: 0 }
}
