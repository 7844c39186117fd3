/** Looks at the counters of engines elsewhere, as rows. */
import type { Counted, Explained } from '../../books/counted.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { run } from './query.ts'
import type { Store } from './store.ts'

export const insertCounted = ({ database }: Store, look: Counted): void =>
  void run(
    database,
    `insert into engine_counted (engine, from_ms, to_ms, prompt, output, cached) values (?, ?, ?, ?, ?, ?)
     on conflict do nothing`,
    look.engine,
    look.from_ms,
    look.to_ms,
    look.prompt,
    look.output,
    look.cached ? 1 : 0,
  )

export const markExplained = (
  { database }: Store,
  engine: ReplicaId,
  to_ms: number,
  { foreign, balance }: Explained,
): void =>
  void run(
    database,
    `update engine_counted
     set foreign_prompt = ?, foreign_output = ?, balance_prompt = ?, balance_output = ? where engine = ? and to_ms = ?`,
    foreign.prompt,
    foreign.output,
    balance.prompt,
    balance.output,
    engine,
    to_ms,
  )
