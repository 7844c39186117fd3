/** Works out again what every tenant's terms moved, from the first hour on, and compares. */
import type { Findings } from '../../../books/check.ts'
import { adjustmentOf, postAdjustments, termsHour } from '../../../books/terms/adjustment.ts'
import { count } from '../ledger.ts'
import { all } from '../query.ts'
import type { Store } from '../store.ts'
import type { DoneRow } from './done.ts'
import { postedTransfers } from './posted.ts'
import { checkTermsSums } from './sums.ts'
import { settledFromBeginning } from './work-out.ts'

type Reader = Pick<Store, 'database'>

/** No hour comes after it. */
const lastHour = 9_999_999

export function checkTerms(books: Reader, findings: Findings): void {
  let explained = 0
  for (const { tenant, next_hour, stale_hour } of all<DoneRow>(books.database, 'select * from terms_done')) {
    // An hour that is to be worked out again is not yet what it should be, and neither are those after it.
    const sure = Math.min(next_hour, stale_hour ?? next_hour)
    const transfers = postedTransfers(books, tenant, 0, lastHour)
    const edge = `${termsHour(tenant, sure)}/`
    const strange = transfers.find((transfer) => adjustmentOf(tenant, transfer) === undefined)
    if (strange) findings.add('terms', strange.id, 'is no line of terms')
    explained += transfers.length
    checkTermsSums(books, findings, tenant, transfers)
    const should = [...settledFromBeginning(books, tenant, sure)].flatMap(({ adjustments }) => adjustments)
    const posted = transfers.filter(({ id }) => id < edge)
    const [wrong] = postAdjustments(tenant, should, posted)
    if (wrong) findings.add('terms', wrong.id, `${wrong.amount} ${wrong.from} → ${wrong.to} are missing`)
  }
  const stored = count(books.database, "select count(*) as n from transfer where id >= 'terms/' and id < 'terms0'")
  if (stored !== explained) findings.add('terms', 'transfers', `${stored} are there, tenants explain ${explained}`)
}
