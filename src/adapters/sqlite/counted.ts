/** Looks at the counters of engines elsewhere, as rows. None begins before the one before it ended, whoever looked then. */
import type { Counted, Explained } from '../../books/counted.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { run } from './query.ts'
import type { Store } from './store.ts'

export const insertCounted = ({ database }: Store, look: Counted): void =>
  void run(
    database,
    `insert into engine_counted (engine, from_ms, to_ms, prompt, output, cached)
     select ?1, ?2, ?3, ?4, ?5, ?6 where not exists (select 1 from engine_counted where engine = ?1 and to_ms > ?2)
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
