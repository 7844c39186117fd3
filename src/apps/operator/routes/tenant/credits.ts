/** What a tenant paid in advance or was given, and what is left of it. */
import { isCreditOnly } from '../../../../adapters/sqlite/terms/credit-only.ts'
import { endsAt_ms } from '../../../../adapters/sqlite/terms/credits.ts'
import { hour_ms } from '../../../../books/cost-hour.ts'
import { formatDollars, nanoDollars } from '../../../../units/amount.ts'
import type { Route } from '../../router.ts'
import { isoOrNull } from '../../when.ts'
import { creditsNow } from '../credits.ts'
import { tenantRoute } from './own.ts'

export const tenantCreditRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/credits',
    about: 'Its credits: what was granted, what is left and until when; and whether nothing else pays',
    run: (factory, { tenant }) => {
      const credits = creditsNow(factory, tenant)
      const usable = credits.filter(({ state }) => state === 'in use').reduce((sum, { left }) => sum + left, 0n)
      return {
        at: isoOrNull(factory.now()),
        only_credit: isCreditOnly(factory.store, tenant),
        left_usd: formatDollars(nanoDollars(usable)),
        /** A note is the factory's own. */
        credits: credits.map(({ credit, left, state }) => ({
          id: credit.id,
          kind: credit.kind,
          state,
          usd: formatDollars(credit.amount),
          left_usd: formatDollars(left),
          from: isoOrNull(credit.from_hour * hour_ms),
          until: isoOrNull(endsAt_ms(credit)),
          returned: credit.returned,
        })),
      }
    },
  }),
]
