import type { Reconciliation } from '../../books/reconciliation.ts'
import { fields, table } from './print.ts'

/** What was compared, line by line; then what is at risk in all. */
export function reconcileView({ from_ms, to_ms, checks, at_risk_usd, without_price }: Reconciliation): string[] {
  return [
    ...table(
      checks.map(({ check, name, unit, ours, theirs, difference, ours_usd, theirs_usd, at_risk_usd, note }) => ({
        check,
        name,
        unit,
        ours,
        theirs,
        difference,
        ours_usd,
        theirs_usd,
        at_risk_usd,
        note,
      })),
    ),
    '',
    ...fields({
      from: new Date(from_ms).toISOString(),
      to: new Date(to_ms).toISOString(),
      at_risk_usd,
      differences_without_a_price: without_price,
    }),
  ]
}
