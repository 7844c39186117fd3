/** What a tenant agreed to beside prices and credit, and what this month came to under it. */
import { listAgreements } from '../../../../adapters/sqlite/terms/agreed.ts'
import { monthNow } from '../../../../adapters/sqlite/terms/work-out.ts'
import { hour_ms, hourOf } from '../../../../books/cost-hour.ts'
import type { Agreement } from '../../../../books/terms/agreement.ts'
import { agreedIn } from '../../../../books/terms/agreement.ts'
import type { TermsState } from '../../../../books/terms/terms.ts'
import type { Route } from '../../router.ts'
import { isoOrNull } from '../../when.ts'
import { agreedText, quantityText } from '../terms.ts'
import { tenantRoute } from './own.ts'

export const tenantTermsRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/terms',
    about:
      'Its free quotas, prices by tier or volume and commitments in force, and what this month (UTC) came to under each',
    run: ({ store, now }, { tenant }) => {
      const at_ms = now()
      const month = monthNow(store, tenant, at_ms)
      const agreed = agreedIn(listAgreements(store, tenant), hourOf(at_ms))
      return { at: isoOrNull(at_ms), terms: agreed.map((one) => shown(one, month)) }
    },
  }),
]

/** A note is the factory's own. `used` is provisional by the hours that are not over. */
const shown = (one: Agreement, month: Pick<TermsState, 'spent' | 'counted'>) => ({
  version: one.version,
  kind: one.kind,
  ...agreedText(one),
  from: isoOrNull(one.from_hour * hour_ms),
  used: quantityText(usedOf(one, month), one.counts),
})

function usedOf(
  { version, kind, counts }: Agreement,
  { spent, counted }: Pick<TermsState, 'spent' | 'counted'>,
): bigint {
  if (kind === 'commitment') return spent
  const of = counted.get(version)
  return (counts === 'tokens' ? of?.tokens : of?.charged) ?? 0n
}
