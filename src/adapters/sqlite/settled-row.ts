import type { CloseRow } from '../../books/row.ts'
import type { Books } from './books.ts'
import { one } from './query.ts'

/** A settled request; undefined: there is none of that name. */
export function settledRow({ database }: Pick<Books, 'database'>, id: string): CloseRow | undefined {
  const found = one<{ body: string }>(database, 'select body from request where id = ?', id)
  return found && (JSON.parse(found.body) as CloseRow)
}
