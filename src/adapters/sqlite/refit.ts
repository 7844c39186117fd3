/** Finds what a step's cost may be learned from; `books/fit.ts` decides. */
import type { Observed } from '../../books/fit.ts'
import { fitOf, observationsKept, refit } from '../../books/fit.ts'
import type { StepWork } from '../../plant/energy/step-energy.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { apply } from './apply.ts'
import { all, run } from './query.ts'
import { fitsIn } from './step-fits.ts'
import type { Store } from './store.ts'

type ObservationRow = StepWork & Omit<Observed, 'work' | 'energy_mj'> & { readonly energy_mj: number }

const newest = `
  select * from step_observation where meter = ? and replica = ? and model = ?
  order by sequence desc limit ${observationsKept}`

const forget = `
  delete from step_observation where meter = ? and replica = ? and model = ? and sequence <= (
    select sequence from step_observation where meter = ?1 and replica = ?2 and model = ?3
    order by sequence desc limit 1 offset ${observationsKept})`

/** Learns anew where enough has been seen; within the caller's transaction, after intervals were closed. */
export function refitSteps(store: Store, now_ms: number): void {
  const { database } = store
  const keys = 'select distinct meter, replica, model from step_observation order by meter, replica, model'
  for (const { meter, replica, model } of all<{ meter: string; replica: ReplicaId; model: string }>(database, keys)) {
    run(database, forget, meter, replica, model)
    const history = all<ObservationRow>(database, newest, meter, replica, model).reverse().map(observedOf)
    const fits = fitsIn(store)
    const fit = refit(history, fitOf(fits, { meter, replica, model }), fits.length + 1, now_ms)
    if (fit) apply(store, [{ do: 'fit', fit }])
  }
}

const observedOf = ({ meter, replica, model, sequence, energy_mj, ...work }: ObservationRow): Observed => ({
  meter,
  replica,
  model,
  sequence,
  energy_mj: BigInt(energy_mj),
  work,
})
