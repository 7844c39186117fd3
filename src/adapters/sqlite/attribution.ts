/** How well the energy of steps is known: the fits in force, and how far the model was from each meter of late. */
import type { StepFit } from '../../books/fit.ts'
import { fitOf, healthyFactor, residualFactor } from '../../books/fit.ts'
import { one } from './query.ts'
import { fitsIn } from './step-fits.ts'
import type { Store } from './store.ts'

export interface MeterHealth {
  readonly meter: string
  /** Measured / modelled over its last busy intervals; null: no model yet. */
  readonly residual_factor: number | null
  readonly intervals: number
  /** `other work`: a meter of CPU time, and more of it than the engine took: the gateway's, the operator's, other programs'. */
  readonly state: 'good' | 'drifted' | 'other work' | 'not learned yet'
}

/** Busy intervals of a meter that are looked at: about ten minutes. */
const lately = 600

const recent = `
  select sum(measured) as measured, sum(modelled) as modelled, count(*) as intervals, max(cpu) as cpu from (
    select energy_mj - idle_mj as measured, modelled_mj as modelled,
      case when cpu_mj_per_s is null then 0 else 1 end as cpu
    from meter_interval
    where meter = ? and modelled_mj is not null order by sequence desc limit ${lately}
  ) as busy`

export function meterHealth({ database }: Pick<Store, 'database'>, meter: string): MeterHealth {
  const sums = one<{ measured: number; modelled: number; intervals: number; cpu: number }>(database, recent, meter)
  const factor = residualFactor(sums?.measured ?? 0, sums?.modelled ?? 0)
  return { meter, residual_factor: factor, intervals: sums?.intervals ?? 0, state: stateOf(factor, sums?.cpu === 1) }
}

function stateOf(factor: number | null, cpu: boolean): MeterHealth['state'] {
  if (factor === null) return 'not learned yet'
  if (factor > healthyFactor.most && cpu) return 'other work'
  return factor >= healthyFactor.least && factor <= healthyFactor.most ? 'good' : 'drifted'
}

/** The newest fit of each model, engine and meter. */
export function fitsInForce(store: Pick<Store, 'database'>): StepFit[] {
  const fits = fitsIn(store)
  return fits.filter((fit) => fitOf(fits, fit) === fit)
}
