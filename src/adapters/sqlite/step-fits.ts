/** What a step costs and what it is learned from, as rows. */
import type { Observed, StepFit } from '../../books/fit.ts'
import { all, run } from './query.ts'
import type { Store } from './store.ts'

/** All versions, oldest first. */
export const fitsIn = ({ database }: Pick<Store, 'database'>): StepFit[] =>
  all<{ body: string }>(database, 'select body from step_fit order by version').map(
    ({ body }) => JSON.parse(body) as StepFit,
  )

export const insertFit = ({ database }: Store, fit: StepFit): void =>
  void run(
    database,
    'insert into step_fit (version, meter, replica, model, fitted_ms, body) values (?, ?, ?, ?, ?, ?)',
    fit.version,
    fit.meter,
    fit.replica,
    fit.model,
    fit.fitted_ms,
    JSON.stringify(fit),
  )

export function insertObservation({ database }: Store, observed: Observed): void {
  const { meter, replica, model, sequence, energy_mj, work } = observed
  run(
    database,
    `insert into step_observation
       (meter, replica, model, sequence, energy_mj, step_e9, prefill, prefill_context, decode, kv_read)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    meter,
    replica,
    model,
    sequence,
    energy_mj,
    work.step_e9,
    work.prefill,
    work.prefill_context,
    work.decode,
    work.kv_read,
  )
}
