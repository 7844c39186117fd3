import type { AttemptId } from '../units/ids.ts'
import { attemptId } from '../units/ids.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'
import { wasteCause } from './post.ts'
import type { CloseRow, WasteCause } from './row.ts'
import type { EngineWork } from './settle.ts'
import { usageOfWork } from './settle.ts'
import { tokenClasses } from './usage.ts'

/**
 * Why an attempt was for nothing; undefined: its tenant asked for it and pays. An attempt that the settled row does not
 * know came after its gateway's last words: `crash`. One that has no row at all is no request of ours: `foreign`.
 */
export function causeOf(row: CloseRow | undefined, attempt: AttemptId): WasteCause | undefined {
  if (!row) return 'foreign'
  const index = row.attempts.findIndex((one) => attemptId(row.id, one.number) === attempt)
  return index < 0 ? 'crash' : wasteCause(row, row.attempts[index], index === row.attempts.length - 1)
}

/** Whose account bears the energy of an attempt. */
export function bearerOf(row: CloseRow | undefined, attempt: AttemptId): Account {
  const cause = causeOf(row, attempt)
  return cause || !row ? accounts.waste(cause ?? 'foreign') : accounts.tenant(row.tenant, row.application)
}

/** Work that no gateway of ours asked for: all that the engine made is waste by cause `foreign`, and never a tenant's. */
export function postForeign(work: EngineWork): Transfer[] {
  const made = usageOfWork(work)
  return tokenClasses.flatMap((tokenClass) => {
    const count = made[tokenClass]
    if (!count || count.tokens === 0) return []
    return {
      id: `${work.attempt}/token/${tokenClass}/foreign`,
      unit: 'token',
      from: accounts.engine(work.replica),
      to: accounts.wasted('foreign', tokenClass),
      amount: BigInt(count.tokens),
      request: null,
      at_ms: work.last_ms,
    }
  })
}
