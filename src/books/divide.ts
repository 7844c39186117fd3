import type { MeterInterval } from '../plant/energy/meter.ts'
import type { StepWork } from '../plant/energy/step-energy.ts'
import { energyOf, noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { ReplicaId } from '../units/ids.ts'
import type { Observed, StepFit } from './fit.ts'
import { fitOf } from './fit.ts'

/** What somebody made an engine compute within a meter interval. */
export interface Doing {
  readonly replica: ReplicaId
  readonly model: string
  /** Prompt tokens evaluated and tokens sampled. */
  readonly tokens: number
  /** The same by what it costs; nothing where an older log does not say. */
  readonly did: StepWork
  /** Its share of the CPU time of its steps; 0 where it is not known. */
  readonly cpu_us: number
}

/** How the active energy of an interval is divided over those who worked in it. */
export interface Division {
  /** The parts are in proportion to these: modelled nanojoules, or tokens. Non-negative, and not all zero. */
  readonly weights: readonly bigint[]
  /** The newest fit among those that it was made with; null: by tokens, since some of the work had none. */
  readonly fit: number | null
  /** What the model said before it was scaled to the meter; null without a model. */
  readonly modelled_mj: bigint | null
}

/**
 * Each attempt's part is the Shapley value of its steps (`shapley.ts`), summed over the interval and scaled to the meter.
 *
 * Where the coefficients of some model are not known yet, or an older log does not say what its steps did, the whole interval is
 * divided by tokens evaluated and sampled: joules and tokens cannot be weighed against each other.
 */
export function divide(meter: string, work: readonly Doing[], fits: readonly StepFit[]): Division {
  const parts = work.map((one) => ({ one, fit: one.did.step_e9 > 0 ? fitOf(fits, { meter, ...one }) : undefined }))
  const weights = parts.flatMap(({ one, fit }) => (fit ? nanojoules(energyOf(one.did, fit.coefficients)) : []))
  const sum = weights.reduce((total, weight) => total + weight, 0n)
  if (weights.length < work.length || sum === 0n) return { weights: byTokens(work), fit: null, modelled_mj: null }
  return {
    weights,
    fit: Math.max(...parts.map(({ fit }) => fit?.version ?? 0)),
    modelled_mj: (sum + 500_000n) / 1_000_000n,
  }
}

const nanojoules = (joules: number): bigint => BigInt(Math.round(joules * 1e9))

/** Equal parts where nobody got so far as a token. */
function byTokens(work: readonly Doing[]): bigint[] {
  const none = work.every(({ tokens }) => tokens === 0)
  return work.map(({ tokens }) => BigInt(none ? 1 : tokens))
}

/**
 * What an interval teaches about its model: only when a single one worked, and everything that it did is known.
 *
 * A meter that estimates from CPU time sees all of the machine; there the CPU time of the steps themselves is the better word.
 */
export function lessons(interval: MeterInterval, work: readonly Doing[]): Observed[] {
  const [first, ...others] = work
  const { meter, sequence, energy, idle, reset } = interval
  if (!first || reset || energy <= idle) return []
  if (others.some(({ replica, model }) => replica !== first.replica || model !== first.model)) return []
  if (work.some(({ did }) => did.step_e9 === 0)) return []
  const { replica, model } = first
  const sum = work.map(({ did }) => did).reduce(plusWork, noWork)
  const cpu_us = work.reduce((total, one) => total + one.cpu_us, 0)
  const own = interval.cpu_mj_per_s !== undefined && cpu_us > 0
  const energy_mj = own ? BigInt(Math.round(((interval.cpu_mj_per_s ?? 0) * cpu_us) / 1e6)) : energy - idle
  return [{ meter, sequence, replica, model, work: sum, energy_mj }]
}
