import type { Route } from '../router.ts'
import { adminRoutes } from './admins.ts'
import { aliasRoutes } from './aliases.ts'
import { appRoutes } from './apps.ts'
import { batchRoutes } from './batches.ts'
import { bookRoutes } from './books.ts'
import { budgetRoutes } from './budgets.ts'
import { capRoutes } from './caps.ts'
import { changeRoutes } from './changes.ts'
import { costRoutes } from './costs.ts'
import { creditRoutes } from './credits.ts'
import { doctorRoutes } from './doctor.ts'
import { economicRoutes } from './economics.ts'
import { engineRoutes } from './engines.ts'
import { financeRoutes } from './finance.ts'
import { gatewayRoutes } from './gateways.ts'
import { homeRoutes } from './homes.ts'
import { internalRoutes } from './internal.ts'
import { keyRoutes } from './keys.ts'
import { meterRoutes } from './meters.ts'
import { metricRoutes } from './metrics.ts'
import { modelRoutes } from './models.ts'
import { noticeRoutes } from './notices.ts'
import { pnlRoutes } from './pnl.ts'
import { presetRoutes } from './presets.ts'
import { priceImportRoutes } from './price-import.ts'
import { priceRoutes } from './prices.ts'
import { probeRoutes } from './probe.ts'
import { railRoutes } from './rails.ts'
import { rateRoutes } from './rates.ts'
import { rerateRoutes } from './rerate.ts'
import { sessionRoutes } from './session.ts'
import { statusRoutes } from './status.ts'
import { catalogueRoutes } from './tenant/catalogue.ts'
import { tenantCreditRoutes } from './tenant/credits.ts'
import { tenantKeyRoutes } from './tenant/keys.ts'
import { limitRoutes } from './tenant/limits.ts'
import { tenantTermsRoutes } from './tenant/terms.ts'
import { tenantUsageRoutes } from './tenant/usage.ts'
import { tenantsRoutes } from './tenants.ts'
import { termsRoutes } from './terms.ts'
import { usageRoutes } from './usage.ts'
import { utilisationRoutes } from './utilisation.ts'

/** Every route of the operator. */
export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...statusRoutes,
  ...adminRoutes,
  ...changeRoutes,
  ...keyRoutes,
  ...homeRoutes,
  ...tenantsRoutes,
  ...appRoutes,
  ...engineRoutes,
  ...probeRoutes,
  ...presetRoutes,
  ...modelRoutes,
  ...aliasRoutes,
  ...priceRoutes,
  ...priceImportRoutes,
  ...rateRoutes,
  ...creditRoutes,
  ...termsRoutes,
  ...costRoutes,
  ...budgetRoutes,
  ...railRoutes,
  ...capRoutes,
  ...noticeRoutes,
  ...bookRoutes,
  ...pnlRoutes,
  ...financeRoutes,
  ...rerateRoutes,
  ...batchRoutes,
  ...usageRoutes,
  ...utilisationRoutes,
  ...doctorRoutes,
  ...gatewayRoutes,
  ...economicRoutes,
  ...meterRoutes,
  ...metricRoutes,
  ...limitRoutes,
  ...catalogueRoutes,
  ...tenantKeyRoutes,
  ...tenantCreditRoutes,
  ...tenantTermsRoutes,
  ...tenantUsageRoutes,
  ...internalRoutes,
]
