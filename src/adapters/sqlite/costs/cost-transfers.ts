import type { Account, LedgerUnit, Transfer } from '../../../books/account.ts'
import { costName } from '../../../books/cost-hour.ts'
import { transferOf } from '../books.ts'
import { namedUnder } from '../ledger.ts'
import type { Store } from '../store.ts'

/** All that was posted of one source's hour, corrections and all. */
export const costTransfers = (
  { database }: Pick<Store, 'database'>,
  hour: number,
  source: Account,
  unit: LedgerUnit,
): Transfer[] => namedUnder(database, costName(hour, source, unit)).map(transferOf)
