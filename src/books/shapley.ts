import type { StepCoefficients } from '../plant/energy/step-energy.ts'
import { energyOf } from '../plant/energy/step-energy.ts'
import type { StepReport } from '../plant/infrastructure/step.ts'
import { workOfStep } from '../plant/infrastructure/step-work.ts'
import type { Joules } from '../units/quantity.ts'

/**
 * What each sequence of a step owes for it: φ_i = F / |S| + v_i.
 *
 * That is the Shapley value of the game C(S) = F [S not empty] + Σ v_i, in closed form: in the order in which the sequences
 * come, the first pays F, and each is the first in one of |S| orders. So it is the one division that gives away all of it, gives
 * equals the same, gives a step's non-work nothing and adds up over steps; and because it adds up, one-second bins of each
 * attempt's work (`workOfStep`) are enough to work it out for any interval and under any coefficients.
 */
export const shapley = (step: Pick<StepReport, 'sequences'>, coefficients: StepCoefficients): Joules[] =>
  workOfStep(step).map((work) => energyOf(work, coefficients))
