import type { Aside } from '../../books/effect.ts'
import { run } from './query.ts'
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
