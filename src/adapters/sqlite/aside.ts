import type { Aside } from '../../books/effect.ts'
import { all, one, run } from './query.ts'
import type { Store } from './store.ts'

/** Enough of a body to see what it was. */
const longestBody = 65_536

export const insertAside = (store: Store, { source, subject, reason, body }: Aside): void =>
  void run(
    store.database,
    `insert into quarantine (source, subject, reason, body) values (?, ?, ?, ?)
     on conflict (source, subject, reason) do nothing`,
    source,
    subject,
    reason,
    body.slice(0, longestBody),
  )

export const quarantined = ({ database }: Pick<Store, 'database'>): number =>
  one<{ n: number }>(database, 'select count(*) as n from quarantine')?.n ?? 0

/** What was put aside last, without its body: that is for the export. */
export const quarantine = ({ database }: Pick<Store, 'database'>, most: number): Omit<Aside, 'body'>[] =>
  all(database, 'select source, subject, reason from quarantine order by id desc limit ?', most)
